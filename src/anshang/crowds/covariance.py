"""The errors of all balances together: what each zone's number may be off by, and with whom it errs.

A Kalman filter whose state is, besides the people in each zone (kept by `Occupancy`), a constant bias of
every gate's counters and of every head counter: such errors stay the same all evening and do not average
out. A gate's bias acts on its net passages (misses alike in both directions) and, ten times weaker, on all
of them (misses more in one direction); a miscounted passage errs in both zones of its gate, with opposite
signs. A head counter shows `people * (1 + bias)`.

Zones are filtered in blocks of at most BLOCK_ZONES neighbours; between blocks no covariance is kept, which
leaves each zone's variance right and that of a sum too wide. Within a block the state is the zones, the
head counters, then both biases of each gate: P (B, N, N). One correction costs O(B N² M) for at
most M head counters a block. Source: R. E. Kalman 1960; biases as states: B. Friedland 1969.
"""

from __future__ import annotations

from itertools import count

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

ONE_BLOCK_ZONES = 64
BLOCK_ZONES = 8
ONE_WAY_SHARE = 0.1
"""Of a gate's bias: by how much its counters miss more in one direction than in the other."""
BIAS_MEMORY_MS = 24 * 3_600_000.0
"""After about that long a bias may be another one."""


class JointErrors:
    """Errors of Z zones, G gates and H head counters; a gate side of Z is the outside."""

    def __init__(
        self,
        gate_a: Ints,
        gate_b: Ints,
        head_zone: Ints,
        *,
        start_sigma: Floats,
        gate_bias: Floats,
        head_bias: Floats,
    ) -> None:
        """`start_sigma` (Z) in people; `gate_bias` (G) and `head_bias` (H) as shares, all as sigmas."""
        self._block, self._zone, blocks = _blocks(len(start_sigma), gate_a, gate_b)
        self._of_head, self._head_block = head_zone, self._block[head_zone]
        heads = _order(self._head_block)
        zones = _most(self._zone)
        self._head = zones + heads
        first = zones + _most(heads)
        self._post_gate, self._post_block = self._posts(gate_a, gate_b)
        self._post = _order(self._post_block)
        posts = _most(self._post)
        self._zones, size = slice(0, zones), first + 2 * posts
        self._by_net, self._by_all = slice(first, first + posts), slice(first + posts, size)
        self._sides = np.zeros((blocks, zones, posts))
        for gate_side, sign in ((gate_a, 1.0), (gate_b, -1.0)):
            zone = gate_side[self._post_gate]
            inside = np.append(self._block, -1)[zone] == self._post_block
            place = (self._post_block[inside], self._zone[zone[inside]], self._post[inside])
            np.add.at(self._sides, place, sign)
        self._prior = np.zeros((blocks, size))
        self._prior[self._block, self._zone] = start_sigma**2
        self._prior[self._head_block, self._head] = head_bias**2
        variance = gate_bias[self._post_gate] ** 2
        self._prior[self._post_block, first + self._post] = variance
        self._prior[self._post_block, first + posts + self._post] = ONE_WAY_SHARE**2 * variance
        self._passed = np.zeros((3, len(gate_a)))
        """What passed each gate since the last `spread`: net, all, variance of chance."""
        self._at_ms = 0
        self._covariance = np.zeros((blocks, size, size))
        self._mean = np.zeros((blocks, size))
        """Of biases only: the zones' own are the balances."""
        # kept between calls: to allocate as much each time would take longer than to compute it
        self._at_gates, self._at_zones = np.zeros((2, blocks, posts, size)), np.zeros((blocks, zones, size))
        self._change = np.zeros_like(self._covariance)
        self.reset()

    def _posts(self, gate_a: Ints, gate_b: Ints) -> tuple[Ints, Ints]:
        """The gates in each block, as pairs: one between two blocks is in both."""
        block, gates = np.append(self._block, -1), np.arange(len(gate_a))
        both = np.stack([np.tile(gates, 2), np.append(block[gate_a], block[gate_b])])
        gate, of_block = np.unique(both[:, both[1] >= 0], axis=1)
        return gate, of_block

    def reset(self) -> None:
        """Know again only what is known before anything was counted."""
        self._covariance[:], self._mean[:], self._passed[:] = 0.0, 0.0, 0.0
        self._diagonal[...] = self._prior

    @property
    def _diagonal(self) -> Floats:
        view: Floats = np.einsum("bii->bi", self._covariance)
        return view

    @property
    def variance(self) -> Floats:
        """Of every balance (Z), as `spread` left it."""
        return np.maximum(self._diagonal[self._block, self._zone], 0.0)

    def variance_of_sum(self, zones: Bools) -> float:
        """Of the sum of some balances (Z)."""
        chosen = np.zeros((len(self._mean), self._zones.stop))
        chosen[self._block[zones], self._zone[zones]] = 1.0
        among = self._covariance[:, self._zones, self._zones]
        return max(0.0, float(np.einsum("bi,bij,bj->", chosen, among, chosen)))

    def passed(self, gate: Ints, net: Floats, passages: Floats, chance: Floats) -> None:
        """Passages (N) that moved the balances of a gate's zones, with a variance of chance; they widen the
        errors at the next `spread`.
        """
        count = self._passed.shape[1]
        self._passed += [np.bincount(gate, each, count) for each in (net, passages, chance)]

    def doubt(self, zone: Ints, variance: Floats) -> None:
        """Widen some balances' errors by an error of their own."""
        np.add.at(self._diagonal, (self._block[zone], self._zone[zone]), variance)

    def spread(self, at_ms: int) -> Floats:
        """Let what passed widen the errors; what the gates' known biases miscounted meanwhile (Z)."""
        net, passages, chance = self._at_posts()
        errors, sides, zones = self._covariance, self._sides, self._zones
        by_net, by_all = self._by_net, self._by_all
        of_net, of_all = self._at_gates
        np.multiply(net[:, :, None], errors[:, by_net], out=of_net)
        of_net += np.multiply(passages[:, :, None], errors[:, by_all], out=of_all)
        into = np.matmul(sides, of_net, out=self._at_zones)
        twice = into[:, :, by_net] * net[:, None] + into[:, :, by_all] * passages[:, None]
        twice += sides * chance[:, None]
        errors[:, zones] += into
        errors[:, zones, zones] += into[:, :, zones].transpose(0, 2, 1) + twice @ sides.transpose(0, 2, 1)
        errors[:, zones.stop :, zones] = errors[:, zones, zones.stop :].transpose(0, 2, 1)
        biases = net * self._mean[:, by_net] + passages * self._mean[:, by_all]
        moved = (sides @ biases[:, :, None])[:, :, 0]
        self._wander(at_ms)
        self._passed[:] = 0.0
        return np.asarray(moved[self._block, self._zone])

    def _at_posts(self) -> Floats:
        """What passed since the last time, by kind, block and post."""
        at_posts = np.zeros((3, len(self._sides), self._sides.shape[2]))
        at_posts[:, self._post_block, self._post] = self._passed[:, self._post_gate]
        return at_posts

    def _wander(self, at_ms: int) -> None:
        """Biases change slowly, and are never less known than before anything was counted."""
        if self._at_ms and at_ms > self._at_ms:
            biases = slice(self._zones.stop, None)
            diagonal, prior = self._diagonal[:, biases], self._prior[:, biases]
            diagonal += prior * ((diagonal < prior) * ((at_ms - self._at_ms) / BIAS_MEMORY_MS))
        self._at_ms = max(self._at_ms, at_ms)

    def expected(self, head: Ints, people: Floats) -> tuple[Floats, Floats]:
        """What head counters (M) over zones with so many people should show, and the variance of that."""
        block, zone, own = self._head_block[head], self._zone_of(head), self._head[head]
        scale, errors = 1.0 + self._mean[block, own], self._covariance
        variance = scale**2 * errors[block, zone, zone] + people**2 * errors[block, own, own]
        variance += 2 * scale * people * errors[block, zone, own]
        return scale * people, np.maximum(variance, 0.0)

    def see(self, head: Ints, people: Floats, surprise: Floats, noise: Floats) -> Floats:
        """Learn from head counters (M, each once) over zones with so many people: how much more they show
        than `expected`, with the variance of their fresh noise; the corrections of all balances (Z).
        """
        block = self._head_block[head]
        scale = 1.0 + self._mean[block, self._head[head]]
        return self._learn(block, self._zone_of(head), self._head[head], scale, people, surprise, noise)

    def count(self, zone: int, surprise: float, noise: float) -> Floats:
        """Learn from a count that has no bias of its own; the corrections of all balances (Z)."""
        one = np.array([zone])
        nothing = np.zeros(1)
        told = (np.array([surprise]), np.array([noise]))
        return self._learn(self._block[one], self._zone[one], self._zone[one], nothing + 1, nothing, *told)

    def _learn(
        self,
        block: Ints,
        zone: Ints,
        own: Ints,
        scale: Floats,
        people: Floats,
        surprise: Floats,
        noise: Floats,
    ) -> Floats:
        """All measurements at once: each is `scale` of its zone's slot and `people` of its own."""
        which, inverse = np.unique(block, return_inverse=True)
        row = _order(inverse)
        size, rows = self._mean.shape[1], int(row.max(initial=0)) + 1
        measured = np.zeros((len(which), rows, size))
        measured[inverse, row, zone] += scale
        measured[inverse, row, own] += people
        told = np.zeros((len(which), rows))
        told[inverse, row] = surprise
        seen = np.zeros((len(which), rows, size))
        seen[inverse, row] = scale[:, None] * self._covariance[block, zone]
        seen[inverse, row] += people[:, None] * self._covariance[block, own]
        spread = seen @ measured.transpose(0, 2, 1)
        noises = np.ones((len(which), rows))
        noises[inverse, row] = noise
        np.einsum("bii->bi", spread)[...] += noises
        gain = np.linalg.solve(spread, seen)
        known = np.matmul(gain.transpose(0, 2, 1), seen, out=self._change[: len(which)])
        for of_block, less in zip(which.tolist(), known, strict=True):
            self._covariance[of_block] -= less
        change = np.zeros_like(self._mean)
        change[which] = (told[:, None] @ gain)[:, 0]
        self._mean[:, self._zones.stop :] += change[:, self._zones.stop :]
        return np.asarray(change[self._block, self._zone])

    def _zone_of(self, head: Ints) -> Ints:
        return self._zone[self._of_head[head]]


def _most(places: Ints) -> int:
    """How many slots these places need."""
    return int(places.max(initial=-1)) + 1


def _order(group: Ints) -> Ints:
    """How many of the same group come before each of `group` (N)."""
    by_group = np.argsort(group, kind="stable")
    ordered = group[by_group]
    begins = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])) if len(group) else np.zeros(0, int)
    sizes = np.diff(np.append(begins, len(group)))
    order = np.empty(len(group), np.int64)
    order[by_group] = np.arange(len(group)) - np.repeat(begins, sizes)
    return order


def _blocks(zones: int, gate_a: Ints, gate_b: Ints) -> tuple[Ints, Ints, int]:
    """Blocks of neighbours: each zone's block and place in it (Z), and how many blocks there are."""
    beside: list[list[int]] = [[] for _ in range(zones + 1)]
    for a, b in zip(gate_a.tolist(), gate_b.tolist(), strict=True):
        beside[a].append(b)
        beside[b].append(a)
    most = zones if zones <= ONE_BLOCK_ZONES else BLOCK_ZONES
    block = np.full(zones + 1, -1, np.int64)
    block[zones] = zones
    numbers = count()
    for first in range(zones):
        if block[first] >= 0:
            continue
        number, members = next(numbers), [first]
        block[first] = number
        for member in members:
            for other in beside[member]:
                if block[other] < 0 and len(members) < most:
                    block[other] = number
                    members.append(other)
    return block[:-1], _order(block[:-1]), next(numbers)
