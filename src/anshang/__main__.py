"""`anshang`, and `python -m anshang`: the command line.

What imports make stays, so the garbage collector neither runs while they do nor looks at it later: that
saves a tenth of a start.
"""

import gc
import os

gc.disable()

from anshang.cli import app  # noqa: E402


def main() -> None:
    """Run the command line. What it writes is for nobody else to read."""
    os.umask(0o077)
    gc.freeze()
    gc.enable()
    app()


if __name__ == "__main__":
    main()
