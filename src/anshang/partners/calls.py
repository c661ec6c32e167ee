"""What the routes of any room need of partners: their doors on the streets of now."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from anshang.partners.doors import DoorBook
from anshang.web.session import shared

DoorsOfAll = Annotated[DoorBook, Depends(shared(DoorBook))]
"""The doors of all districts, and how far they are on foot now."""
