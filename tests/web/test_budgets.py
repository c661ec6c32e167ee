"""Addresses are counted as the network that one owner has."""

from __future__ import annotations

import pytest

from anshang.foundation.errors import TooOften
from anshang.web.budgets import Budget, Budgets, network_of


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
        ("-", "-"),
    ],
)
def test_an_address_is_counted_as_what_its_owner_was_given(address: str, counted_as: str) -> None:
    assert network_of(address) == counted_as


def test_a_budget_that_is_spent_is_refused_in_both_languages_and_for_nobody_else() -> None:
    budgets, twice = Budgets(), Budget("report", 2)
    for _ in range(2):
        budgets.spend(twice, "somebody")
    with pytest.raises(TooOften) as refusal:
        budgets.spend(twice, "somebody")
    assert (refusal.value.code, refusal.value.details) == ("report.throttled", {"retry_after_s": 60})
    assert refusal.value.en and refusal.value.zh
    assert budgets.allows(twice, "somebody else")
