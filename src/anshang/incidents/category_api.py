"""The categories of incidents over HTTP."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from anshang.foundation.actor import Permission
from anshang.incidents import category_actions, store
from anshang.incidents.categories import ActionStep, Answer, Category, Doer, Question, Task
from anshang.incidents.shapes import CategoryShown
from anshang.matters.model import Priority
from anshang.web.session import Caller, DistrictQuery
from anshang.web.shapes import Body, KeptName, Name

router = APIRouter(prefix="/api/incident-categories", tags=["incidents"])
CategoryCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,39}$")]
Sentence = Annotated[
    str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True, pattern=r"^[^\x00]*$")
]
TaskName = Literal["patrol", "crowd", "look", "aid", "calm", "separate", "identify"]


class QuestionTold(Body):
    """Something to ask."""

    key: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")]
    zh: Sentence
    en: Sentence
    answer: Literal["yes_no", "number", "text"] = "yes_no"


class ActionTold(Body):
    """Something to do, by `anybody` or the `police` alone."""

    zh: Sentence
    en: Sentence
    doer: Literal["anybody", "police"] = "anybody"


class CategoryTold(Body):
    """A category as it is to be."""

    parent_id: CategoryCode | None = None
    name_zh: KeptName
    name_en: KeptName
    priority: Literal[1, 2, 3, 4]
    arrive_within_s: Annotated[float, Field(ge=30, le=86_400)]
    task: TaskName = "look"
    questions: Annotated[list[QuestionTold], Field(max_length=20, default_factory=list)]
    steps: Annotated[list[ActionTold], Field(max_length=20, default_factory=list)]
    keywords: Annotated[list[Name], Field(max_length=50, default_factory=list)]


@router.get("")
def categories(district: DistrictQuery, caller: Caller) -> list[CategoryShown]:
    """The district's categories in their order, also the retired ones."""
    caller.actor.must(Permission.PLACE_READ, district)
    with caller.reading(district) as connection:
        known = store.list_categories(connection, district).values()
    return [CategoryShown.model_validate(category) for category in known]


@router.put("/{id}")
def define(id: CategoryCode, body: CategoryTold, district: DistrictQuery, caller: Caller) -> CategoryShown:
    """Add a category of the district's own, change one, or take one back into use."""
    category = Category(
        id=id,
        name_zh=body.name_zh,
        name_en=body.name_en,
        priority=Priority(body.priority),
        arrive_within_s=body.arrive_within_s,
        parent_id=body.parent_id,
        task=Task(body.task),
        questions=tuple(Question(q.key, q.zh, q.en, Answer(q.answer)) for q in body.questions),
        steps=tuple(ActionStep(step.zh, step.en, Doer(step.doer)) for step in body.steps),
        keywords=tuple(body.keywords),
    )
    with caller.writing(district) as tx:
        return CategoryShown.model_validate(
            category_actions.define_category(tx, actor=caller.actor, category=category)
        )


@router.delete("/{id}")
def retire(id: CategoryCode, district: DistrictQuery, caller: Caller) -> CategoryShown:
    """Offer a category no more."""
    with caller.writing(district) as tx:
        return CategoryShown.model_validate(category_actions.retire_category(tx, actor=caller.actor, id=id))
