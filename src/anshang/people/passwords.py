"""Passwords as argon2id hashes. To make or to check one takes 64 MB and a tenth of a second of one core, on
purpose: two at a time are all that this process does, whoever asks.
"""

from __future__ import annotations

from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

AT_A_TIME = 2
NOBODY_HASH = (
    "$argon2id$v=19$m=65536,t=3,p=1$6HJ0C00JgZEW2CZO1cn7/A$7gksrrSw/oAfztRSAIltVH1quAI7VaLrGrz65/Mu4X0"
)
"""Of a word that nobody knows: an unknown name takes as long to refuse as a wrong password.

Written down, because making one at every start would take time and 64 MB.
"""

_hasher = PasswordHasher(parallelism=1)
_turns = BoundedSemaphore(AT_A_TIME)


def hash_of(password: str) -> str:
    """What is kept of a password."""
    with _turns:
        return _hasher.hash(password)


def fits(password_hash: str, password: str) -> bool:
    """Whether the hash is of the password."""
    with _turns:
        try:
            return _hasher.verify(password_hash, password)
        except (VerifyMismatchError, InvalidHashError):
            return False
