"""What the tags of OpenStreetMap mean here: what can be walked, how wide it is, what a shop is for, names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from anshang.places.model import NAME_LENGTH_MAX, Trade, Way

Tags = Mapping[str, str]

DEFAULT_WIDTH_M = {
    "pedestrian": 8.0,
    "living_street": 6.0,
    "residential": 5.0,
    "service": 4.0,
    "unclassified": 5.0,
    "footway": 3.0,
    "path": 2.0,
    "cycleway": 2.5,
    "track": 3.0,
    "steps": 3.0,
    "corridor": 3.0,
    "platform": 3.0,
    "elevator": 1.5,
    "crossing": 4.0,
}
"""Where a way says nothing of its width. Of larger roads only the two pavements can be walked."""
PAVEMENTS_WIDTH_M = 4.0
_ROADS = {"tertiary", "secondary", "primary", "road"}
_ROADS |= {f"{road}_link" for road in ("tertiary", "secondary", "primary")}
_WALKABLE = DEFAULT_WIDTH_M.keys() | _ROADS
_CLOSED = {"no", "private"}
_OPEN = {"yes", "designated", "permissive", "destination", "official"}
_WIDTH = re.compile(r"(\d{1,3}(?:[.,]\d{1,3})?)\s*m?")
_CHINESE = re.compile(r"[\u3400-\u9fff]")

_TRADE_TAGS: dict[Trade, dict[str, str]] = {
    Trade.FOOD: {"amenity": "restaurant cafe fast_food bar pub food_court ice_cream biergarten"},
    Trade.TRANSPORT: {
        "amenity": "bus_station ferry_terminal taxi bicycle_rental car_rental",
        "railway": "station subway_entrance halt tram_stop",
        "public_transport": "station",
    },
    Trade.TOILET: {"amenity": "toilets"},
    Trade.HOTEL: {"tourism": "hotel hostel guest_house motel apartment"},
    Trade.CULTURE: {
        "amenity": "theatre cinema arts_centre nightclub casino music_venue planetarium social_centre "
        "events_venue exhibition_centre dojo karaoke_box",
        "tourism": "museum gallery attraction theme_park aquarium zoo",
        "leisure": "fitness_centre sports_centre amusement_arcade bowling_alley escape_game dance",
    },
    Trade.SERVICE: {
        "amenity": "bank pharmacy clinic doctors dentist hospital post_office police fire_station townhall "
        "courthouse library kindergarten school university college childcare social_facility veterinary "
        "bureau_de_change fuel money_transfer community_centre place_of_worship internet_cafe car_wash "
        "language_school music_school driving_school coworking_space conference_centre studio",
    },
    Trade.SHOP: {"amenity": "marketplace"},
}
_TRADES = {
    (key, value): trade
    for trade, tags in _TRADE_TAGS.items()
    for key, values in tags.items()
    for value in values.split()
}

TRADE_NAMES = {
    Trade.SHOP: ("商铺", "Shop"),
    Trade.FOOD: ("餐饮", "Food"),
    Trade.HOTEL: ("旅馆", "Hotel"),
    Trade.TRANSPORT: ("交通站点", "Transport"),
    Trade.TOILET: ("公共厕所", "Toilets"),
    Trade.SERVICE: ("服务点", "Service"),
    Trade.CULTURE: ("文化娱乐", "Culture"),
    Trade.OTHER: ("场所", "Premises"),
}
ZONE_NAMES = {
    "square": ("广场", "Square"),
    "pedestrian": ("步行街", "Pedestrian street"),
    "living_street": ("生活街区道路", "Living street"),
    "footway": ("人行道", "Footway"),
}
STREET_NAMES = ("街道", "Street")


def is_walkable(tags: Tags) -> bool:
    """Whether people may walk along a way."""
    highway = tags.get("highway")
    foot = tags.get("foot")
    if highway == "trunk":
        return foot in _OPEN or tags.get("sidewalk") in {"both", "left", "right", "yes"}
    if highway not in _WALKABLE or foot in _CLOSED or tags.get("indoor") == "room":
        return False
    return tags.get("access") not in _CLOSED or foot in _OPEN


def is_square(tags: Tags) -> bool:
    """Whether an area is a pedestrian area or a square."""
    if tags.get("access") in _CLOSED and tags.get("foot") not in _OPEN:
        return False
    return tags.get("highway") == "pedestrian" or tags.get("place") == "square"


def is_area(tags: Tags) -> bool:
    """Whether a closed way is the outline of an area rather than a street."""
    return tags.get("area") == "yes" or tags.get("place") == "square"


def width_m(tags: Tags) -> float:
    """The width people have, by the tag or by the kind of way."""
    highway = tags.get("highway", "")
    if highway in DEFAULT_WIDTH_M:
        given = _WIDTH.fullmatch(tags.get("width", "").strip().lower())
        if given and 0.5 <= (wide_m := float(given[1].replace(",", "."))) <= 100:
            return wide_m
    return DEFAULT_WIDTH_M.get(highway, PAVEMENTS_WIDTH_M)


def way_of(tags: Tags) -> Way:
    """What kind of walkway a way is."""
    highway = tags.get("highway")
    if highway == "elevator":
        return Way.LIFT
    if highway == "steps":
        return Way.STAIRS
    indoor = highway == "corridor" or tags.get("indoor", "no") != "no"
    return Way.INDOOR if indoor else Way.STREET


def trade_of(tags: Tags) -> Trade | None:
    """What premises with these tags are for, None when they are no premises (a bench, a litter bin)."""
    if tags.get("shop", "no") not in {"no", "vacant"}:
        return Trade.SHOP
    for tag in tags.items():
        if tag in _TRADES:
            return _TRADES[tag]
    return Trade.SERVICE if tags.keys() & {"office", "craft", "healthcare"} else None


def names_of(tags: Tags, kind: tuple[str, str]) -> tuple[str, str]:
    """The name in Chinese and in English; the other language or the word for the kind stands in."""
    local = _clean(tags.get("name") or tags.get("brand") or tags.get("ref") or "")
    chinese = _clean(tags.get("name:zh") or tags.get("name:zh-Hans") or "")
    english = _clean(tags.get("name:en") or "")
    is_chinese = bool(_CHINESE.search(local))
    chinese = chinese or (local if is_chinese else "")
    english = english or ("" if is_chinese else local)
    return chinese or local or english or kind[0], english or local or chinese or kind[1]


def _clean(name: str) -> str:
    """Without control characters, and cut short."""
    shown = "".join(" " if unicodedata.category(sign) in {"Cc", "Cs"} else sign for sign in name)
    return " ".join(shown.split())[:NAME_LENGTH_MAX].strip()
