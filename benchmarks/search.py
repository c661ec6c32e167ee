"""A search: where somebody may be among 500 places after 200 looks; whom to ask, where to send next."""

from __future__ import annotations

import numpy as np

from anshang.kernels.search import Ground, Looks, after, ask_next, send_next, spread
from benchmarks import percentile, report
from benchmarks.recommendation import timed_ms

PLACES, LOOKS, UNITS, ROUNDS = 500, 200, 20, 200
UPDATE_MOST_MS, SUGGEST_MOST_MS = 50.0, 100.0


def main() -> None:
    """Measure both, report."""
    rng = np.random.default_rng(5)
    ground = Ground(rng.uniform(0, 900, PLACES), rng.uniform(0.4, 1.5, PLACES), rng.random(PLACES) < 0.1)
    looks = Looks(rng.integers(0, PLACES, LOOKS), rng.uniform(0, 600, LOOKS), rng.uniform(0.2, 0.9, LOOKS))
    travel_s = rng.uniform(10, 900, (UNITS, PLACES))

    def updated() -> np.ndarray:
        return after(spread(ground, 900.0, 0.6), looks, 900.0)

    likely = updated()

    def suggested() -> None:
        ask_next(likely, np.zeros(PLACES, bool), 0.9, 100)
        send_next(likely, travel_s, np.full(PLACES, 0.5), 90.0)

    for name, work, most_ms in (
        ("search.update_500_places", updated, UPDATE_MOST_MS),
        ("search.suggestion", suggested, SUGGEST_MOST_MS),
    ):
        value = percentile([timed_ms(work) for _ in range(ROUNDS)], 0.99)
        report(name, value, "ms", must=f"<= {most_ms} ms (p99)", ok=value <= most_ms)


if __name__ == "__main__":
    main()
