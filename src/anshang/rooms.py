"""Every room of the house. Nothing else lists them."""

from __future__ import annotations

from anshang.connectors.room import ROOM as CONNECTORS
from anshang.crowds.room import ROOM as CROWDS
from anshang.desk.room import ROOM as DESK
from anshang.dispatch.room import ROOM as DISPATCH
from anshang.drills.room import ROOM as DRILLS
from anshang.foundation.rooms import Room
from anshang.incidents.room import ROOM as INCIDENTS
from anshang.journal.room import ROOM as JOURNAL
from anshang.lookouts.room import ROOM as LOOKOUTS
from anshang.matters.room import ROOM as MATTERS
from anshang.partners.room import ROOM as PARTNERS
from anshang.patrols.room import ROOM as PATROLS
from anshang.people.room import ROOM as PEOPLE
from anshang.places.room import ROOM as PLACES
from anshang.vault.room import ROOM as VAULT
from anshang.volunteers.room import ROOM as VOLUNTEERS
from anshang.web.room import ROOM as WEB

ROOMS: tuple[Room, ...] = (
    CROWDS,  # first, because routes are tried in their order and those of its sensors are asked the most
    WEB,
    JOURNAL,
    PEOPLE,
    PLACES,
    VAULT,
    MATTERS,
    PARTNERS,
    INCIDENTS,
    PATROLS,
    DISPATCH,
    LOOKOUTS,
    VOLUNTEERS,
    DESK,
    DRILLS,
    CONNECTORS,
)
