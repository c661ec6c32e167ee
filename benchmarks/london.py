"""London's dwelling fires of 2009: how often the nearest station came first, and how well a time is foretold.

113 stations, 6,708 calls with the first pump's attendance time (seconds). No street graph is at hand: the
straight line stands for the way, so that "nearest" is by distance. The law (kernels/calibration) is fitted on
every other call and judged on the rest. The peer is one mean speed for all ways, fitted the same.
"""

from __future__ import annotations

import gzip
import sys
from csv import DictReader
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from anshang.kernels.calibration import Calibration, calibrate
from anshang.kernels.snapping import Reals
from benchmarks import report

FOLDER = Path(__file__).parents[2] / "shared" / "data" / "incidents" / "response_london_fire_2009"


@dataclass(frozen=True)
class Fires:
    """n calls whose first pump's station is known: metres to it, seconds, whether it was the nearest."""

    apart_m: Reals
    seconds: Reals
    nearest: np.ndarray
    all_seconds: Reals


def read_fires() -> Fires:
    """The recorded calls."""
    with (FOLDER / "lfb_premises.csv").open(encoding="utf-8") as file:
        stations = {
            row["Holding_Name"].upper(): (float(row["Easting"]), float(row["Northing"]))
            for row in DictReader(file)
            if row["Description"] == "Fire Station"
        }
    with gzip.open(FOLDER / "lfb_dwelling_fires_2009.csv.gz", "rt", encoding="utf-8") as file:
        calls = list(DictReader(file))
    names = list(stations)
    where = np.array([(float(row["Easting_m"]), float(row["Northing_m"])) for row in calls])
    gaps = where[:, None, :] - np.array([stations[name] for name in names])[None]
    apart_m = np.hypot(gaps[..., 0], gaps[..., 1])
    seconds = np.array([float(row["FirstPumpArriving_AttendanceTime"]) for row in calls])
    came = [row["FirstPumpArriving_DeployedFromStation"].upper() for row in calls]
    known = np.array([name in stations for name in came])
    number = np.array([names.index(name) if name in stations else 0 for name in came])
    rows = np.arange(len(calls))
    return Fires(
        apart_m=apart_m[rows, number][known],
        seconds=seconds[known],
        nearest=(apart_m.argmin(axis=1) == number)[known],
        all_seconds=seconds,
    )


def halves(fires: Fires) -> tuple[Calibration, Reals, Reals]:
    """The law from every other call; metres and seconds of the rest."""
    learnt = np.arange(len(fires.seconds)) % 2 == 0
    law = calibrate(fires.apart_m[learnt], fires.seconds[learnt])
    return law, fires.apart_m[~learnt], fires.seconds[~learnt]


def main() -> None:
    """Report; nothing when the data is not at hand."""
    if not FOLDER.exists():
        sys.stderr.write("london: skipped, the recorded calls are not at ../shared/data\n")
        return
    fires = read_fires()
    law, apart_m, truth = halves(fires)
    low, high = law.interval_s(apart_m)
    inside = float(((truth >= low) & (truth <= high)).mean())
    error_s = float(np.median(np.abs(law.expected_s(apart_m) - truth)))
    learnt = np.arange(len(fires.seconds)) % 2 == 0
    pace = float(np.median(fires.seconds[learnt] / fires.apart_m[learnt]))
    pace_error_s = float(np.median(np.abs(pace * apart_m - truth)))
    share = float(fires.nearest.mean())
    name = f"share of {len(fires.nearest)} calls"
    report("london.nearest_came_first", share, name, must="told, not judged", ok=True)
    report("london.inside_80", inside, "share", must="0.77 to 0.83", ok=abs(inside - 0.8) <= 0.03)
    report(
        "london.median_error",
        error_s,
        "s",
        must="less than the peer",
        ok=error_s < pace_error_s,
        peer="one pace for all ways",
        peer_value=pace_error_s,
    )


if __name__ == "__main__":
    main()
