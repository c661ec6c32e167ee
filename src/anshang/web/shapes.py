"""The base of every request and answer shape: nothing is coerced, nothing unknown is let in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

from fastapi import Depends, Request
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from anshang.foundation import lines
from anshang.foundation.ids import CODE_PATTERN

FIRST_YEAR, LAST_YEAR = 1970, 2999
ID_PATTERN = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"

Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
"""A UUID minted by whoever starts the action."""
Code = Annotated[str, StringConstraints(pattern=rf"^{CODE_PATTERN}$")]
"""A short code of a district, zone, gate or sensor."""
Words = Annotated[
    str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True, pattern=r"^[^\x00]*$")
]
"""Something a person wrote."""


def _on_one_line(text: str) -> str:
    """The text; ValueError when it breaks the line, turns it round, or shows nothing."""
    if not lines.is_on_one_line(text):
        raise ValueError("not on one line")
    return text


def _name(text: str) -> str:
    """The text; ValueError when it is no name."""
    if not lines.is_name(text):
        raise ValueError("not a name on one line")
    return text


ON_ONE_LINE = AfterValidator(_on_one_line)
Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=80, strip_whitespace=True, pattern=r"^[^\x00]*$"),
    AfterValidator(_name),
]
"""A name of something, on one line."""
KeptName = Annotated[
    str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True, pattern=r"^[^\x00]*$")
]
"""A name in a body that enters or changes something: the verb judges it when it is not as it was."""
LongName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=120, strip_whitespace=True, pattern=r"^[^\x00]*$"),
    AfterValidator(_name),
]
"""A name of an organisation or a place, on one line."""
Title = Annotated[
    str,
    StringConstraints(min_length=1, max_length=120, strip_whitespace=True, pattern=r"^[^\x00]*$"),
    ON_ONE_LINE,
]
"""What something is about, on one line."""


def _within_the_calendar(at: datetime) -> datetime:
    """The same instant in UTC; ValueError where no calendar of ours can compute with it."""
    try:
        in_utc = at.astimezone(UTC)
    except OverflowError:
        raise ValueError("no such time") from None
    if not FIRST_YEAR <= in_utc.year <= LAST_YEAR:
        raise ValueError("no such time")
    return in_utc


Instant = Annotated[AwareDatetime, AfterValidator(_within_the_calendar)]
"""An instant with its offset: of years that can be added to and kept in every zone."""


async def _raw(request: Request) -> bytes:
    return await request.body()


RawBody = Annotated[bytes, Depends(_raw)]
"""The body as it was sent; its size is limited before it comes here."""


class Body(BaseModel):
    """What is sent to us."""

    SECRET: ClassVar[frozenset[str]] = frozenset()
    """Fields of which not even a digest is kept."""
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class Shown(BaseModel):
    """What we answer."""

    model_config = ConfigDict(from_attributes=True)


class BothLanguages(Shown):
    """One text in the two languages of the product."""

    en: str
    zh: str


class Problem(Shown):
    """A refusal as the client sees it."""

    error: str = Field(description="a stable dotted word")
    message: BothLanguages
    details: dict[str, Any] = {}


class DemoAccount(Shown):
    """An account of the demonstration, shown on its sign-in page."""

    name: str
    password: str
    role: str


class Demo(Shown):
    """What a demonstration says of itself; absent in a real installation."""

    speed: float
    credit: BothLanguages
    accounts: list[DemoAccount]
