"""Phones that are told of notices while their page is closed, through the push service of their browser.

A message has no body: the push service learns that there is something, for which phone, and nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from anshang.foundation.errors import BadInput

ENDPOINT_LENGTH_MAX = 1000
ENDPOINT_PATTERN = r"https://[A-Za-z0-9.-]+(:443)?/[A-Za-z0-9._~:/?&=%@!$'()*+,;-]*"
"""No character that two readers of addresses take differently, as a backslash."""


class PushKind(StrEnum):
    """What can happen to phones that are told (journal kinds)."""

    WANTED = "phone.told"
    ENDED = "phone.not_told"


@dataclass(frozen=True, slots=True)
class PushSender:
    """What browsers subscribe with, empty where there are no push messages; and whose services are called."""

    key: str
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Phone:
    """A browser that wants to be told, at the address that its push service gave it."""

    id: str
    district_id: str
    account_id: str
    endpoint: str
    since_at: datetime
    version: int = 1

    def check(self, services: tuple[str, ...]) -> None:
        """BadInput for an address that is not of one of the push services (hosts, and those below them):
        nobody has this server call an address of their choice.
        """
        try:
            if not re.fullmatch(ENDPOINT_PATTERN, self.endpoint):
                raise ValueError("another reader may find another host in it")
            address = urlsplit(self.endpoint)
            host, port = address.hostname or "", address.port
        except ValueError:
            host, port, address = "", None, urlsplit("")
        known = any(host == one or host.endswith(f".{one}") for one in services)
        if not (known and address.scheme == "https" and port in (None, 443) and address.username is None):
            raise BadInput(
                "push.service",
                en="This browser's push service is not among those of this installation.",
                zh="该浏览器的推送服务不在本系统允许的范围内。",
                details={"host": host[:100]},
            )


def hosts(told: str) -> tuple[str, ...]:
    """The push services of the setting: hosts, commas between."""
    return tuple(one.strip().lower() for one in told.split(",") if one.strip())
