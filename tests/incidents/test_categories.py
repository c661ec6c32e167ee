"""The categories: a sound tree in two languages, suggestions that say why, and nothing that only the police may do
offered to others.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from anshang.foundation.errors import BadInput
from anshang.incidents.catalogue import BUILT_IN
from anshang.incidents.categories import Category, Doer, Question, root_of, suggest
from anshang.matters.model import Priority

ROOTS = {
    "theft", "fraud", "fight", "dispute", "lost_person", "lost_property", "injury", "drunk", "fire", "crowd", "sos",
    "traffic", "hazard", "nuisance", "help", "other",
}  # fmt: skip


def test_the_set_is_that_of_a_business_district_and_sound() -> None:
    assert {category.id for category in BUILT_IN.values() if category.parent_id is None} == ROOTS
    for category in BUILT_IN.values():
        category.check(BUILT_IN)
        assert root_of(category.id, BUILT_IN) in ROOTS
        assert category.steps, category.id


@pytest.mark.parametrize("category", BUILT_IN.values(), ids=lambda one: one.id)
def test_every_word_stands_in_both_languages(category: Category) -> None:
    texts = [category, *category.questions, *category.steps]
    for one in texts:
        zh, en = (one.name_zh, one.name_en) if isinstance(one, Category) else (one.zh, one.en)
        assert re.search("[\u4e00-\u9fff]", zh), zh
        assert re.search("[A-Za-z]", en), en
        assert not re.search("[\u4e00-\u9fff]", en), en


def test_nobody_but_the_police_is_told_to_search_detain_or_take_documents() -> None:
    forbidden = re.compile(
        r"搜身(?!，等候)|扣押|扣留|查验证件|核对身份|控制持械|\bdetain|\bcheck identit|\bsearch (him|her|them)\b",
        re.I,
    )
    for category in BUILT_IN.values():
        for step in category.steps:
            if step.doer is Doer.ANYBODY and "不要搜身" not in step.zh:
                assert not forbidden.search(f"{step.zh} {step.en}"), step


@pytest.mark.parametrize(
    ("text", "category_id", "word"),
    [
        ("有人打架，好几个人动手", "fight", "打架"),
        ("两个人拿刀在门口", "fight.weapon", "拿刀"),
        ("孩子走丢了，穿红衣服", "lost_person", "走丢"),
        ("A lost child in a red coat", "lost_person", "lost child"),
        ("my phone was stolen from my pocket", "theft.pickpocket", "from my pocket"),
        ("Somebody FAINTED near the fountain", "injury", "fainted"),
        ("闻到天然气味道", "hazard.gas", "天然气"),
        ("顾客要求退款，吵起来了", "dispute.consumer", "退款"),
    ],
)
def test_a_text_suggests_a_category_and_says_by_which_words(text: str, category_id: str, word: str) -> None:
    found = suggest(text, BUILT_IN.values())
    assert found is not None
    assert found.category_id == category_id
    assert word in found.words


@pytest.mark.parametrize("text", ["", "hello", "a prefire drill", "！！"])
def test_a_text_that_says_nothing_suggests_nothing(text: str) -> None:
    assert suggest(text, BUILT_IN.values()) is None


def test_a_retired_category_is_not_suggested() -> None:
    retired = [replace(category, retired=category.id == "fire") for category in BUILT_IN.values()]
    assert suggest("fire", retired) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"parent_id": "nowhere"},
        {"parent_id": "theft"},
        {"arrive_within_s": 5.0},
        {"questions": (Question("a", "甲", "a"), Question("a", "乙", "b"))},
    ],
)
def test_a_category_that_cannot_stand_is_refused(wrong: dict[str, object]) -> None:
    category = replace(BUILT_IN["theft"], **wrong)  # type: ignore[arg-type]
    with pytest.raises(BadInput):
        category.check({**BUILT_IN, "theft": category})


def test_a_circle_below_is_found() -> None:
    child = Category("a", "甲", "a", Priority.P3, 600.0, parent_id="b")
    with pytest.raises(BadInput):
        child.check({"a": child, "b": replace(child, id="b", parent_id="a")})
