"""What touches several rooms: the first-run check, orders, shifts, a partner's page, the public page."""

from __future__ import annotations

from anshang.crowds.outlook import Outlooks
from anshang.crowds.watch import Watch
from anshang.desk import api, looking_api, lost_property_api, order_api, public_api, shift_api, shop_api
from anshang.desk.calls import CallDesk
from anshang.desk.model import DeskKind
from anshang.desk.public import PublicDesk
from anshang.desk.shop_feed import ShopFeed
from anshang.foundation.database import Database
from anshang.foundation.jobs import Supervisor
from anshang.foundation.rooms import Room
from anshang.foundation.wiring import Services
from anshang.vault.keys import Keyring
from anshang.web.budgets import Budgets
from anshang.web.live import Hub


def _public(services: Services) -> PublicDesk:
    return PublicDesk(services[Watch], services[Outlooks], services[Budgets])


def _shop_feed(services: Services) -> ShopFeed:
    return ShopFeed(services[Database], services[Keyring], services[Hub], services[Supervisor])


ROOM = Room(
    name="desk",
    routers=(
        shop_api.router,
        order_api.router,
        looking_api.router,
        lost_property_api.router,
        public_api.router,
        shift_api.router,
        api.router,
    ),
    events=(DeskKind,),
    makes={
        PublicDesk: _public,
        CallDesk: lambda services: CallDesk(services[Database], services[Budgets]),
        ShopFeed: _shop_feed,
    },
)
