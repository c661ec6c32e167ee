"""Anshang 安商: the operations system of a safe business district."""

import os

__version__ = "0.1.0"

# Before NumPy is loaded: our matrices are small, and BLAS threads that wait for a busy core wait by spinning.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
