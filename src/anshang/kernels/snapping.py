"""From a position to the nearest place on a street.

Units: local metres; a place on an edge is the edge and the share of its length from its first end.
Method: a grid of square cells lists the segments that touch each; the block of cells around a position holds
everything within its margin, so the nearest found within the margin is the nearest there is, and else the
block is doubled. Complexity: O(segments + cells they touch) to prepare; per position O(segments near it).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Numbers = NDArray[np.intp]

CELL_M = 50.0
FAR_M = 250.0
"""Who is farther than this from every street is nowhere on the graph."""


@dataclass(frozen=True, slots=True)
class Spots:
    """p places on streets: `edge` (-1: on none), `along` 0…1 from its first end, `off_m` away from it."""

    edge: Numbers
    along: Reals
    off_m: Reals

    def __len__(self) -> int:
        return len(self.edge)

    def taken(self, which: NDArray[np.intp] | NDArray[np.bool_]) -> Spots:
        """Some of them, by their numbers or a mask."""
        return Spots(self.edge[which], self.along[which], self.off_m[which])


@dataclass(frozen=True, slots=True)
class StreetIndex:
    """s segments from `start_m` (s, 2) to `end_m`, each a share of an edge, and the cells that list them."""

    start_m: Reals
    end_m: Reals
    edge: Numbers
    along_start: Reals
    along_end: Reals
    corner_m: Reals
    columns: int
    rows: int
    first_member: Numbers
    members: Numbers


def index_streets(points_m: Reals, first_point: Numbers) -> StreetIndex:
    """The index of e polylines: points (q, 2), `first_point` (e + 1) says where each begins; e ≥ 1."""
    inner = np.ones(len(points_m) - 1, dtype=bool)
    inner[first_point[1:-1] - 1] = False
    start_m, end_m = points_m[:-1][inner], points_m[1:][inner]
    edge = np.repeat(np.arange(len(first_point) - 1), np.diff(first_point) - 1)
    run_m = np.maximum(np.hypot(*(end_m - start_m).T), 1e-6)
    until_m = np.cumsum(run_m)
    total_m = np.bincount(edge, run_m)
    before_m = np.cumsum(total_m) - total_m
    along_end = (until_m - before_m[edge]) / total_m[edge]
    along_start = (until_m - run_m - before_m[edge]) / total_m[edge]
    corner_m = points_m.min(axis=0)
    columns, rows = np.asarray((points_m.max(axis=0) - corner_m) // CELL_M, dtype=np.intp) + 1
    first, members = _listed(start_m - corner_m, end_m - corner_m, int(columns), int(rows))
    return StreetIndex(
        start_m, end_m, edge, np.clip(along_start, 0, 1), np.clip(along_end, 0, 1),
        corner_m, int(columns), int(rows), first, members,
    )  # fmt: skip


def snap(index: StreetIndex, x_y_m: Reals, passable: NDArray[np.bool_] | None = None) -> Spots:
    """The nearest place on a street for each of p positions (p, 2), the lowest edge where two are as near.

    `passable` (e) leaves edges out. Farther than FAR_M from every street, or nowhere: edge -1, off_m inf.
    """
    spots = Spots(np.full(len(x_y_m), -1, dtype=np.intp), np.zeros(len(x_y_m)), np.full(len(x_y_m), np.inf))
    left = np.flatnonzero(np.isfinite(x_y_m).all(axis=1))
    margin = 1
    while left.size:
        sought_m = min(margin * CELL_M, FAR_M)
        found, edge, along, off_m = _nearest(index, x_y_m[left], margin, passable)
        near = off_m <= sought_m
        found = left[found[near]]
        spots.edge[found], spots.along[found], spots.off_m[found] = edge[near], along[near], off_m[near]
        left = left[spots.edge[left] < 0] if sought_m < FAR_M else left[:0]
        margin *= 2
    return spots


def ragged(first: Numbers, count: Numbers) -> Numbers:
    """The numbers first[i] … first[i] + count[i] - 1 of every i, one after the other."""
    ends = np.cumsum(count)
    total = int(ends[-1]) if len(ends) else 0
    numbers: Numbers = np.arange(total) + np.repeat(first - ends + count, count)
    return numbers


def _listed(start_m: Reals, end_m: Reals, columns: int, rows: int) -> tuple[Numbers, Numbers]:
    """Which segments touch each cell (by their boxes): where each cell's list begins, and the lists."""
    low = np.asarray(np.minimum(start_m, end_m) // CELL_M, dtype=np.intp)
    high = np.asarray(np.maximum(start_m, end_m) // CELL_M, dtype=np.intp)
    wide, tall = (high - low + 1).T
    row = ragged(low[:, 1], tall)
    segment = np.repeat(np.arange(len(low)), tall)
    cell = ragged(row * columns + low[segment, 0], wide[segment])
    member = np.repeat(segment, wide[segment])
    order = np.argsort(cell, kind="stable")
    return np.searchsorted(cell[order], np.arange(columns * rows + 1)), member[order]


def _nearest(
    index: StreetIndex, x_y_m: Reals, margin: int, passable: NDArray[np.bool_] | None
) -> tuple[Numbers, Numbers, Reals, Reals]:
    """Of the positions that have a segment within the margin of cells: number, edge, along, off_m."""
    point, segment = _around(index, x_y_m, margin)
    if passable is not None:
        kept = passable[index.edge[segment]]
        point, segment = point[kept], segment[kept]
    start_m, run_m = index.start_m[segment], index.end_m[segment] - index.start_m[segment]
    towards_m = x_y_m[point] - start_m
    squared = np.maximum((run_m * run_m).sum(axis=1), 1e-12)
    share = np.clip((towards_m * run_m).sum(axis=1) / squared, 0.0, 1.0)
    off_m = np.hypot(*(towards_m - share[:, None] * run_m).T)
    begins = np.flatnonzero(np.diff(point, prepend=-1))
    if not begins.size:
        return point, segment, share, off_m
    least = np.repeat(np.minimum.reduceat(off_m, begins), np.diff(begins, append=len(point)))
    rank = np.where(off_m <= least, np.arange(len(off_m)), len(off_m))
    lowest = np.where(off_m <= least, segment, len(index.edge))
    lowest = np.repeat(np.minimum.reduceat(lowest, begins), np.diff(begins, append=len(point)))
    best = np.minimum.reduceat(np.where(segment == lowest, rank, len(off_m)), begins)
    chosen = segment[best]
    run = index.along_end[chosen] - index.along_start[chosen]
    return point[best], index.edge[chosen], index.along_start[chosen] + share[best] * run, off_m[best]


def _around(index: StreetIndex, x_y_m: Reals, margin: int) -> tuple[Numbers, Numbers]:
    """Pairs (position, segment) of the blocks of cells around the positions, in the order of positions."""
    column, row = np.asarray((x_y_m - index.corner_m) // CELL_M, dtype=np.intp).T
    rows = row[:, None] + np.arange(-margin, margin + 1)
    west = np.clip(column - margin, 0, index.columns)[:, None]
    east = np.clip(column + margin + 1, 0, index.columns)[:, None]
    inside = (rows >= 0) & (rows < index.rows)
    base = np.where(inside, rows, 0) * index.columns
    first = index.first_member[base + west]
    count = np.where(inside, index.first_member[base + east] - first, 0)
    point = np.repeat(np.arange(len(x_y_m)), count.sum(axis=1))
    return point, index.members[ragged(first.ravel(), count.ravel())]
