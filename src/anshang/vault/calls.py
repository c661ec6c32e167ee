"""What the routes of any room need of the vault: the installation's keys."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from anshang.vault.keys import Keyring


async def _keyring_of(request: Request) -> Keyring:
    keyring: Keyring = request.app.state.keyring
    return keyring


Keys = Annotated[Keyring, Depends(_keyring_of)]
"""The installation's keys, for a route that asks for them."""
