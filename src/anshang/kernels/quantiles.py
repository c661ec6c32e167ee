"""Forecasts as quantiles of a log ratio: between levels along normal scores, as people, as the chance of a
limit.

Shapes: n forecasts, L = len(LEVELS) levels learnt. A ratio is log((people + offset) / (usual + offset)).
Complexity: linear.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from math import erfc, sqrt
from statistics import NormalDist

import numpy as np

from anshang.kernels.daygrid import Reals

LEVELS = (0.025, 0.1, 0.3, 0.5, 0.7, 0.9, 0.975)
"""The levels learnt."""
MEDIAN = LEVELS.index(0.5)
ALIKE, DRAWS = 0.9, 1_000
"""The correlation of a forecast's errors at instants a quarter of an hour apart: .91 to .99 on Auckland's
evenings, .74 to .92 at Zürich's station.
"""
SQRT_2 = sqrt(2.0)


def scores_of(levels: Iterable[float]) -> Reals:
    """The normal score of each level."""
    return np.array([NormalDist().inv_cdf(level) for level in levels])


SCORES = scores_of(LEVELS)


def at_levels(deviation: Reals, levels: Reals) -> Reals:
    """Log ratios at other levels (n, len(levels)), along normal scores, the tails going on as they were."""
    wanted = scores_of(levels.tolist())
    left = np.clip(np.searchsorted(SCORES, wanted, side="right") - 1, 0, len(LEVELS) - 2)
    share = (wanted - SCORES[left]) / (SCORES[left + 1] - SCORES[left])
    found: Reals = deviation[:, left] * (1 - share) + deviation[:, left + 1] * share
    return found


def people(deviation: Reals, usual: Reals, offset: Reals) -> Reals:
    """Log ratios as people, never fewer than none."""
    base = (usual + offset)[:, None]
    return np.maximum(np.exp(deviation) * base - offset[:, None], 0.0)


def chance_over(quantiles: Reals, levels: Reals, limit: Reals) -> Reals:
    """The probability (n,) of at least `limit` (n,) people, from quantiles (n, L) along normal scores."""
    scores = scores_of(levels.tolist())
    left = np.clip((quantiles < limit[:, None]).sum(axis=1) - 1, 0, len(levels) - 2)
    row = np.arange(len(quantiles))
    low, high = quantiles[row, left], quantiles[row, left + 1]
    share = (limit - low) / np.maximum(high - low, 1e-9)
    found: Reals = 1 - _normal_cdf(np.clip(scores[left] + share * (scores[left + 1] - scores[left]), -6, 6))
    return found


def chance_by(chances: Reals) -> Reals:
    """The probability (n, H) that it has come at any instant up to each, from that of each of H instants
    (n, H) a quarter of an hour apart.

    Errors of one forecast at instants that near are alike: a Gaussian copula with one correlation from each
    to the next, drawn once, each draw's ranks made even so that a single instant keeps its own chance.
    """
    rank = _ranks(chances.shape[1])
    over = rank >= (1 - chances)[:, None]
    found: Reals = np.logical_or.accumulate(over, axis=2).mean(axis=1)
    return np.maximum(found, np.maximum.accumulate(chances, axis=1))


@lru_cache
def _ranks(instants: int) -> Reals:
    """Draws of errors at instants as ranks between 0 and 1 (DRAWS, instants)."""
    noise = np.random.default_rng(1).normal(size=(DRAWS, instants))
    errors = noise.copy()
    for place in range(1, instants):
        errors[:, place] = ALIKE * errors[:, place - 1] + np.sqrt(1 - ALIKE**2) * noise[:, place]
    found: Reals = (errors.argsort(axis=0).argsort(axis=0) + 0.5) / DRAWS
    return found


def _normal_cdf(score: Reals) -> Reals:
    """Φ."""
    return np.array([0.5 * erfc(-each / SQRT_2) for each in score.tolist()])
