"""What the routes of any room need of patrols: where units are now."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from anshang.patrols.whereabouts import Whereabouts
from anshang.web.session import shared

Positions = Annotated[Whereabouts, Depends(shared(Whereabouts))]
"""The newest positions of all units on duty."""
