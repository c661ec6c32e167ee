"""Personal records: a key for each, purpose, retention, erasure, receipt."""

from __future__ import annotations

from collections.abc import Iterator

from anshang.foundation.database import Database
from anshang.foundation.districts import Districts
from anshang.foundation.errors import RuleBroken
from anshang.foundation.items import Items, ItemsFailed
from anshang.foundation.jobs import Job
from anshang.foundation.periods import HOUR_S, HOUSEKEEPING_S, MINUTE_S, once_a_day
from anshang.foundation.rooms import Room
from anshang.foundation.wiring import Services
from anshang.journal.model import EVERYWHERE
from anshang.journal.trust import TrustedClock
from anshang.people.model import engine_actor
from anshang.settings import Settings
from anshang.vault import actions, api, retention
from anshang.vault.erasure_guard import ErasureGuard
from anshang.vault.keys import Keyring, read_masters
from anshang.vault.model import ErasureEvent, VaultKind


def _guard(services: Services) -> ErasureGuard:
    return ErasureGuard(services[Database], tuple(services[Districts].stored()))


def _keyring(services: Services) -> Keyring:
    settings = services[Settings]
    return Keyring(settings.vault_folder, read_masters(settings.vault_keys))


def _trusted_clock(services: Services) -> TrustedClock:
    guard = services[ErasureGuard]

    def check() -> None:
        """A person must look, a restart would not help: so the job runs, and this item of it fails."""
        try:
            guard.check()
        except RuleBroken as held:
            raise ItemsFailed(1, held) from held

    return TrustedClock(check)


class _Erasing:
    """What is destroyed or emptied when its time is over."""

    def __init__(self, services: Services) -> None:
        self._database, self._keyring = services[Database], services[Keyring]
        self._districts = services[Districts]
        self._expired, self._orphans = Items(MINUTE_S), Items(HOUR_S)

        self._districts.on_gone.append(self._expired.forget)

    def erase(self, district_id: str) -> None:
        """Destroy the keys of records whose time is over."""
        actor = engine_actor(district_id)
        actions.erase_expired(
            self._database, self._keyring, actor=actor, district_id=district_id, items=self._expired
        )

    def empty(self, district_id: str) -> None:
        """Empty rows whose time is over."""
        retention.apply(self._database, district_id, actor=engine_actor(district_id))

    def destroy_orphans(self, _: str) -> None:
        """Destroy keys that no record needs, and empty the accounts that are closed."""
        self.empty(EVERYWHERE)
        districts = list(self._districts.stored())
        actions.destroy_orphans(self._database, self._keyring, districts, items=self._orphans)


def _jobs(services: Services) -> Iterator[Job]:
    erasing, trusted = _Erasing(services), services[TrustedClock]
    lane, first_s = "erasure", HOUSEKEEPING_S
    yield Job(
        name="vault.erase", run=trusted.before(erasing.erase), every_s=MINUTE_S, lane=lane,
        en="Erasing personal records when their time is over", zh="到期个人信息销毁", first_s=first_s,
    )  # fmt: skip
    yield Job(
        name="vault.orphans", run=trusted.before(erasing.destroy_orphans), every_s=HOUR_S, lane=lane,
        by_district=False, en="Destroying keys that no record needs, emptying closed accounts",
        zh="清除无主密钥与已停用账号", first_s=first_s,
    )  # fmt: skip
    yield Job(
        name="retention.apply", run=once_a_day(trusted.before(erasing.empty)), every_s=MINUTE_S, lane=lane,
        en="Emptying positions and words whose time is over", zh="清除到期的位置与文字", first_s=first_s,
    )  # fmt: skip


ROOM = Room(
    name="vault",
    routers=(api.router,),
    events=(VaultKind, ErasureEvent),
    makes={Keyring: _keyring, ErasureGuard: _guard, TrustedClock: _trusted_clock},
    jobs=_jobs,
)
