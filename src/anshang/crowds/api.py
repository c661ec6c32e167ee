"""The live crowd over HTTP: the present, levels and cards, what people do about them, and the sensors."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import Field, StringConstraints

from anshang.crowds import actions, store
from anshang.crowds.calls import Ahead, Crowd
from anshang.crowds.cards import CARDS
from anshang.crowds.model import MOVING, STANDING, Cause, LevelRules, Measure, Sensor, SensorKind, ZoneState
from anshang.crowds.watch import sensor_health
from anshang.foundation.actor import Permission
from anshang.foundation.errors import BadInput, NotFound
from anshang.web.session import Caller, DistrictQuery
from anshang.web.shapes import Body, BothLanguages, Code, Id, KeptName, Shown

router = APIRouter(prefix="/api/crowd", tags=["crowd"])
Density = Annotated[float, Field(gt=0, le=12)]
Wait = Annotated[float, Field(ge=0, le=7200)]
Four = Annotated[list[Density], Field(min_length=4, max_length=4)]
FourWaits = Annotated[list[Wait], Field(min_length=4, max_length=4)]
AppliesTo = Annotated[str, StringConstraints(pattern=r"^(\*moving|\*standing|[a-z0-9][a-z0-9._-]{0,63})$")]


class RulesShown(Shown):
    """When a zone, or a kind of space, changes its level; `own` False for a default, whose `edition` is
    empty.
    """

    applies_to: str
    own: bool
    edition: str
    rises: list[float]
    falls: list[float]
    rise_after_s: list[float]
    fall_after_s: list[float]


class NewRules(Body):
    """Rules to set; null goes back to the default. `edition` as they were shown, empty where there were no
    own ones.
    """

    applies_to: AppliesTo
    edition: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{0,16}$")]
    rises: Four | None = None
    falls: Four | None = None
    rise_after_s: FourWaits | None = None
    fall_after_s: FourWaits | None = None


class StepShown(Shown):
    """One thing to do."""

    id: str
    en: str
    zh: str


class CardShown(Shown):
    """What a level asks for."""

    level: int
    who: BothLanguages
    steps: list[StepShown]


class MeasureShown(Shown):
    """Something done about a crowd and its effect, beside what was expected without it; `cause` is measure,
    clock or despite.
    """

    id: str
    zone_id: str
    matter_id: str | None
    step: str | None
    note: str
    taken_at: datetime
    taken_by: str
    density_before: float | None
    density_after: float | None
    judged_at: datetime | None
    density_expected: float | None
    density_expected_low: float | None
    density_expected_high: float | None
    cause: Cause | None


class NewMeasure(Body):
    """Something that was just done."""

    id: Id
    matter_id: Id | None = None
    step: Annotated[str, StringConstraints(pattern=r"^[a-z_.]{1,40}$")] | None = None
    note: Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00]*$")] = ""


class NewCount(Body):
    """A count made by eye."""

    id: Id
    people: Annotated[int, Field(ge=0, le=1_000_000)]
    error_share: Annotated[float, Field(ge=0.01, le=1)] = 0.1


class StateShown(Shown):
    """What was decided about a zone."""

    id: str
    level: int
    since_at: datetime
    confirmed: bool
    may_fall: bool


class SensorShown(Shown):
    """A sensor and how it is."""

    id: str
    kind: str
    gate_id: str | None
    zone_id: str | None
    name_zh: str
    name_en: str
    period_s: float
    share_seen: float
    error_share: float
    retired_at: datetime | None
    version: int
    state: str
    last_at: datetime | None
    skew_s: float | None


class NewSensor(Body):
    """A sensor to enter or change; `version` of the one changed."""

    kind: SensorKind = Field(strict=False)
    gate_id: Code | None = None
    zone_id: Code | None = None
    name_zh: KeptName
    name_en: KeptName
    period_s: Annotated[float, Field(ge=1, le=3600)]
    share_seen: Annotated[float, Field(gt=0, le=1)] = 1.0
    error_share: Annotated[float, Field(ge=0, le=1)] = 0.05
    version: Annotated[int, Field(ge=1, le=2**31 - 1)] = 1


@router.get("", response_model=dict[str, Any])
def present(district: DistrictQuery, caller: Caller, crowd: Crowd) -> Response:
    """The whole present state, as the stream's full frame; 404 until the district is watched."""
    caller.actor.must(Permission.CROWD_READ, district)
    frame = crowd.full_frame(district)
    if frame is None:
        raise NotFound(
            "crowd.unwatched",
            en="This district is not being watched yet; try again in a moment.",
            zh="该商圈尚未开始监测，请稍后再试。",
        )
    return Response(frame, media_type="application/json")


@router.get("/levels")
def levels(district: DistrictQuery, caller: Caller) -> list[RulesShown]:
    """The defaults for moving and standing space, and the district's own rules."""
    caller.actor.must(Permission.CROWD_READ, district)
    with caller.reading(district) as connection:
        own = store.list_rules(connection, district)
    rules = {"*moving": MOVING, "*standing": STANDING} | own
    return [
        RulesShown(
            applies_to=applies_to,
            own=applies_to in own,
            edition=rule.edition if applies_to in own else "",
            rises=list(rule.rises),
            falls=list(rule.falls),
            rise_after_s=list(rule.rise_after_s),
            fall_after_s=list(rule.fall_after_s),
        )
        for applies_to, rule in sorted(rules.items())
    ]


@router.put("/levels", status_code=204)
def change_levels(body: NewRules, district: DistrictQuery, caller: Caller, crowd: Crowd) -> None:
    """Set or reset the rules of a zone or of a kind of space."""
    rules = None
    if (body.rises is None) != (body.falls is None):
        raise BadInput(
            "levels.half",
            en="Give both “rises” and “falls”, or neither to go back to the default.",
            zh="请同时给出 rises 和 falls；都不给则恢复默认值。",
        )
    if body.rises is not None and body.falls is not None:
        rules = LevelRules(
            rises=_four(body.rises),
            falls=_four(body.falls),
            rise_after_s=_four(body.rise_after_s or list(MOVING.rise_after_s)),
            fall_after_s=_four(body.fall_after_s or list(MOVING.fall_after_s)),
        )
    with caller.writing(district) as tx:
        actions.change_levels(
            tx, actor=caller.actor, applies_to=body.applies_to, rules=rules, edition=body.edition
        )
    crowd.load(district)


@router.get("/cards")
def cards(district: DistrictQuery, caller: Caller) -> list[CardShown]:
    """The action card of each level."""
    caller.actor.must(Permission.CROWD_READ, district)
    return [
        CardShown(
            level=int(card.level),
            who=BothLanguages(en=card.who_en, zh=card.who_zh),
            steps=[StepShown.model_validate(step) for step in card.steps],
        )
        for card in CARDS
    ]


@router.get("/zones/{zone}/measures")
def measures(zone: Code, district: DistrictQuery, caller: Caller) -> list[MeasureShown]:
    """What was done in the zone, newest first, with the density before and after; by whom and in which
    words only for the duty team.
    """
    caller.actor.must(Permission.CROWD_READ, district)
    hidden = {} if caller.actor.sees_every_body else {"note": "", "taken_by": "", "matter_id": None}
    with caller.reading(district) as connection:
        taken = store.list_measures(connection, district, zone)
    return [_shown(measure).model_copy(update=hidden) for measure in taken]


@router.post("/zones/{zone}/measures")
def take_measure(
    zone: Code, body: NewMeasure, district: DistrictQuery, caller: Caller, crowd: Crowd, ahead: Ahead
) -> MeasureShown:
    """Record that something was done."""
    density = crowd.density_of(district, zone)
    expected = ahead.density_soon(district, zone)
    with caller.writing(district, body) as tx:
        measure = actions.take_measure(
            tx, actor=caller.actor, zone_id=zone, density=density, expected=expected, **body.model_dump()
        )
    return _shown(measure)


@router.post("/zones/{zone}/confirm")
def confirm(zone: Code, district: DistrictQuery, caller: Caller, crowd: Crowd) -> StateShown:
    """Confirm that level 4 is real."""
    with caller.writing(district) as tx:
        state = actions.confirm_level(tx, actor=caller.actor, zone_id=zone)
        tx.after_commit.append(lambda: crowd.decide(district, state))
    return _shown_state(state)


@router.post("/zones/{zone}/lower")
def lower(zone: Code, district: DistrictQuery, caller: Caller, crowd: Crowd) -> StateShown:
    """Allow level 4 to fall."""
    with caller.writing(district) as tx:
        state = actions.lower_level(tx, actor=caller.actor, zone_id=zone)
        tx.after_commit.append(lambda: crowd.decide(district, state))
    return _shown_state(state)


@router.post("/zones/{zone}/count", status_code=204)
def count(zone: Code, body: NewCount, district: DistrictQuery, caller: Caller, crowd: Crowd) -> None:
    """Take a count made by eye."""
    with caller.writing(district, body) as tx:
        counted = actions.count_by_person(
            tx,
            actor=caller.actor,
            id=body.id,
            zone_id=zone,
            people_count=body.people,
            error_share=body.error_share,
        )
        tx.after_commit.append(lambda: crowd.count_by_person(district, counted))


@router.get("/sensors")
def sensors(district: DistrictQuery, caller: Caller, crowd: Crowd) -> list[SensorShown]:
    """The sensors, also the retired ones, and how each is."""
    caller.actor.must(Permission.CROWD_READ, district)
    with caller.reading(district) as connection:
        known = store.list_sensors(connection, district, retired=True)
    engine = crowd.find(district)
    return [_shown_sensor(sensor, sensor_health(engine, sensor)) for sensor in known]


@router.put("/sensors/{id}")
def define_sensor(
    id: Code, body: NewSensor, district: DistrictQuery, caller: Caller, crowd: Crowd
) -> SensorShown:
    """Enter a sensor or change it."""
    with caller.writing(district) as tx:
        told = Sensor(id=id, district_id=district, **body.model_dump())
        sensor = actions.define_sensor(tx, actor=caller.actor, sensor=told)
    crowd.load(district)
    return _shown_sensor(sensor, sensor_health(crowd.find(district), sensor))


@router.delete("/sensors/{id}")
def retire_sensor(id: Code, district: DistrictQuery, caller: Caller, crowd: Crowd) -> SensorShown:
    """Take a sensor down; its counts stay."""
    with caller.writing(district) as tx:
        sensor = actions.retire_sensor(tx, actor=caller.actor, id=id)
    crowd.load(district)
    return _shown_sensor(sensor, {})


def _four(numbers: list[float]) -> tuple[float, float, float, float]:
    a, b, c, d = numbers
    return (a, b, c, d)


def _shown(measure: Measure) -> MeasureShown:
    return MeasureShown.model_validate(measure)


def _shown_state(state: ZoneState) -> StateShown:
    return StateShown.model_validate(state)


def _shown_sensor(sensor: Sensor, health: dict[str, Any]) -> SensorShown:
    fields = {name: getattr(sensor, name) for name in SensorShown.model_fields if hasattr(sensor, name)}
    state = "retired" if sensor.retired_at else health.get("state", "never")
    return SensorShown(**fields, state=state, last_at=health.get("last_at"), skew_s=health.get("skew_s"))
