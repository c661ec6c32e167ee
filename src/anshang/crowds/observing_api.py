"""Observations over HTTP: batches in, the history of a zone out."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response

from anshang.crowds import observations
from anshang.crowds.ingest import Intake
from anshang.foundation import clock
from anshang.foundation.actor import Permission
from anshang.foundation.errors import BadInput
from anshang.web.session import Caller, DistrictQuery, shared
from anshang.web.shapes import Code, Shown

router = APIRouter(tags=["crowd"])
POINTS_MAX = 3000
From = Annotated[datetime, Query(alias="from")]
To = Annotated[datetime, Query(alias="to")]
Step = Annotated[Literal["60", "300", "900", "3600"], Query(alias="step_s")]
_writers = ThreadPoolExecutor(8, thread_name_prefix="ingest")

_ROW = {
    "type": "object",
    "required": ["sensor", "at"],
    "additionalProperties": False,
    "properties": {
        "sensor": {"type": "string"},
        "at": {"type": "string", "format": "date-time"},
        "in": {"type": "integer"},
        "out": {"type": "integer"},
        "people": {"type": "integer"},
    },
}
_REMARKS = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "row": {"type": "integer"},
            "error": {"type": "string"},
            "message": {"type": "object"},
        },
    },
}
_BATCH = {
    "type": "object",
    "required": ["observations"],
    "additionalProperties": False,
    "properties": {"observations": {"type": "array", "maxItems": 10_000, "items": _ROW}},
}
_COUNTS = ("taken", "repeated", "refused_count", "flagged_count")
_RECEIPT = {
    "type": "object",
    "properties": {name: {"type": "integer"} for name in _COUNTS}
    | {"refused": _REMARKS, "flagged": _REMARKS},
}


class ZoneHistory(Shown):
    """A zone over time: columns of equal length; null where it was unknown."""

    step_s: int
    at: list[datetime]
    people: list[float | None]
    low: list[float | None]
    high: list[float | None]
    density: list[float | None]
    level: list[int | None]


class DistrictHistory(Shown):
    """A district over time: people in the zones that were known, and how many were not."""

    step_s: int
    at: list[datetime]
    people: list[float | None]
    unknown_zones: list[int]


Taking = Annotated[Intake, Depends(shared(Intake))]


@router.post(
    "/api/observations",
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": _BATCH}}}},
    responses={200: {"content": {"application/json": {"schema": _RECEIPT}}}},
)
async def take(request: Request, district: DistrictQuery, caller: Caller, intake: Taking) -> Response:
    """Take a batch of observations; what the answer calls taken is on disk."""
    batch = await request.body()
    receipt = await asyncio.get_running_loop().run_in_executor(
        _writers, lambda: intake.take(actor=caller.actor, district_id=district, batch=batch)
    )
    return Response(msgspec.json.encode(receipt), media_type="application/json")


@router.get("/api/crowd/history")
def district_history(
    district: DistrictQuery, caller: Caller, begins_at: From, ends_at: To, step: Step = "60"
) -> DistrictHistory:
    """People in the whole district in [from, to) by steps."""
    caller.actor.must(Permission.CROWD_READ, district)
    from_ms, to_ms, step_s = _window(begins_at, ends_at, step)
    with caller.reading(district) as connection:
        points = observations.district_history(connection, district, from_ms, to_ms, step_s)
    return DistrictHistory(
        step_s=step_s,
        at=[clock.from_ms(point.at_ms) for point in points],
        people=[point.people for point in points],
        unknown_zones=[point.unknown_zones for point in points],
    )


@router.get("/api/crowd/zones/{zone}/history")
def zone_history(
    zone: Code, district: DistrictQuery, caller: Caller, begins_at: From, ends_at: To, step: Step = "60"
) -> ZoneHistory:
    """People, interval, density and level of a zone in [from, to) by steps."""
    caller.actor.must(Permission.CROWD_READ, district)
    from_ms, to_ms, step_s = _window(begins_at, ends_at, step)
    with caller.reading(district) as connection:
        points = observations.zone_history(connection, district, zone, from_ms, to_ms, step_s)
    columns: dict[str, list[Any]] = {
        name: [getattr(point, name) for point in points]
        for name in ("people", "low", "high", "density", "level")
    }
    return ZoneHistory(step_s=step_s, at=[clock.from_ms(point.at_ms) for point in points], **columns)


def _window(begins_at: datetime, ends_at: datetime, step: str) -> tuple[int, int, int]:
    """From and to (ms) and the step (s); BadInput when that is too many steps, or none."""
    from_ms, to_ms, step_s = _ms(begins_at), _ms(ends_at), int(step)
    if not 0 < to_ms - from_ms <= POINTS_MAX * step_s * 1000:
        raise BadInput(
            "history.too_long",
            en=f"Ask for at most {POINTS_MAX} steps, and “from” before “to”.",
            zh=f"最多查询 {POINTS_MAX} 个步长，且“from”须早于“to”。",
        )
    return from_ms, to_ms, step_s


def _ms(at: datetime) -> int:
    """Milliseconds of an instant that should bear a zone; without one it is UTC."""
    try:
        return clock.to_ms(at if at.tzinfo is not None else at.replace(tzinfo=UTC))
    except OverflowError:
        raise BadInput(
            "history.no_such_time", en="There is no such time in UTC.", zh="UTC 中没有这一时刻。"
        ) from None
