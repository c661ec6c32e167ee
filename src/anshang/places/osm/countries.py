"""Which time zone a country has, by the table of the tz database."""

from __future__ import annotations

from importlib.resources import files

from anshang.foundation.errors import BadInput

HOME_ZONE = "Asia/Shanghai"
"""Of a district without a country, and the official time of all China."""


def time_zone_of(country: str | None) -> str:
    """The only time zone of a country (ISO 3166, two capitals); BadInput when it has several or none."""
    if country is None:
        return HOME_ZONE
    lines = (files("tzdata") / "zoneinfo" / "zone.tab").read_text("utf-8").splitlines()
    zones = [line.split("\t")[2] for line in lines if line.startswith(f"{country}\t")]
    if len(zones) != 1 and HOME_ZONE not in zones:
        named = ", ".join(zones) or "–"
        raise BadInput(
            "country.time_zone",
            en=f"{country} has no single time zone; choose one with --time-zone: {named}.",
            zh=f"{country} 的时区不唯一；请用 --time-zone 选择：{named}。",
        )
    return HOME_ZONE if HOME_ZONE in zones else zones[0]
