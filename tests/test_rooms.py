"""A room declares itself, and nothing else has to know it."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends
from starlette.testclient import TestClient

import anshang
from anshang.app import create_app
from anshang.foundation.actor import Permission
from anshang.foundation.database import Database
from anshang.foundation.jobs import Job, Supervisor
from anshang.foundation.rooms import Room
from anshang.foundation.wiring import Services
from anshang.rooms import ROOMS
from anshang.settings import Settings
from anshang.web.session import shared


@dataclass
class Kettle:
    """What a tiny room keeps for its route and its job."""

    boiled: int = 0

    def boil(self, _district_id: str) -> None:
        """Once more."""
        self.boiled += 1


router = APIRouter()


@router.get("/api/kettle")
def kettle(kettle: Annotated[Kettle, Depends(shared(Kettle))]) -> int:
    """How often it has boiled."""
    return kettle.boiled


TINY = Room(
    name="tea",
    routers=(router,),
    makes={Kettle: lambda _: Kettle()},
    jobs=lambda services: [
        Job(
            name="tea.boil",
            run=services[Kettle].boil,
            every_s=1,
            lane="tea",
            by_district=False,
            en="Tea",
            zh="茶",
        )
    ],
)


def test_a_room_that_declares_itself_is_served_and_worked_for(database: Database, tmp_path: Path) -> None:
    app = create_app(Settings(data_folder=tmp_path, database_url=database.url), rooms=(*ROOMS, TINY))
    supervisor = app.state.services[Supervisor]
    supervisor.run_due("tea")
    assert TestClient(app).get("/api/kettle").json() == 1
    assert "tea.boil" in {report.name for report in supervisor.report()}


def test_two_rooms_never_bear_one_name() -> None:
    names = [room.name for room in ROOMS]
    assert len(names) == len(set(names))


def test_what_no_room_makes_is_refused_by_its_name() -> None:
    with pytest.raises(LookupError, match="Kettle"):
        Services({})[Kettle]


def test_every_package_with_routes_or_entries_of_its_own_is_a_room() -> None:
    """What is not listed would be served to nobody, and its entries would have no words."""
    packages = {
        package.name
        for package in pkgutil.iter_modules(anshang.__path__)
        if package.ispkg
        and any(
            file.name == "room" or file.name.endswith("api")
            for file in pkgutil.iter_modules(importlib.import_module(f"anshang.{package.name}").__path__)
        )
    }
    assert packages == {room.name for room in ROOMS}


def test_every_kind_of_entry_is_declared_by_its_room() -> None:
    """Kinds are `noun.participle` in an enum; permissions look alike and are none."""
    permissions = {str(permission) for permission in Permission}
    kinds = {
        str(kind)
        for package in pkgutil.iter_modules(anshang.__path__)
        if package.ispkg
        for file in pkgutil.iter_modules(importlib.import_module(f"anshang.{package.name}").__path__)
        for named in vars(importlib.import_module(f"anshang.{package.name}.{file.name}")).values()
        if isinstance(named, type) and issubclass(named, StrEnum)
        for kind in named
        if "." in kind
    }
    assert kinds - permissions == {str(kind) for room in ROOMS for events in room.events for kind in events}
