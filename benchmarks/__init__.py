"""Speed with peers in the same run. A figure of one machine is noise; a ratio of one run is a claim."""

from __future__ import annotations

import json
import sys


def report(
    name: str,
    value: float,
    unit: str,
    *,
    must: str,
    ok: bool,
    peer: str = "",
    peer_value: float | None = None,
) -> None:
    """Print one JSON line: our value, the peer's in the same run, their ratio, what must hold, if it does."""
    ratio = None if not peer_value else round(value / peer_value, 3)
    line = {
        "name": name,
        "value": round(value, 3),
        "unit": unit,
        "peer": peer,
        "peer_value": None if peer_value is None else round(peer_value, 3),
        "ratio": ratio,
        "must": must,
        "ok": bool(ok),
    }
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` of the values lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
