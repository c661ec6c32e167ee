"""From hourly counts to what every sensor reports every 10 seconds: whole people, exactly conserved.

Method, a day (05:00 to 05:00) at a time, in blocks of 10 minutes:
 1. presence: people in a zone are proportional to the hourly counts of its recorded sensors (Little's law,
    a dwell time that does not change), set at the middle of each hour and joined by a monotone cubic (PCHIP);
 2. passing: a gate's count of an hour, both ways together, is the recorded count of its sensors times the
    gate's scale, rounded: exact. It is dealt to six blocks by a multinomial;
 3. direction: block after block, the net flows that bring everybody from where they are to where they are
    wanted and lean as little as possible on the gates, in proportion to their passing: a potential flow on
    the zone graph, the outside at zero. A block starts from whole people, so rounding errors do not add up;
 4. seconds: in and out are dealt to the 60 slots of a block by a multinomial with uneven weights
    (groups, traffic lights). A block in which a zone would fall below zero is dealt evenly instead.
Complexity: O(blocks · zones³ + slots · gates · zones) a day; about 0.4 s for 47 zones and 98 gates.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anshang.demonstration.records import Records
from anshang.demonstration.staging import RESIDENT_COUNT, Reals, Staging
from anshang.kernels.curves import monotone_cubic

Whole = NDArray[np.integer[Any]]

SLOT_S = 10
DAY_HOURS = 24
BLOCKS_PER_HOUR = 6
BLOCK_SLOTS = 60
DAY_BLOCKS = DAY_HOURS * BLOCKS_PER_HOUR
DAY_SLOTS = DAY_BLOCKS * BLOCK_SLOTS
_MARGIN_HOURS = 2
"""Hours read on both sides of a day, so that the curves of neighbouring days meet."""
GROUPING_SHAPE = 25.0
"""Of the gamma weights of slots: people come in groups and with traffic lights, 20 % up and down."""
LEAN_SHARE_MAX = 0.8
"""Of the people passing a gate in a block, how many more may go one way than the other, if possible."""
EASING_ROUNDS = 6
PEOPLE_MIN = 12
"""Fewer are never left in a zone at the end of a block: within it, even dealing may be off by one a gate."""
HEAD_NOISE_SHARE = 0.012
HEAD_BIAS_SHARE = 0.008


@dataclass(frozen=True, slots=True)
class Day:
    """What the sensors see from 05:00 to 05:00; slot n ends (n + 1) · 10 s after 05:00.

    `passed_in`, `passed_out`: (gates, slots). `people`: (zones, slots) at the end of each slot.
    `seen`: (heads, slots), what the head counters say of `people`. `passing`: (gates, 24), the documented
    hourly totals in + out. `opening`: (gates,), people counted in by 05:10 of the first day beyond `passing`.
    """

    passed_in: Whole
    passed_out: Whole
    people: Whole
    seen: Whole
    passing: Whole
    opening: Whole


def days(staging: Staging, records: Records, first_on: date, *, seed: int = 1) -> Iterator[Day]:
    """The days from `first_on` on, without end; the same for the same arguments."""
    people: Whole = np.zeros(len(staging.zone_ids), np.int64)
    for number in count():
        hours = records.hours_from(
            first_on, DAY_HOURS + 2 * _MARGIN_HOURS, offset=number * DAY_HOURS - _MARGIN_HOURS
        )
        rng = np.random.default_rng([seed, first_on.toordinal(), number])
        day = _day(staging, hours, people, rng, is_first=number == 0)
        yield day
        people = day.people[:, -1]


def _day(staging: Staging, counts: Reals, people: Whole, rng: np.random.Generator, *, is_first: bool) -> Day:
    presence = _presence(staging, counts)
    passing = np.rint(_gate_counts(staging, counts)[:, _MARGIN_HOURS:-_MARGIN_HOURS]).astype(np.int64)
    passing_block = _dealt_to_blocks(staging, counts, passing, rng)
    opening: Whole = np.zeros((len(staging.gate_ids), BLOCK_SLOTS), np.int64)
    if is_first:
        opening = _opening(staging, presence[:, 0], passing_block[:, 0])
    started = people + _change(staging, opening.sum(axis=1))
    ins = _directed(staging, passing_block, started, presence[:, 1:])
    passed_in = _dealt_to_slots(ins, rng)
    passed_out = _dealt_to_slots(passing_block - ins, rng)
    present = _kept_above_zero(staging, people, passed_in, passed_out, opening)
    passed_in[:, :BLOCK_SLOTS] += np.maximum(opening, 0)
    passed_out[:, :BLOCK_SLOTS] += np.maximum(-opening, 0)
    seen = _seen(staging, present, rng)
    return Day(passed_in, passed_out, present, seen, passing, np.abs(opening).sum(axis=1))


def _presence(staging: Staging, counts: Reals) -> Reals:
    """People wanted in each zone at the 145 ends of the day's blocks, shape (zones, 145)."""
    middles = np.arange(len(counts), dtype=np.float64) - _MARGIN_HOURS + 0.5
    at = np.arange(DAY_BLOCKS + 1) / BLOCKS_PER_HOUR
    return monotone_cubic(middles, (counts @ staging.zone_mix.T).T, at) + RESIDENT_COUNT


def _gate_counts(staging: Staging, counts: Reals) -> Reals:
    """The recorded counts behind each gate, scaled, shape (gates, hours)."""
    return (counts @ staging.gate_mix.T).T


def _dealt_to_blocks(staging: Staging, counts: Reals, passing: Whole, rng: np.random.Generator) -> Whole:
    """Hourly totals dealt to blocks, following the recorded counts from hour to hour, (gates, 144)."""
    middles = np.arange(len(counts), dtype=np.float64) - _MARGIN_HOURS + 0.5
    at = (np.arange(DAY_BLOCKS) + 0.5) / BLOCKS_PER_HOUR
    rates = monotone_cubic(middles, _gate_counts(staging, counts), at) + 1e-9
    weights = rates.reshape(len(passing), DAY_HOURS, BLOCKS_PER_HOUR)
    dealt = rng.multinomial(passing, weights / weights.sum(axis=2, keepdims=True))
    return dealt.reshape(len(passing), DAY_BLOCKS)


def net_flows(joins: Reals, passing: Whole, change: Reals) -> Reals:
    """The least-squares flows that make the wanted change: min Σ f²/ease with joins · f = change.

    `passing` is (gates,), `change` (zones,); the answer (gates,) is people into each gate's first zone. The
    ease is the passing at first; a gate that would have to lead more people one way than may pass it is made
    harder, so that others take over. Every zone must reach the outside through gates.
    """
    most = passing + 1.0
    ease = most
    for _ in range(EASING_ROUNDS):
        potential = np.linalg.solve((joins * ease) @ joins.T, change)
        flows: Reals = ease * (potential @ joins)
        lean = np.abs(flows) / (LEAN_SHARE_MAX * most)
        if lean.max() <= 1.0:
            break
        ease = ease / np.maximum(1.0, lean)
    return flows


def _change(staging: Staging, net: Whole) -> Whole:
    """What net passings (gates, …) change in the zones (zones, …)."""
    return np.rint(staging.joins @ net).astype(np.int64)


def _opening(staging: Staging, present: Reals, passing: Whole) -> Whole:
    """The people already there at 05:00, let in through the gates: a few at once, the rest within 10 minutes.

    So conservation holds from nothing on. Net passings, shape (gates, 60).
    """
    residents = np.full(len(present), float(RESIDENT_COUNT))
    at_once = np.rint(net_flows(staging.joins, passing, residents))
    rest = net_flows(staging.joins, passing, present - residents)
    parts = np.arange(1, BLOCK_SLOTS) / (BLOCK_SLOTS - 1)
    steps = np.diff(np.rint(rest[:, None] * parts), axis=1, prepend=0.0)
    return np.column_stack([at_once, steps]).astype(np.int64)


def _directed(staging: Staging, passing: Whole, people: Whole, presence: Reals) -> Whole:
    """How many of `passing` (gates, blocks) go in, so that `presence` (zones, blocks) comes about.

    Where a gate would have to lead more people one way than pass it, it falls short. If that left a zone
    nearly empty, all go only as far towards what is wanted as every gate allows; the rest follows later.
    """
    ins = np.empty_like(passing)
    for block in range(passing.shape[1]):
        both = passing[:, block]
        wanted = net_flows(staging.joins, both, presence[:, block] - people)
        chosen = _split(both, wanted)
        if (people + _change(staging, 2 * chosen - both)).min() < PEOPLE_MIN:
            allowed = ((both + 1) / np.maximum(np.abs(wanted), 1.0)).min()
            chosen = _split(both, wanted * min(1.0, float(allowed)))
        people = people + _change(staging, 2 * chosen - both)
        ins[:, block] = chosen
    return ins


def _split(both: Whole, net: Reals) -> Whole:
    """How many of those passing gates go in so that the net is as wanted, as far as there are enough."""
    return np.clip(np.rint((both + net) / 2), 0, both).astype(np.int64)


def _dealt_to_slots(counted: Whole, rng: np.random.Generator) -> Whole:
    """Counts of blocks (gates, 144) dealt to their slots (gates, 8640), block by block to spare memory."""
    gates, blocks = counted.shape
    dealt = np.empty((gates, blocks, BLOCK_SLOTS), np.int32)
    for block in range(blocks):
        weights = rng.standard_gamma(GROUPING_SHAPE, (gates, BLOCK_SLOTS))
        dealt[:, block] = rng.multinomial(counted[:, block], weights / weights.sum(axis=1, keepdims=True))
    return dealt.reshape(gates, blocks * BLOCK_SLOTS)


def _kept_above_zero(
    staging: Staging, people: Whole, passed_in: Whole, passed_out: Whole, opening: Whole
) -> Whole:
    """People in each zone after each slot; deals blocks evenly where a zone would fall below zero."""
    present = _present(staging, people, passed_in, passed_out, opening)
    below = np.unique(np.nonzero(present < 0)[1] // BLOCK_SLOTS).tolist()
    if not below:
        return present
    for block in below:
        slots = slice(block * BLOCK_SLOTS, (block + 1) * BLOCK_SLOTS)
        for passed in (passed_in, passed_out):
            passed[:, slots] = _evenly(passed[:, slots].sum(axis=1))
    return _present(staging, people, passed_in, passed_out, opening)


def _present(staging: Staging, people: Whole, passed_in: Whole, passed_out: Whole, opening: Whole) -> Whole:
    """People in each zone after each slot (zones, 8640), block by block to spare memory."""
    present = np.empty((len(people), passed_in.shape[1]), np.int32)
    for begin in range(0, passed_in.shape[1], BLOCK_SLOTS):
        slots = slice(begin, begin + BLOCK_SLOTS)
        changes = _change(staging, passed_in[:, slots] - passed_out[:, slots])
        if begin == 0:
            changes += _change(staging, opening)
        present[:, slots] = people[:, None] + np.cumsum(changes, axis=1)
        people = present[:, slots][:, -1]
    return present


def _evenly(totals: Whole) -> Whole:
    """Each total spread over the slots of a block, shape (gates, 60)."""
    upto = totals[:, None] * np.arange(1, BLOCK_SLOTS + 1) // BLOCK_SLOTS
    return np.diff(upto, axis=1, prepend=0)


def _seen(staging: Staging, present: Whole, rng: np.random.Generator) -> Whole:
    """What head counters say: the truth with a small steady error of each counter and a small random one."""
    truth = present[list(staging.heads)]
    steady = rng.uniform(-HEAD_BIAS_SHARE, HEAD_BIAS_SHARE, (len(truth), 1))
    noise = rng.normal(0.0, HEAD_NOISE_SHARE, truth.shape)
    return np.maximum(np.rint(truth * (1.0 + steady + noise)), 0).astype(np.int64)
