"""What the rooms of one installation share among requests and jobs: each made once, known by its type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

T = TypeVar("T")


class Services:
    """The shared objects of a running installation: `services[Keyring]`.

    A maker may ask for what others make; two that ask for each other end in a RecursionError at the start.
    """

    def __init__(self, makers: Mapping[type[Any], Maker]) -> None:
        self._makers = dict(makers)
        self._made: dict[type[Any], object] = {}

    def add(self, service: object) -> None:
        """Share an object that exists already, by its type."""
        self._made[type(service)] = service

    def __getitem__(self, kind: type[T]) -> T:
        """The one of this type, made when it is first asked for. LookupError when no room makes it."""
        if kind not in self._made:
            if kind not in self._makers:
                raise LookupError(f"no room makes a {kind.__name__}")
            self._made[kind] = self._makers[kind](self)
        return cast(T, self._made[kind])

    def make_all(self) -> None:
        """Make what nobody has asked for yet, before threads ask."""
        for kind in self._makers:
            self[kind]


Maker = Callable[[Services], object]
