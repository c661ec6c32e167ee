"""Counts added up: rows of many sensors folded into buckets of time, as columns of whole numbers.

Pure: numbers in, numbers out. Folding is associative: minutes folded into hours are the hours of the rows, so
every answer can be put together from whatever is at hand. O(n) time for n rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

NOBODY = -1
"""Stands in a people column where no head was counted."""
PEOPLE_BITS = 20
"""A head count stays below 2**20, so that instant and count fit into one number whose largest is the last."""


class Sums(NamedTuple):
    """Rows or buckets (N), each of one sensor; `sensor` indexes `sensor_ids`.

    `at_ms` is the row's instant or the bucket's begin, `last_ms` the newest row in it. `people_sum` adds up
    the `people_rows` rows with a head count; `people_last` and `people_max` are NOBODY when there is none.
    """

    sensor_ids: list[str]
    sensor: Ints
    at_ms: Ints
    last_ms: Ints
    in_count: Ints
    out_count: Ints
    people_last: Ints
    people_max: Ints
    people_sum: Ints
    people_rows: Ints
    row_count: Ints


def empty() -> Sums:
    """No rows."""
    return Sums([], *(np.zeros(0, np.int64) for _ in Sums._fields[1:]))


def of_rows(
    sensor_ids: list[str], sensor: Ints, at_ms: Ints, in_count: Ints, out_count: Ints, people: Ints
) -> Sums:
    """Single rows as sums of one; `people` is NOBODY for a passage."""
    seen = people >= 0
    one = np.ones(len(at_ms), np.int64)
    return Sums(
        sensor_ids,
        sensor,
        at_ms,
        at_ms,
        in_count,
        out_count,
        people,
        people,
        np.where(seen, people, 0),
        seen.astype(np.int64),
        one,
    )


def join(parts: Sequence[Sums]) -> Sums:
    """All parts as one, over the union of their sensors."""
    parts = [part for part in parts if len(part.at_ms)]
    if not parts:
        return empty()
    if len(parts) == 1:
        return parts[0]
    sensor_ids = sorted({id for part in parts for id in part.sensor_ids})
    index = {id: place for place, id in enumerate(sensor_ids)}
    sensors = [np.array([index[id] for id in part.sensor_ids], np.int64)[part.sensor] for part in parts]
    rest = [np.concatenate(columns) for columns in zip(*(part[2:] for part in parts), strict=True)]
    return Sums(sensor_ids, np.concatenate(sensors), *rest)


def fold(sums: Sums, step_ms: int) -> Sums:
    """The sums of each sensor's buckets of `step_ms`, counted from 1970, ordered by bucket, then sensor."""
    if not len(sums.at_ms):
        return sums
    begin_ms = sums.at_ms - sums.at_ms % step_ms
    first_ms = int(begin_ms.min())
    cells = (begin_ms - first_ms) // step_ms * len(sums.sensor_ids) + sums.sensor
    cell, group = _groups(cells)
    count = len(cell)
    instant = sums.last_ms - first_ms
    newest = _largest(instant, group, count)
    counted = sums.people_last >= 0
    last = _largest(
        np.where(counted, instant << PEOPLE_BITS | np.maximum(sums.people_last, 0), NOBODY), group, count
    )
    return Sums(
        sums.sensor_ids,
        cell % len(sums.sensor_ids),
        cell // len(sums.sensor_ids) * step_ms + first_ms,
        newest + first_ms,
        _total(sums.in_count, group, count),
        _total(sums.out_count, group, count),
        np.where(last >= 0, last & ((1 << PEOPLE_BITS) - 1), NOBODY),
        _largest(sums.people_max, group, count),
        _total(sums.people_sum, group, count),
        _total(sums.people_rows, group, count),
        _total(sums.row_count, group, count),
    )


def pick(sums: Sums, chosen: npt.NDArray[np.bool_]) -> Sums:
    """The chosen rows."""
    return Sums(sums.sensor_ids, *(column[chosen] for column in sums[1:]))


def cut(sums: Sums, begin: int, end: int) -> Sums:
    """The rows from `begin` to before `end`."""
    return Sums(sums.sensor_ids, *(column[begin:end] for column in sums[1:]))


def _groups(cells: Ints) -> tuple[Ints, Ints]:
    """The distinct cells in order, and the place of each row's cell among them.

    A table over all possible cells is several times faster than sorting, as long as it is not much larger
    than the rows.
    """
    highest = int(cells.max()) + 1
    if highest > 4 * len(cells) + 1024:
        cell, group = np.unique(cells, return_inverse=True)
        return cell, group.astype(np.int64)
    used = np.zeros(highest, bool)
    used[cells] = True
    return np.flatnonzero(used), (np.cumsum(used) - 1)[cells]


def _total(values: Ints, group: Ints, count: int) -> Ints:
    """Sums by group; exact, because a float holds whole numbers below 2**53."""
    return np.bincount(group, weights=values, minlength=count).astype(np.int64)


def _largest(values: Ints, group: Ints, count: int) -> Ints:
    largest = np.full(count, NOBODY, np.int64)
    np.maximum.at(largest, group, values)
    return largest
