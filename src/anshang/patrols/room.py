"""Units, crews and duty; positions while on duty."""

from __future__ import annotations

from anshang.foundation.database import Database
from anshang.foundation.rooms import Room
from anshang.incidents.sos import Senders
from anshang.patrols import api
from anshang.patrols.model import PatrolKind
from anshang.patrols.store import find_sign_of
from anshang.patrols.whereabouts import Whereabouts

ROOM = Room(
    name="patrols",
    routers=(api.router,),
    events=(PatrolKind,),
    makes={
        Whereabouts: lambda services: Whereabouts(services[Database]),
        Senders: lambda _: Senders(find_sign_of),
    },
)
