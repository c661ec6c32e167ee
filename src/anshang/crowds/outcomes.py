"""How the forecasts of a district came out, quarter by quarter: for its quality page."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from anshang.crowds.ahead import HIGH, HORIZONS_S, LOW
from anshang.kernels.daygrid import Floats, Reals
from anshang.kernels.quantiles import MEDIAN, at_levels
from anshang.kernels.skill import NINE, pinball

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Said:
    """People now (S,), and ahead (S, L) for an instant."""

    at_ms: int
    horizon_s: int
    model_id: str
    zone_ids: tuple[str, ...]
    now: Floats
    ahead: Floats


@dataclass(slots=True)
class Outcomes:
    """What was said of each district and waits for its instant; lost with the process, two hours at most."""

    _waiting: dict[str, deque[_Said]] = field(default_factory=dict)

    def forget(self, district_id: str) -> None:
        """Let go of a district that is no more."""
        self._waiting.pop(district_id, None)

    def compare(
        self,
        district_id: str,
        zone_ids: list[str],
        at_ms: int,
        people: Reals,
        ahead: Reals,
        model_id: str,
    ) -> list[Row]:
        """At the end of a quarter: rows of `forecast_outcomes` for what was said of now, people (S,); what is
        said now of later, `ahead` (S, H, L), is remembered.
        """
        waiting = self._waiting.setdefault(district_id, deque())
        due = [each for each in waiting if each.at_ms == at_ms and each.zone_ids == tuple(zone_ids)]
        self._waiting[district_id] = deque(each for each in waiting if each.at_ms > at_ms)
        for place, horizon_s in enumerate(HORIZONS_S):
            said = (model_id, tuple(zone_ids), people.astype(np.float32), ahead[:, place].astype(np.float32))
            self._waiting[district_id].append(_Said(at_ms + horizon_s * 1000, horizon_s, *said))
        return [row for each in due if (row := _row(each, people)) is not None]


def _row(said: _Said, came: Reals) -> Row | None:
    known = ~np.isnan(came) & ~np.isnan(said.now) & ~np.isnan(said.ahead).any(axis=1)
    if not known.any():
        return None
    ahead, was, now = said.ahead[known].astype(float), came[known], said.now[known]
    loss = pinball(at_levels(ahead, NINE), was).mean(axis=1)
    return (
        said.at_ms,
        said.horizon_s,
        said.model_id,
        int(known.sum()),
        float(was.sum()),
        float(np.abs(ahead[:, MEDIAN] - was).sum()),
        float(np.abs(now - was).sum()),
        float(loss.sum()),
        int(((was >= ahead[:, LOW]) & (was <= ahead[:, HIGH])).sum()),
        int(((was >= ahead[:, 0]) & (was <= ahead[:, -1])).sum()),
    )
