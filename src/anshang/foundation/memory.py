"""How the C library keeps memory that was freed: by default an arena for every thread, which a kiosk's
machine cannot spare. Elsewhere than on glibc nothing here does anything.
"""

from __future__ import annotations

import ctypes

_ARENAS_MAX = -8
"""Of glibc's malloc.h."""
_library = ctypes.CDLL(None)


def keep_little() -> None:
    """Share two arenas among all threads; to be said before any of them begins."""
    if hasattr(_library, "mallopt"):
        _library.mallopt(_ARENAS_MAX, 2)


def give_back() -> None:
    """Give what was freed back to the system; takes some milliseconds."""
    if hasattr(_library, "malloc_trim"):
        _library.malloc_trim(0)
