"""Who may be asked for what, with the rule; what the kinds are; why personal fields are kept."""

from __future__ import annotations

import dataclasses
import re
from datetime import date

import pytest
from tests.conftest import DISTRICT, NIGHT

from anshang.foundation.errors import RuleBroken
from anshang.incidents.categories import Task
from anshang.patrols.kinds import KINDS
from anshang.patrols.model import (
    PERSONAL,
    POLICE_ONLY,
    Duty,
    Member,
    Mode,
    Unit,
    UnitStatus,
    unfitness,
)

TODAY = date(2026, 12, 31)
WELL = Member("a", DISTRICT, date(2027, 1, 1), TODAY, adult=True)


def codes(kind: str, task: Task, *crew: Member | None) -> list[str]:
    return [reason.code for reason in unfitness(KINDS[kind], crew, task, TODAY)]


def test_only_the_police_separate_and_identify() -> None:
    for kind in KINDS.values():
        for task in POLICE_ONLY:
            assert (codes(kind.id, task, WELL) == []) == (kind.police and task in kind.tasks), (kind.id, task)
    (reason,) = unfitness(KINDS["volunteer"], [WELL], Task.IDENTIFY, TODAY)
    assert "Art. 30" in reason.rule


@pytest.mark.parametrize(
    ("member", "task", "missing"),
    [
        (WELL, Task.PATROL, []),
        (dataclasses.replace(WELL, insured_until=TODAY), Task.PATROL, []),
        (dataclasses.replace(WELL, insured_until=date(2026, 12, 30)), Task.PATROL, ["insurance"]),
        (dataclasses.replace(WELL, trained_until=None), Task.PATROL, ["training"]),
        (dataclasses.replace(WELL, adult=False), Task.LOOK, []),
        (dataclasses.replace(WELL, adult=False), Task.CROWD, ["age"]),
        (None, Task.CROWD, ["insurance", "training", "age"]),
    ],
)
def test_a_volunteer_is_insured_trained_and_of_age(
    member: Member | None, task: Task, missing: list[str]
) -> None:
    assert codes("volunteer", task, member) == missing
    assert codes("volunteer", task, WELL, member) == missing, "everybody of the crew, not one of them"
    for reason in unfitness(KINDS["volunteer"], [member], task, TODAY):
        assert re.search("[\u4e00-\u9fff]", reason.zh)
        assert "志愿服务条例" in reason.rule


def test_the_police_need_no_volunteers_papers() -> None:
    assert codes("officer_pair", Task.CROWD, None) == []


def test_the_kinds_are_sound() -> None:
    assert {"officer_pair", "rapid", "volunteer", "lookout", "safe_house", "patrol_car", "drone"} == set(
        KINDS
    )
    for kind in KINDS.values():
        assert (kind.speed_m_per_s > 0) == (kind.mode is not Mode.FIXED)
        assert kind.tasks


def test_every_personal_field_says_why_and_how_long_it_is_kept() -> None:
    personal = {f"Member.{field.name}" for field in dataclasses.fields(Member)} - {
        "Member.id", "Member.district_id", "Member.version",
    }  # fmt: skip
    assert set(PERSONAL) == personal | {"Duty.crew"}
    assert {field.name for field in dataclasses.fields(Duty)} == {
        "id", "district_id", "unit_id", "crew", "began_at", "ended_at", "version",
    }  # fmt: skip
    assert all(one.kind and one.purpose and one.retention for one in PERSONAL.values())


def test_a_unit_goes_on_and_off_duty() -> None:
    unit = Unit("u1", DISTRICT, "rapid", "K1", "快一", "Rapid 1", None, None, UnitStatus.OFF_DUTY, NIGHT)
    with pytest.raises(RuleBroken):
        unit.told(UnitStatus.BUSY, NIGHT)
    on = unit.begun("d", NIGHT)
    assert on.status is UnitStatus.FREE
    with pytest.raises(RuleBroken):
        on.begun("e", NIGHT)
    with pytest.raises(RuleBroken):
        dataclasses.replace(unit, retired_at=NIGHT).begun("d", NIGHT)
    assert on.told(UnitStatus.FREE, NIGHT) is on
    assert on.ended(NIGHT).duty_id is None
