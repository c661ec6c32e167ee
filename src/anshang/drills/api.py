"""Drills over HTTP: begin, end, and how each went."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import StringConstraints
from sqlalchemy import Connection

from anshang.crowds.calls import Crowd
from anshang.drills import actions, score, store
from anshang.drills.model import Drill, Step
from anshang.drills.sample import sample
from anshang.drills.scenario import read_scenario
from anshang.foundation import ids
from anshang.foundation.actor import Permission
from anshang.places import store as places
from anshang.places.model import Place
from anshang.vault.calls import Keys
from anshang.web.session import Call, Caller, DistrictQuery
from anshang.web.shapes import Body, Id, Shown

router = APIRouter(prefix="/api/drills", tags=["drills"])


class NewDrill(Body):
    """A drill to begin, with its scenario (TOML)."""

    id: Id
    scenario: Annotated[str, StringConstraints(min_length=1, max_length=100_000, pattern=r"^[^\x00]*$")]


class InjectShown(Shown):
    """What a scenario brings: a call by its words, a zone by its name; `inject` is its words or code."""

    inject: str
    name_zh: str
    name_en: str


class StepShown(InjectShown):
    """A step of an inject: the target, the time it took (null: not yet, or never), and whether in time."""

    step: str
    target_s: float
    took_s: float | None
    met: bool


class RealShown(Shown):
    """How long a step took in real incidents of the last ninety days: the middle one, of how many."""

    step: str
    median_s: float
    n: int


class DrillShown(Shown):
    """A drill with its steps, so far or for good, and the injects that could not be played; `copy_id` is the
    district on which it plays, or played.
    """

    id: str
    copy_id: str
    name_zh: str
    name_en: str
    minutes: float
    begun_at: datetime
    ended_at: datetime | None
    steps: list[StepShown]
    not_played: list[InjectShown]


class DrillsShown(Shown):
    """The district's drills, the latest first; real times beside them; a scenario to begin with."""

    drills: list[DrillShown]
    real: list[RealShown]
    sample: str


@router.get("")
def drills(district: DistrictQuery, caller: Caller) -> DrillsShown:
    """The drills and how each went."""
    caller.actor.must(Permission.DRILL_LEAD, district)
    return _shown(caller, district)


@router.post("")
def begin(
    body: NewDrill, district: DistrictQuery, caller: Caller, keyring: Keys, crowd: Crowd
) -> DrillsShown:
    """Begin a drill on a copy of the district."""
    actions.begin(
        caller.runtime.database,
        keyring,
        actor=caller.actor,
        district_id=district,
        id=body.id,
        scenario=body.scenario,
    )
    crowd.refresh(ids.drill_of(district, body.id))
    return _shown(caller, district)


@router.post("/{id}/end")
def end(id: Id, district: DistrictQuery, caller: Caller, keyring: Keys, crowd: Crowd) -> DrillsShown:
    """End it before its time."""
    actions.end(caller.runtime.database, keyring, actor=caller.actor, district_id=district, id=id)
    crowd.let_go(ids.drill_of(district, id))
    return _shown(caller, district)


def _shown(caller: Call, district_id: str) -> DrillsShown:
    with caller.runtime.database.reading([district_id]) as connection:
        known = store.list_drills(connection, district_id)
    copies = [ids.drill_of(district_id, one.id) for one in known if one.ended_at is None]
    with caller.runtime.database.reading([district_id, *copies]) as connection:
        place = places.load(connection, district_id)
        return DrillsShown(
            drills=[_drill(connection, drill, place) for drill in known],
            real=[
                RealShown(step=str(step), median_s=real.median_s, n=real.n)
                for step, real in score.real_times(connection, district_id).items()
            ],
            sample=sample(place),
        )


def _drill(connection: Connection, drill: Drill, place: Place) -> DrillShown:
    scenario = read_scenario(drill.scenario)
    timed = drill.score
    if timed is None:
        timed = score.kept(score.timed(connection, drill, scenario))
    named = [step | _name(step["inject"], place) for step in timed]
    return DrillShown(
        id=drill.id,
        copy_id=ids.drill_of(drill.district_id, drill.id),
        name_zh=drill.name_zh,
        name_en=drill.name_en,
        minutes=scenario.minutes,
        begun_at=drill.begun_at,
        ended_at=drill.ended_at,
        steps=[StepShown.model_validate(step) for step in named if step["step"] != Step.NOT_PLAYED],
        not_played=[InjectShown.model_validate(step) for step in named if step["step"] == Step.NOT_PLAYED],
    )


def _name(inject: str, place: Place) -> dict[str, str]:
    """A zone's name as it is now; the words of a call, or the code of a zone that is no more, as they are."""
    zone = place.zones.get(inject)
    return {
        "name_zh": inject if zone is None else zone.name_zh,
        "name_en": inject if zone is None else zone.name_en,
    }
