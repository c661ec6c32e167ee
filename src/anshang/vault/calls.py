"""What the routes of any room need of the vault: the installation's keys."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from anshang.vault.keys import Keyring
from anshang.web.session import shared

Keys = Annotated[Keyring, Depends(shared(Keyring))]
"""The installation's keys, for a route that asks for them."""
