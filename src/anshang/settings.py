"""The settings of an installation: defaults, then the file `anshang.toml`, then the environment.

Settings say how this machine runs the product. What a district is and how its rules go is data in the
database.
"""

from __future__ import annotations

import dataclasses
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How one installation runs. Every field can be set in the file or as `ANSHANG_<FIELD>`."""

    data_folder: Path = Path("data")
    """Where the embedded database, the sealed counts and the settings file live."""
    database_url: str = dataclasses.field(default="", repr=False)
    """A PostgreSQL address (`postgresql+psycopg://…`); empty for the embedded database in `data_folder`."""
    database_owner_url: str = dataclasses.field(default="", repr=False)
    """The same as the role that owns the tables; for `init`, `backup`, `restore` and new versions."""
    host: str = "127.0.0.1"
    """The address the server listens on; behind a proxy leave it as it is."""
    port: int = 8765
    """The port the server listens on."""
    trusted_proxies: str = ""
    """The proxies in front, as `127.0.0.1,10.0.0.0/8`: they alone are believed for whom they ask."""
    https: bool = False
    """Serve HTTPS with the certificate in `data_folder/tls`, which `anshang cert` makes."""
    secure_cookies: bool = False
    """Send the session cookie over HTTPS only; true wherever people sign in from another machine."""
    session_hours: float = 14.0
    """How long a sign-in lasts: a long shift with its hand-over."""
    partner_session_days: float = 30.0
    """How long a partner's sign-in lasts, on a phone that lies behind a counter."""
    sign_in_tries_per_minute: int = 6
    """Failed and successful tries allowed per name and address in a minute."""
    raw_hours: float = 48.0
    """How long raw observations stay in the database before they are sealed into Parquet."""
    mqtt_host: str = ""
    """The MQTT broker that sensors publish to; empty for none."""
    mqtt_port: int = 1883
    """The broker's port."""
    mqtt_user: str = ""
    """The broker's user name; empty for none."""
    mqtt_password: str = dataclasses.field(default="", repr=False)
    """The broker's password; never logged."""
    cot_host: str = "0.0.0.0"  # noqa: S104 - TAK clients come from other machines; the ports are closed by default
    """The address on which TAK clients are heard."""
    cot_tcp_port: int = 0
    """The port for Cursor on Target over TCP; 0 for none. Put it behind a VPN: CoT itself hides nothing."""
    cot_udp_port: int = 0
    """The port for Cursor on Target over UDP; 0 for none."""
    cot_send_to: str = ""
    """Where units and open incidents go as CoT over UDP, as `239.2.3.1:6969`; empty for nowhere."""
    notice_webhook_url: str = ""
    """A gateway (enterprise chat, short messages) that is told when partners have a notice; or empty."""
    notice_webhook_secret: str = dataclasses.field(default="", repr=False)
    """Signs what the gateway is told."""
    push_contact: str = ""
    """Whom push services may write to (`mailto:…`): tells phones of notices by web push; empty for nobody."""
    push_services: str = "fcm.googleapis.com,push.services.mozilla.com,push.apple.com,notify.windows.com"
    """The push services that phones may use; no other address is called."""
    vault_keys: str = dataclasses.field(default="", repr=False)
    """Master keys of the vault: base64 of 32 bytes each, the first for what is new; empty: a file's."""
    training_hour: int = 4
    """The local hour in which the forecast of crowds is trained each night; -1 for never."""
    metrics_key: str = dataclasses.field(default="", repr=False)
    """The key with which Prometheus may ask `/metrics`; empty: nobody may."""
    log_level: str = "info"
    """How much is logged: debug, info, warning or error."""

    @property
    def resolved_database_url(self) -> str:
        """The database's address, the embedded one when none is set."""
        return self.database_url or f"sqlite:///{(self.data_folder / 'anshang.db').absolute()}"

    @property
    def tls_folder(self) -> Path:
        """Where the certificate of a closed network lies; no back-up takes its keys along."""
        return self.data_folder / "tls"

    @property
    def vault_folder(self) -> Path:
        """Where the keys of personal records lie, one file each; no back-up takes them along."""
        return self.data_folder / "vault"

    @property
    def sealed_folder(self) -> Path:
        """Where sealed observations lie as Parquet."""
        return self.data_folder / "sealed"


def load_settings(data_folder: Path | None = None, environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from defaults, `data_folder/anshang.toml` and the environment; ValueError names a bad one."""
    folder = data_folder or Path(environment.get("ANSHANG_DATA_FOLDER", "data"))
    file = folder / "anshang.toml"
    told: dict[str, object] = tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}
    defaults = dataclasses.asdict(Settings())
    if unknown := sorted(set(told) - set(defaults)):
        raise ValueError(f"{file}: unknown settings: {', '.join(unknown)}")
    for name in defaults:
        if (value := environment.get(f"ANSHANG_{name.upper()}")) is not None:
            told[name] = value
    told["data_folder"] = folder
    return dataclasses.replace(
        Settings(), **{name: _read(name, defaults[name], value) for name, value in told.items()}
    )


def _read(name: str, default: Any, value: Any) -> Any:
    """`value` as the type of the field's default."""
    try:
        if isinstance(default, bool):
            return {"true": True, "false": False}[str(value).lower()]
        return type(default)(value)
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"the setting {name} cannot be {value!r}") from None
