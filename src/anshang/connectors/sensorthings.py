"""OGC SensorThings observations (API 1.1, 20-002) as rows of a batch.

A head counter's result is a whole number, a line counter's `{"in": 3, "out": 1}`. The instant is that of
`phenomenonTime`, of an interval its end, or that of `resultTime` when there is none. All else in an
observation (parameters, links) is ignored.
"""

from __future__ import annotations

import re

import msgspec

from anshang.crowds.ingest import Row

_DATASTREAM = re.compile(r"Datastreams\('?([^()']{1,64})'?\)")


class Passages(msgspec.Struct, rename={"in_": "in"}, forbid_unknown_fields=True):
    """A line counter's result."""

    in_: int
    out: int


class SensorThing(msgspec.Struct, rename="camel"):
    """What we read of an Observation."""

    result: int | float | Passages
    phenomenon_time: str | None = None
    result_time: str | None = None


_decode = msgspec.json.Decoder(SensorThing).decode


def sensor_of(level: str) -> str | None:
    """The sensor that a topic's level `Datastreams(g07)` names (quotes allowed), None when it names none."""
    named = _DATASTREAM.fullmatch(level)
    return None if named is None else named.group(1)


def read_observation(sensor_id: str, content: bytes) -> Row | str:
    """The row of an Observation (JSON), or why there is none, a code of `ingest.REASONS`."""
    try:
        thing = _decode(content)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return "row.malformed"
    at = (thing.phenomenon_time or thing.result_time or "").rpartition("/")[2]
    if isinstance(thing.result, Passages):
        return Row(sensor_id, at, in_=thing.result.in_, out=thing.result.out)
    if isinstance(thing.result, float) and not thing.result.is_integer():
        return "count.malformed"
    return Row(sensor_id, at, people=int(thing.result))
