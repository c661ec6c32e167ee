"""The outlook of a district with little history: recorded evenings, asked every quarter of an hour.

The peer says that nothing changes.
"""

from __future__ import annotations

from anshang.demonstration.scenes import wuyi_scene
from benchmarks import report
from benchmarks._evenings import tried

EVENINGS, SEED = 20, 7
DAYS = (0, 1, 2, 4, 8, 15)
SHOWN = {0: 15, 1: 30, 3: 60}
COVER_LEAST, COVER_MOST = 0.72, 0.88


def main() -> None:
    """Try each number of days known, report."""
    scene = wuyi_scene()
    for days in DAYS:
        figures = tried(scene, EVENINGS, days, SEED)
        for place, minutes in SHOWN.items():
            cover = float(figures.covered80[place])
            report(
                f"evenings.cover80_{days}_days_known_{minutes}_min",
                cover,
                "share",
                must=f"{COVER_LEAST} to {COVER_MOST}",
                ok=COVER_LEAST <= cover <= COVER_MOST,
            )
        error, still = float(figures.error[3]), float(figures.error_still[3])
        report(
            f"evenings.error_{days}_days_known_60_min",
            error,
            "people a zone",
            must="below the peer's",
            ok=error < still,
            peer="nothing changes",
            peer_value=still,
        )


if __name__ == "__main__":
    main()
