"""Decisions a second: 8 clients that offer, accept and arrive, each decision one durable transaction.

On SQLite, and on PostgreSQL where its programs are. A decision is one verb of dispatch/actions with all that
follows in its transaction: assignment, unit, steps of the incident, journal. The peer commits as many
transactions that write one journal entry each, through the same door.
"""

from __future__ import annotations

import itertools
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests import postgres
from tests.dispatch.conftest import street

from anshang.dispatch import actions
from anshang.dispatch.model import AssignmentKind, AssignmentState
from anshang.foundation import clock, ids, migrations
from anshang.foundation.database import Database
from anshang.incidents import actions as incidents
from anshang.incidents.model import Source, Spot
from anshang.journal import actions as journal
from anshang.patrols import store
from anshang.patrols.model import Duty, Unit, UnitStatus
from anshang.people.model import Role, actor_of, operator_actor
from anshang.places import actions as places
from benchmarks import percentile, report
from benchmarks._streets import officer

DISTRICT = "wuyi"
CLIENTS, EACH = 8, 150
MUST = {"sqlite": 800.0, "postgresql": 300.0}
MOST_P99_MS = 100.0
DESK = actor_of(ids.new_id(), "desk", Role.DESK, None, (DISTRICT,))
ROUND = (AssignmentState.OFFERED, AssignmentState.ACCEPTED, AssignmentState.ON_SCENE, AssignmentState.DONE)


def prepare(database: Database) -> list[str]:
    """A street, a unit and an incident for each client."""
    asked, crew = [], (officer(database, DISTRICT),)
    with database.transaction(DISTRICT) as tx:
        places.import_document(tx, actor=operator_actor(DISTRICT), document=street())
        for number in range(CLIENTS):
            duty = Duty(ids.new_id(), DISTRICT, f"u{number}", crew, clock.now())
            unit = Unit(
                f"u{number}",
                DISTRICT,
                "officer_pair",
                f"U{number}",
                "甲",
                "A",
                None,
                None,
                UnitStatus.FREE,
                clock.now(),
            )
            store.units.add(tx, replace(unit, duty_id=duty.id))
            store.duties.add(tx, duty)
            asked.append(
                incidents.report(
                    tx, actor=DESK, id=ids.new_id(), source=Source.PHONE, text="", category_id="help",
                    priority=None, spot=Spot(zone_id="z0"),
                ).id
            )  # fmt: skip
    return asked


def decide(database: Database, unit_id: str, incident_id: str) -> Callable[[], None]:
    """The next decision of a client each time it is called: offer, accept, arrive, done, offer…"""
    states = itertools.cycle(ROUND)
    made = {"id": ""}

    def act() -> None:
        state = next(states)
        with database.transaction(DISTRICT) as tx:
            if state is AssignmentState.OFFERED:
                made["id"] = ids.new_id()
                actions.offer(tx, actor=DESK, id=made["id"], incident_id=incident_id, unit_id=unit_id)
            elif state is AssignmentState.ACCEPTED:
                actions.answer(tx, actor=DESK, id=made["id"], accepted=True)
            else:
                actions.take_step(tx, actor=DESK, id=made["id"], to=state)

    return act


def entry(database: Database) -> Callable[[], None]:
    """One journal entry, durable."""

    def act() -> None:
        with database.transaction(DISTRICT) as tx:
            journal.record(tx, actor_id="peer", kind=AssignmentKind.OFFERED, subject_id="peer")

    return act


def per_second(clients: list[Callable[[], None]]) -> tuple[float, float]:
    """How many a second all clients make together, and the 99th percentile of one (ms)."""
    took_ms: list[float] = []

    def work(act: Callable[[], None]) -> None:
        for _ in range(EACH):
            began_s = time.perf_counter()
            act()
            took_ms.append((time.perf_counter() - began_s) * 1000)

    threads = [threading.Thread(target=work, args=(act,)) for act in clients]
    began_s = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(took_ms) / (time.perf_counter() - began_s), percentile(took_ms, 0.99)


def measure(name: str, url: str, owner_url: str) -> None:
    """Measure on one database, report."""
    database = Database(url, owner_url)
    migrations.upgrade(database)
    asked = prepare(database)
    rate, p99_ms = per_second([decide(database, f"u{n}", asked[n]) for n in range(CLIENTS)])
    peer, _ = per_second([entry(database) for _ in range(CLIENTS)])
    must = MUST[name]
    report(
        f"decisions.{name}",
        rate,
        "1/s",
        must=f">= {must:g}/s",
        ok=rate >= must,
        peer="one journal entry a transaction",
        peer_value=peer,
    )
    report(f"decisions.{name}_p99", p99_ms, "ms", must=f"<= {MOST_P99_MS:g} ms", ok=p99_ms <= MOST_P99_MS)
    database.dispose()


def main() -> None:
    """Both databases."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'anshang.db'}"
        measure("sqlite", url, "")
    if postgres.programs() is not None:
        with postgres.cluster() as url:
            measure("postgresql", url, postgres.owner_of(url))


if __name__ == "__main__":
    main()
