"""What the routes of any room need of the live crowd."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from anshang.crowds.outlook import Outlooks
from anshang.crowds.watch import Watch
from anshang.web.session import shared

Crowd = Annotated[Watch, Depends(shared(Watch))]
"""The running engines of all districts."""
Ahead = Annotated[Outlooks, Depends(shared(Outlooks))]
"""The forecasts of all districts."""
