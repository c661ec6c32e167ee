"""Run every benchmark, each in its own process: `python -m benchmarks [name …]`; code 1 when one misses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Run them and pass their lines on."""
    known = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))
    missed = 0
    for name in sys.argv[1:] or known:
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}"], stdout=subprocess.PIPE, text=True, check=False
        )
        sys.stdout.write(done.stdout)
        sys.stdout.flush()
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        missed += done.returncode != 0 or not all(line["ok"] for line in lines)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
