"""The refusals of the product, free of HTTP; every message exists in English and Chinese.

A refusal says why something a person asked for does not happen. Nothing was written when one is raised.
"""

from __future__ import annotations

from collections.abc import Mapping


class Refusal(Exception):
    """Something asked for does not happen, for a reason the person can read.

    `code` is a stable dotted word for clients (`matter.closed`), `en` and `zh` are whole sentences, and
    `details` holds JSON values that help to mend the request (a line number, a field, a limit).
    """

    def __init__(self, code: str, *, en: str, zh: str, details: Mapping[str, object] | None = None) -> None:
        super().__init__(f"{code}: {en}")
        self.code = code
        self.en = en
        self.zh = zh
        self.details = dict(details or {})


class BadInput(Refusal):
    """The request is malformed or holds a value that cannot be."""


class NotSignedIn(Refusal):
    """Nobody is signed in, or the session has ended."""


class NotAllowed(Refusal):
    """The person may not do this, here."""


class NotFound(Refusal):
    """There is no such thing within the person's scope."""


class RuleBroken(Refusal):
    """The request is well formed, but a rule of the house forbids it now."""


class StaleVersion(Refusal):
    """Somebody else changed the thing in the meantime."""


class TooOften(Refusal):
    """The same thing was tried too often; `details["retry_after_s"]` says when it may be tried again."""


class StorageFailed(Refusal):
    """The disk or the database cannot take the write (full, read-only, away); reads may go on."""


class StorageAway(StorageFailed):
    """The database cannot be reached for now; the same request may succeed in a moment."""
