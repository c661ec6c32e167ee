"""What the routes of any room need of dispatch: who can go, and how soon they are there."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from anshang.dispatch.dispatcher import Dispatcher
from anshang.web.session import shared

Dispatching = Annotated[Dispatcher, Depends(shared(Dispatcher))]
"""The dispatcher of all districts."""
