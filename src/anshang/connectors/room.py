"""What goes out to other systems and is measured for them."""

from __future__ import annotations

from collections.abc import Iterator
from pkgutil import resolve_name
from typing import Protocol

from anshang.connectors import prometheus
from anshang.connectors.prometheus import Metrics
from anshang.foundation.database import Database
from anshang.foundation.jobs import Job, Supervisor
from anshang.foundation.periods import HOUSEKEEPING_S, STEP_S
from anshang.foundation.rooms import Room
from anshang.foundation.wiring import Services
from anshang.settings import Settings
from anshang.web.live import Hub


class Outside(Protocol):
    """Who notifies partners outside of the installation that there is something new."""

    def deliver(self, district_id: str) -> None:
        """Send what is new in a district."""


def _outside(services: Services) -> Iterator[tuple[str, Outside]]:
    """Those that are wanted, each in a lane of its own: a gateway may be slow. What they take is loaded
    only then.
    """
    settings, database = services[Settings], services[Database]
    if settings.notice_webhook_url:
        gateway = resolve_name("anshang.connectors.webhook:Gateway")
        yield "webhook", gateway(database, settings.notice_webhook_url, settings.notice_webhook_secret)
    if settings.push_contact:
        web_push = resolve_name("anshang.connectors.webpush:WebPush")
        yield "push", web_push(database, settings.data_folder, settings.push_contact)


def _jobs(services: Services) -> Iterator[Job]:
    for name, one in _outside(services):
        yield Job(
            name=f"partners.{name}", run=one.deliver, every_s=STEP_S, lane=name, critical=False,
            en="Messages to partners outside (gateway, push)", zh="向合作单位外发消息（网关、推送）",
            first_s=HOUSEKEEPING_S,
        )  # fmt: skip


def _metrics(services: Services) -> Metrics:
    key = services[Settings].metrics_key
    return Metrics(services[Database], services[Supervisor], services[Hub], key)


ROOM = Room(name="connectors", routers=(prometheus.router,), makes={Metrics: _metrics}, jobs=_jobs)
