"""What kinds of incident there are: a tree of data with words in both languages, questions and a checklist.

A district changes or adds to it. Suggesting one from a text is plain and says why. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from anshang.foundation.errors import BadInput
from anshang.matters.model import Priority


class Doer(StrEnum):
    """Who may do a step of a checklist. Searching, detaining and taking documents are the police's alone
    (保安服务管理条例 Art. 30).
    """

    ANYBODY = "anybody"
    POLICE = "police"


class Task(StrEnum):
    """What is asked of those who come; a unit's kind says which of these it does."""

    PATROL = "patrol"
    CROWD = "crowd"
    LOOK = "look"
    AID = "aid"
    CALM = "calm"
    SEPARATE = "separate"
    IDENTIFY = "identify"


class Answer(StrEnum):
    """What answers a question."""

    YES_NO = "yes_no"
    NUMBER = "number"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Question:
    """Something to ask whoever reports."""

    key: str
    zh: str
    en: str
    answer: Answer = Answer.YES_NO


@dataclass(frozen=True, slots=True)
class ActionStep:
    """Something to do, and who may."""

    zh: str
    en: str
    doer: Doer = Doer.ANYBODY


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of incident. `arrive_within_s` is the target from call to somebody on the scene (s)."""

    id: str
    name_zh: str
    name_en: str
    priority: Priority
    arrive_within_s: float
    parent_id: str | None = None
    task: Task = Task.LOOK
    questions: tuple[Question, ...] = ()
    steps: tuple[ActionStep, ...] = ()
    keywords: tuple[str, ...] = ()
    retired: bool = False

    def check(self, known: Mapping[str, Category]) -> None:
        """BadInput unless it can stand in the tree of `known` categories."""
        above = [self.id]
        parent_id = self.parent_id
        while parent_id is not None:
            if parent_id not in known or parent_id in above:
                raise BadInput(
                    "category.bad_parent",
                    en="The category above does not exist, or lies below this one.",
                    zh="上级类别不存在，或位于本类别之下。",
                )
            above.append(parent_id)
            parent_id = known[parent_id].parent_id
        if len({question.key for question in self.questions}) < len(self.questions):
            raise BadInput("category.twice", en="Two questions have one key.", zh="两个问题使用了同一编号。")
        if not 30 <= self.arrive_within_s <= 86_400:
            raise BadInput(
                "category.bad_target",
                en="The target lies between 30 seconds and a day.",
                zh="到场目标须在 30 秒至 1 天之间。",
            )


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A category that the text speaks of, and the words by which."""

    category_id: str
    words: tuple[str, ...]


def suggest(text: str, categories: Iterable[Category]) -> Suggestion | None:
    """The category whose keywords say most of the text (their letters together; of two that say as much the
    deeper one), or None. It is a suggestion: a person's choice is never overwritten.
    """
    said = text.casefold()
    best: tuple[int, bool, str] | None = None
    found: Suggestion | None = None
    for category in categories:
        words = tuple(word for word in category.keywords if not category.retired and _stands_in(word, said))
        weight = sum(len(word) * (2 if _is_han(word) else 1) for word in words)
        rank = (weight, category.parent_id is not None, category.id)
        if words and (best is None or rank > best):
            best, found = rank, Suggestion(category.id, words)
    return found


def root_of(category_id: str, categories: Mapping[str, Category]) -> str:
    """The category at the top of the tree above this one."""
    while (known := categories.get(category_id)) is not None and known.parent_id is not None:
        category_id = known.parent_id
    return category_id


def _stands_in(word: str, said: str) -> bool:
    """Whether a text holds the word: Chinese anywhere, other words at the beginning of a word."""
    folded = word.casefold()
    at = said.find(folded)
    while at >= 0:
        if _is_han(word) or at == 0 or not said[at - 1].isalnum():
            return True
        at = said.find(folded, at + 1)
    return False


def _is_han(word: str) -> bool:
    return any("\u4e00" <= letter <= "\u9fff" for letter in word)
