"""LightGBM, or a word on what it lacks: its wheel does not bring the OpenMP runtime that it needs."""

from __future__ import annotations

try:
    import lightgbm
except OSError as error:
    raise ImportError("LightGBM needs libgomp.so.1 (Debian: apt-get install libgomp1)") from error

__all__ = ["lightgbm"]
