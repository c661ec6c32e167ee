"""The check of an installation over HTTP."""

from __future__ import annotations

import shutil
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from anshang.crowds import store as crowds
from anshang.crowds.calls import Crowd
from anshang.crowds.watch import sensor_health
from anshang.desk.check import Findings, judged
from anshang.foundation.actor import Permission
from anshang.journal import actions as journal
from anshang.journal.model import EVERYWHERE
from anshang.people import store as people
from anshang.people.model import Role
from anshang.places import store as places
from anshang.vault import actions as vault
from anshang.vault.calls import Keys
from anshang.vault.erasure_guard import ErasureGuard
from anshang.web.serving import open_files_limit
from anshang.web.session import Caller, DistrictQuery, shared
from anshang.web.shapes import Shown

router = APIRouter(tags=["desk"])
LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1", "testserver"})


class CheckShown(Shown):
    """One point of the check; its text is in the console's dictionary."""

    name: str
    state: str
    params: dict[str, Any]


Guard = Annotated[ErasureGuard, Depends(shared(ErasureGuard))]


@router.get("/api/check")
def check(
    district: DistrictQuery, caller: Caller, keyring: Keys, crowd: Crowd, guard: Guard, request: Request
) -> list[CheckShown]:
    """What a fresh installation still lacks."""
    caller.actor.must(Permission.CHECK_READ, district)
    with caller.runtime.database.reading([EVERYWHERE, district]) as connection:
        zone_count, gate_count = places.count_zones_and_gates(connection, district)
        sensors = crowds.list_sensors(connection, district)
        engine = crowd.find(district)
        accounts = people.list_accounts(connection)
        faults, sealed_on = journal.verify_since_seal(connection, district)
        found = Findings(
            disk_free_bytes=shutil.disk_usage(caller.runtime.data_folder).free,
            zone_count=zone_count,
            gate_count=gate_count,
            sensor_states=tuple(sensor_health(engine, sensor).get("state", "never") for sensor in sensors),
            open_feed_count=sum(f.closed_at is None for f in people.list_feeds(connection, district)),
            secure_cookies=caller.runtime.cookies.secure,
            local_only=(request.url.hostname or "") in LOCAL_HOSTS,
            untrusted_proxy=_untrusted_proxy(request),
            open_files_max=open_files_limit(),
            desk_account_count=sum(a.active and a.role is Role.DESK for a in accounts),
            journal_fault_count=len(faults),
            journal_sealed_on=sealed_on,
            clock_trusted_at=guard.held_since,
            unreadable_count=len(vault.list_unreadable_ids(connection, keyring, district)),
            troubles=tuple(caller.runtime.supervisor.troubles(district)),
        )
    return [CheckShown.model_validate(point) for point in judged(found)]


def _untrusted_proxy(request: Request) -> str:
    """Who asks for somebody else and is not believed: the server sets port 0 where it believes a proxy."""
    if request.client is None or "x-forwarded-for" not in request.headers or request.client.port == 0:
        return ""
    return request.client.host
