"""The outlook of a district, and the warnings that follow from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from tests.conftest import DISTRICT, NIGHT, Make
from tests.crowds.conftest import ENGINE, kinds, waiting

from anshang.crowds import actions, observations
from anshang.crowds.ahead import HORIZONS_S, Band, Because, Outlook, ZoneOutlook, chances_by
from anshang.crowds.episodes import (
    OUTCOME_AVERTED,
    OUTCOME_CAME,
    OUTCOME_PASSED,
    Persistence,
    expected,
    follow,
)
from anshang.crowds.model import CrowdKind, Level
from anshang.crowds.outlook import Outlooks
from anshang.crowds.telemetry import zone_history_table
from anshang.crowds.watch import Watch
from anshang.foundation import clock, ids
from anshang.foundation.database import Database, put_all
from anshang.matters.model import Matter, MatterState, Priority

pytestmark = pytest.mark.postgres

MoveOn = Callable[[timedelta], None]
FLAT = Band((100.0,) * 6, (80.0,) * 6, (120.0,) * 6)


def outlook(at: datetime, alert: float, serious: float = 0.0) -> Outlook:
    """A district whose zone z1 is at an alert with this chance half an hour ahead, less later."""
    rising = [(0.0, chance, *(0.0,) * 4) for chance in (0.9, 0.9, alert, serious)]
    return Outlook(at, "today", (zone_at(rising),), None, ())


def zone_at(chances: Sequence[tuple[float, ...]]) -> ZoneOutlook:
    """Zone z1 with these chances of each level."""
    because = Because(100.0, None, None)
    return ZoneOutlook("z1", FLAT, tuple(chances), chances_by(chances), because, 100.0)


def step(
    database: Database, persistence: Persistence, alert: float, level: int | None = 2, serious: float = 0.0
) -> list[Matter]:
    levels = {"z1": None if level is None else Level(level)}
    with database.transaction(DISTRICT) as tx:
        seen = outlook(clock.now(), alert, serious)
        return follow(tx, actor=ENGINE, outlook=seen, levels=levels, persistence=persistence)


def minutes(
    database: Database,
    night: MoveOn,
    persistence: Persistence,
    count: int,
    alert: float,
    level: int | None = 2,
) -> list[Matter]:
    changed = []
    for _ in range(count):
        night(timedelta(minutes=1))
        changed += step(database, persistence, alert, level)
    return changed


def test_a_danger_that_lasts_is_warned_of_once_with_its_instant_and_chance(
    district: Database, night: MoveOn
) -> None:
    persistence = Persistence()
    assert minutes(district, night, persistence, 3, 0.7) == []
    (raised,) = minutes(district, night, persistence, 1, 0.7)
    assert (raised.subject, raised.priority, raised.zone_id) == ("matter.crowd.warning", Priority.P3, "z1")
    assert raised.params["level"] == 3
    assert raised.params["chance"] == 0.7
    assert datetime.fromisoformat(raised.params["expected_at"]) == clock.now() + timedelta(minutes=30)
    assert minutes(district, night, persistence, 5, 0.7) == []
    assert kinds(district).count(CrowdKind.WARNING_RAISED) == 1


def test_a_moment_of_danger_a_danger_unlikely_and_an_unknown_zone_warn_nobody(
    district: Database, night: MoveOn
) -> None:
    persistence = Persistence()
    for chance in (0.9, 0.1, 0.9, 0.1, 0.9, 0.1):
        assert minutes(district, night, persistence, 1, chance) == []
    assert minutes(district, night, Persistence(), 10, 0.49) == []
    assert minutes(district, night, Persistence(), 10, 0.9, level=None) == []
    assert waiting(district) == []


def test_the_alarm_takes_over_when_the_level_is_reached(district: Database, night: MoveOn) -> None:
    persistence = Persistence()
    minutes(district, night, persistence, 4, 0.7)
    (closed,) = minutes(district, night, persistence, 1, 0.9, level=3)
    assert (closed.state, closed.outcome) == (MatterState.CLOSED, OUTCOME_CAME)
    assert minutes(district, night, persistence, 5, 0.9, level=3) == []


def test_a_danger_that_has_gone_is_past_or_averted_if_something_was_done(
    district: Database, make: Make, night: MoveOn
) -> None:
    persistence = Persistence()
    for measured, outcome in ((False, OUTCOME_PASSED), (True, OUTCOME_AVERTED)):
        (raised,) = minutes(district, night, persistence, 4, 0.7)
        if measured:
            with district.transaction(DISTRICT) as tx:
                actions.take_measure(
                    tx, actor=make.actor(), id=ids.new_id(), zone_id="z1", step="staff.to_zone",
                    note="", matter_id=raised.id, density=2.0,
                )  # fmt: skip
        assert minutes(district, night, persistence, 10, 0.1) == []
        (closed,) = minutes(district, night, persistence, 1, 0.1)
        assert (closed.id, closed.outcome) == (raised.id, outcome)


def test_a_warning_that_becomes_worse_is_told_anew_and_more_urgent(district: Database, night: MoveOn) -> None:
    persistence = Persistence()
    minutes(district, night, persistence, 4, 0.7)
    (told,) = step(district, persistence, 0.8, serious=0.6)
    assert (told.params["level"], told.priority) == (4, Priority.P2)
    assert len(waiting(district)) == 1


def test_the_highest_likely_level_and_its_first_instant_are_said() -> None:
    seen = outlook(NIGHT, 0.8, serious=0.55)
    danger = expected(seen, seen.zones[0])
    assert danger is not None
    assert (danger.level, danger.at) == (Level.SERIOUS, NIGHT + timedelta(minutes=30))
    late = zone_at([(0.0,) * 6, (0.0,) * 6, (0.0,) * 5 + (0.9,), (0.0,) * 6])
    assert expected(seen, late) is None


def test_a_danger_less_than_likely_at_every_instant_is_warned_of_when_likely_within_the_hour() -> None:
    seen = outlook(NIGHT, 0.0)
    danger = expected(seen, zone_at([(0.0,) * 6, (0.0,) * 6, (0.3, 0.42, 0.45, 0.45, 0.2, 0.1), (0.0,) * 6]))
    assert danger is not None
    assert 0.5 < danger.chance < 0.65
    assert danger.at == NIGHT + timedelta(minutes=15)


def kept(database: Database, people: Callable[[int], float], count: int) -> None:
    """The minutes before now as they would have been kept."""
    now_ms = clock.to_ms(clock.now()) // 60_000 * 60_000

    def keep(connection: object) -> None:
        for back in range(count, 0, -1):
            n = people(back)
            rows = [(f"z{i}", n, n * 0.9, n * 1.1, n / 1000, 0) for i in range(3)]
            observations.keep_zone_minutes(connection, DISTRICT, now_ms - back * 60_000, rows)  # type: ignore[arg-type]

    database.bulk(DISTRICT, keep)


def watched(database: Database, make: Make) -> Outlooks:
    watch = Watch(database)
    watch.load(DISTRICT)
    return Outlooks(database, watch)


def test_a_district_grows_and_its_outlook_says_so(district: Database, make: Make) -> None:
    kept(district, lambda back: 2000 * float(np.exp(-back / 120)), 240)
    outlooks = watched(district, make)
    assert outlooks.find(DISTRICT) is None
    seen = outlooks.renew(DISTRICT)
    assert seen is not None
    assert seen is outlooks.find(DISTRICT)
    assert timedelta(0) <= clock.now() - seen.at < timedelta(minutes=1)
    assert [len(zone.people.middle) for zone in seen.zones] == [len(HORIZONS_S)] * len(seen.zones)
    for zone in seen.zones:
        assert 2000 < zone.people.middle[0] <= zone.people.middle[2]
        assert all(
            a <= b <= c for a, b, c in zip(zone.people.low, zone.people.middle, zone.people.high, strict=True)
        )
        assert zone.chances[0][3] > 0.9
        assert zone.because.people == pytest.approx(2000, rel=0.05)
        assert zone.because.gained == pytest.approx(2000 * (1 - np.exp(-30 / 120)), rel=0.1)
        assert zone.because.usual is None
        soon = outlooks.density_soon(DISTRICT, zone.zone_id)
        assert soon is not None
        assert soon[1] <= soon[0] <= soon[2]
        assert soon[0] * zone.usable_m2 == pytest.approx(zone.people.middle[0], rel=0.02)
    assert outlooks.density_soon(DISTRICT, "elsewhere") is None
    assert seen.district is not None
    for place, whole in enumerate(seen.district.middle):
        assert whole == pytest.approx(sum(zone.people.middle[place] for zone in seen.zones), abs=0.5)


def test_with_a_week_of_history_the_outlook_knows_what_is_usual(district: Database, make: Make) -> None:
    now_ms = clock.to_ms(clock.now()) // 900_000 * 900_000
    rows = []
    for back in range(1, 9 * 96):
        at_ms = now_ms - back * 900_000
        evening = 1000 + 800 * float(np.cos((at_ms / 3_600_000 - 20) / 24 * 2 * np.pi))
        rows += [
            (DISTRICT, f"z{i}", 900, at_ms, evening, evening, evening, evening / 1000, 0) for i in range(3)
        ]
    district.bulk(DISTRICT, lambda connection: put_all(connection, zone_history_table, rows))
    kept(
        district,
        lambda back: 1000 + 800 * float(np.cos((now_ms / 3_600_000 - back / 60 - 20) / 24 * 2 * np.pi)),
        600,
    )
    for country in ("CN", "XX"):
        outlooks = watched(district, make)
        engine = outlooks._watch.find(DISTRICT)
        assert engine is not None
        engine.place = replace(engine.place, district=replace(engine.place.district, country=country))
        seen = outlooks.renew(DISTRICT)
        assert seen is not None
        assert seen.basis == "weeks"
        for zone in seen.zones:
            for horizon_s, middle in zip(HORIZONS_S, zone.people.middle, strict=True):
                at_h = clock.to_ms(clock.now()) / 3_600_000 + horizon_s / 3600
                assert middle == pytest.approx(1000 + 800 * np.cos((at_h - 20) / 24 * 2 * np.pi), rel=0.12)


def test_nobody_is_expected_whom_gates_cannot_bring_and_ground_cannot_hold(
    district: Database, make: Make
) -> None:
    kept(district, lambda back: 4000 * 1.5 ** (-back / 10), 60)
    outlooks = watched(district, make)
    engine = outlooks._watch.find(DISTRICT)
    assert engine is not None
    gates = {id: replace(gate, width_m=1.0) for id, gate in engine.place.gates.items()}
    engine.place = replace(engine.place, gates=gates)
    seen = outlooks.renew(DISTRICT)
    assert seen is not None
    assert seen.district is not None
    minutes = np.array(HORIZONS_S) / 60
    now = sum(zone.because.people for zone in seen.zones)
    assert (np.array(seen.district.high) <= now + 2 * 82 * minutes + 1).all()
    assert seen.district.middle[0] > now
    for zone in seen.zones:
        assert (np.array(zone.people.high) <= zone.because.people + 2 * 82 * minutes + 1).all()
        assert max(zone.people.high) <= max(7 * zone.usable_m2, zone.because.people) + 1


def test_without_a_past_the_outlook_says_that_it_guesses(district: Database, make: Make) -> None:
    seen = watched(district, make).renew(DISTRICT)
    assert seen is not None
    assert seen.basis == "guess"
    assert watched(district, make).renew("nowhere") is None


def test_the_next_two_days_are_told_by_the_hour_once_something_is_usual(
    district: Database, make: Make
) -> None:
    outlooks = watched(district, make)
    outlooks.renew(DISTRICT)
    assert outlooks.day_ahead(DISTRICT) is None
    now_ms = clock.to_ms(clock.now()) // 900_000 * 900_000
    busy = np.random.default_rng(4).lognormal(0, 0.25, 21)
    rows = []
    for back in range(1, 20 * 96):
        at_ms = now_ms - back * 900_000
        evening = (1000 + 800 * float(np.cos((at_ms / 3_600_000 - 20) / 24 * 2 * np.pi))) * float(
            busy[back // 96]
        )
        rows += [
            (DISTRICT, f"z{i}", 900, at_ms, evening, evening, evening, evening / 1000, 0) for i in range(3)
        ]
    district.bulk(DISTRICT, lambda connection: put_all(connection, zone_history_table, rows))
    outlooks = watched(district, make)
    outlooks.renew(DISTRICT)
    told = outlooks.day_ahead(DISTRICT)
    assert told is not None
    assert (len(told.at_ms), told.people.shape) == (48, (3, 48, 3))
    assert 0 < told.at_ms[0] - clock.to_ms(clock.now()) <= 3_600_000
    middle, low, high = told.people[0].T
    usual = 1000 + 800 * np.cos((np.array(told.at_ms) / 3_600_000 - 20) / 24 * 2 * np.pi)
    assert np.abs(middle / usual - 1).mean() < 0.25
    assert (low < middle).all()
    assert (middle < high).all()
    assert ((low < usual) & (usual < high)).mean() > 0.7
