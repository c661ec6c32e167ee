"""What a place is made of. Shapes are kept twice: in local metres, and as WGS-84 degrees for export.

A position is (x east, y north) in metres or (longitude, latitude) in degrees; a ring is closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

Position = tuple[float, float]
Line = tuple[Position, ...]
Rings = tuple[Line, ...]
"""A polygon: its outer ring, then its holes. A line is one `Line`, a point one `Position`."""

NAME_LENGTH_MAX = 200
OUTSIDE = "outside"
"""How the document calls the far side of a gate at the district's edge; `None` in `Gate.zone_b`."""


class PlaceKind(StrEnum):
    """What can happen to a place."""

    PLACE_IMPORTED = "place.imported"


class Space(StrEnum):
    """Whether people walk through a zone or stand in it; the two have different crowd thresholds."""

    MOVING = "moving"
    STANDING = "standing"


class Coordinates(StrEnum):
    """What the degrees of a document mean; GCJ-02 is the offset of maps published in China."""

    WGS84 = "WGS84"
    GCJ02 = "GCJ02"


class Way(StrEnum):
    """What a walkway is."""

    STREET = "street"
    STAIRS = "stairs"
    INDOOR = "indoor"
    LIFT = "lift"


class Trade(StrEnum):
    """What premises are for."""

    SHOP = "shop"
    FOOD = "food"
    HOTEL = "hotel"
    TRANSPORT = "transport"
    TOILET = "toilet"
    SERVICE = "service"
    CULTURE = "culture"
    OTHER = "other"


class PostType(StrEnum):
    """What a post is."""

    KIOSK = "kiosk"
    VOLUNTEER = "volunteer"
    RAPID = "rapid"
    LOOKOUT = "lookout"
    SAFE_HOUSE = "safe_house"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """A zone's own densities (people/m²) for levels 1 to 4: where each rises, and below what it falls."""

    rises: tuple[float, float, float, float]
    falls: tuple[float, float, float, float]

    @property
    def sound(self) -> bool:
        """Whether the rises are positive and grow, and each fall lies below its rise and above zero."""
        grows = all(low < high for low, high in zip((0.0, *self.rises), self.rises, strict=False))
        return grows and all(0 < fall < rise for fall, rise in zip(self.falls, self.rises, strict=True))


@dataclass(frozen=True, slots=True)
class District:
    """A business district: its name, its local time and the centre of its local metres.

    `version` grows by one with every document that replaces the place; 0 before the first was kept.
    """

    id: str
    name_zh: str
    name_en: str
    time_zone: str
    country: str | None
    schematic: bool
    credit_zh: str | None
    credit_en: str | None
    day_starts: time
    centre_lon: float
    centre_lat: float
    version: int = 0

    def local(self, at: datetime) -> datetime:
        """The instant on the district's clocks."""
        return at.astimezone(ZoneInfo(self.time_zone))

    def day_of(self, at: datetime) -> date:
        """The day an instant belongs to; the small hours before `day_starts` belong to the day before."""
        local = self.local(at)
        return local.date() if local.time() >= self.day_starts else local.date() - timedelta(days=1)

    def day_begins(self, on: date) -> datetime:
        """The instant (UTC) at which the operational day begins, when the district counts as empty."""
        return datetime.combine(on, self.day_starts, ZoneInfo(self.time_zone)).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Zone:
    """A part of the district's ground whose people are counted together."""

    id: str
    name_zh: str
    name_en: str
    space: Space
    usable_m2: float
    thresholds: Thresholds | None
    polygon: Rings
    polygon_lonlat: Rings


@dataclass(frozen=True, slots=True)
class Gate:
    """Where people pass between `zone_a` and `zone_b` (None: the outside). `line` may be one position."""

    id: str
    name_zh: str
    name_en: str
    zone_a: str
    zone_b: str | None
    width_m: float
    line: Line
    line_lonlat: Line


@dataclass(frozen=True, slots=True)
class Walkway:
    """An edge of the walk graph, passable both ways, between the nodes `from_node` and `to_node`."""

    id: str
    from_node: str
    to_node: str
    length_m: float
    width_m: float
    way: Way
    line: Line
    line_lonlat: Line


@dataclass(frozen=True, slots=True)
class Premises:
    """A shop, restaurant, station, toilet…: somewhere with a door and people in charge."""

    id: str
    name_zh: str
    name_en: str
    trade: Trade
    zone_id: str | None
    point: Position
    point_lonlat: Position


@dataclass(frozen=True, slots=True)
class Post:
    """A place where somebody on duty stands."""

    id: str
    name_zh: str
    name_en: str
    post_kind: PostType
    zone_id: str | None
    point: Position
    point_lonlat: Position


@dataclass(frozen=True, slots=True)
class Place:
    """A district and everything in it; zones and gates by their id, in the order of their ids."""

    district: District
    zones: Mapping[str, Zone]
    gates: Mapping[str, Gate]
    walkways: tuple[Walkway, ...]
    premises: tuple[Premises, ...]
    posts: tuple[Post, ...]

    def beside(self, zone_id: str) -> set[str]:
        """The zones on the other side of a zone's gates."""
        ends = [{gate.zone_a, gate.zone_b} for gate in self.gates.values()]
        return {other for both in ends if zone_id in both for other in both if other not in (zone_id, None)}

    @property
    def counts(self) -> dict[str, int]:
        """How many features of each kind there are."""
        return {
            "zones": len(self.zones),
            "gates": len(self.gates),
            "walkways": len(self.walkways),
            "premises": len(self.premises),
            "posts": len(self.posts),
        }
