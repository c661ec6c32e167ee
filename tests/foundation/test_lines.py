"""What others wrote does nothing in a spreadsheet."""

from __future__ import annotations

import pytest

from anshang.foundation.lines import cell


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "－1"])
def test_a_formula_becomes_text(text: str) -> None:
    assert cell(text) == "'" + text


@pytest.mark.parametrize("text", ["", "g1", "2026-12-30T12:00:00Z", "a=b", "3-1", "'x", "李"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert cell(text) == text
