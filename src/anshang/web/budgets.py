"""How often somebody may do something within some minutes, counted in the memory of this process.

Nothing is kept of anybody for longer than those.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from anshang.foundation.errors import TooOften

IPV6_NETWORK_BITS = 64
"""What one household or one rented server is given; its owner chooses the address within it."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What is counted, and how often it may happen at `most` within any span of `minutes`."""

    name: str
    most: int
    minutes: int = 1


class Budgets:
    """The counts of one process."""

    def __init__(self) -> None:
        self._counts = MovingWindowRateLimiter(MemoryStorage())

    def allows(self, budget: Budget, *of: str) -> bool:
        """Count one more for this account, address or district; False, and not counted, when it is spent."""
        return self._counts.hit(RateLimitItemPerMinute(budget.most, budget.minutes), budget.name, *of)

    def spend(self, budget: Budget, *of: str) -> None:
        """Count one more; TooOften when it is spent."""
        if not self.allows(budget, *of):
            raise TooOften(
                f"{budget.name}.throttled",
                en=f"Too often; wait {budget.minutes} min.",
                zh=f"操作过于频繁，请 {budget.minutes} 分钟后再试。",
                details={"retry_after_s": 60 * budget.minutes},
            )


def network_of(address: str) -> str:
    """The network that an address is counted as: an IPv4 address itself, of IPv6 the /64 it lies in."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((parsed, IPV6_NETWORK_BITS), strict=False))
