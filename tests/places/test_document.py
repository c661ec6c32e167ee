"""The place document in and out, and every mistake it can hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from anshang.foundation.errors import BadInput
from anshang.kernels.geometry import gcj02_from_wgs84
from anshang.places.document import read_document, to_text, write_document
from anshang.places.model import Place, Space, Way
from anshang.places.problems import MESSAGES, SHOWN_MAX
from anshang.places.shapes import carried

Document = dict[str, Any]
FIRST_LINE = 4
"""Where the first feature stands in a file of ours."""


def read(document: Document) -> Place:
    return read_document(json.dumps(document).encode())


def refused(document: Document | bytes) -> BadInput:
    content = (
        document if isinstance(document, bytes) else to_text(document).encode("utf-8", "backslashreplace")
    )
    with pytest.raises(BadInput) as caught:
        read_document(content)
    json.dumps(caught.value.details, allow_nan=False).encode()
    caught.value.zh.encode()
    return caught.value


def problems_of(document: Document) -> list[tuple[int, str | None, str]]:
    return [(p["line"], p["feature"], p["error"]) for p in refused(document).details["problems"]]


def test_a_document_becomes_a_place_in_local_metres(sample: Document) -> None:
    place = read(sample)
    assert place.counts == {"zones": 2, "gates": 2, "walkways": 3, "premises": 1, "posts": 1}
    assert place.zones["z02"].space is Space.STANDING
    assert place.zones["z02"].thresholds is not None
    assert place.zones["z02"].thresholds.falls == (0.8, 1.6, 2.5, 3.0)
    assert (place.gates["g01"].zone_a, place.gates["g01"].zone_b) == ("z01", "z02")
    assert (place.gates["g02"].zone_a, place.gates["g02"].zone_b) == ("z01", None)
    assert len(place.gates["g02"].line) == 1
    assert place.walkways[0].way is Way.STREET
    west, east = place.gates["g02"].line[0], place.gates["g01"].line[0]
    assert east[0] - west[0] == pytest.approx(98.2, abs=0.2)
    assert place.posts[0].zone_id is None


def test_writing_gives_back_what_was_read(sample: Document) -> None:
    sample["features"][8]["properties"]["zone"] = "z02"
    assert write_document(read(sample)) == sample


def test_reading_what_was_written_gives_the_same_place(sample: Document) -> None:
    place = read(sample)
    assert read_document(to_text(write_document(place)).encode()) == place


def test_optional_members_may_be_absent(sample: Document) -> None:
    for name in ("country", "schematic", "credit", "coordinates", "day_starts"):
        del sample["anshang"]["district"][name]
    del sample["features"][0]["properties"]["thresholds"]
    place = read(sample)
    assert place.district.day_starts.hour == 5
    assert place.district.country is None
    assert not place.district.schematic


def test_a_length_that_is_not_given_is_measured(sample: Document) -> None:
    sample["features"][4]["properties"]["length_m"] = None
    assert read(sample).walkways[0].length_m == pytest.approx(98.2, abs=0.2)


def test_a_gate_named_from_the_outside_is_the_same_gate(sample: Document) -> None:
    sample["features"][3]["properties"]["between"].reverse()
    assert (read(sample).gates["g02"].zone_a, read(sample).gates["g02"].zone_b) == ("z01", None)


def test_heights_are_left_out(sample: Document) -> None:
    sample["features"][8]["geometry"]["coordinates"].append(44.0)
    assert len(read(sample).posts[0].point_lonlat) == 2


def test_a_file_may_begin_with_a_byte_order_mark_and_hold_foreign_members(sample: Document) -> None:
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}
    document = {"name": "from a drawing program", "crs": crs, "bbox": [1, 2, 3, 4]} | sample
    assert read_document(b"\xef\xbb\xbf" + json.dumps(document).encode()) == read(sample)


def test_marked_gcj02_becomes_wgs84(sample: Document) -> None:
    wgs84 = read(sample)
    for feature in sample["features"]:
        shape = feature["geometry"]
        depth = {"Point": 0, "LineString": 1, "Polygon": 2}[shape["type"]]
        rings = shape["coordinates"]
        for _ in range(2 - depth):
            rings = [rings]
        rings = [list(map(list, ring)) for ring in carried([rings], gcj02_from_wgs84)[0]]
        for _ in range(2 - depth):
            rings = rings[0]
        shape["coordinates"] = rings
    sample["anshang"]["district"]["coordinates"] = "GCJ02"
    place = read(sample)
    for zone in place.zones.values():
        for ours, theirs in zip(zone.polygon_lonlat[0], wgs84.zones[zone.id].polygon_lonlat[0], strict=True):
            assert ours == pytest.approx(theirs, abs=1e-8)
    out = write_document(place)
    assert out["anshang"]["district"]["coordinates"] == "WGS84"
    assert write_document(read(out)) == out


def test_long_names_are_cut_and_emoji_kept(sample: Document) -> None:
    sample["features"][7]["properties"]["name"] = {"zh": "茶" * 500, "en": "🍵" * 500}
    premises = read(sample).premises[0]
    assert premises.name_zh == "茶" * 200
    assert premises.name_en == "🍵" * 200


Change = Callable[[Document], object]


def properties(number: int, **values: Any) -> Change:
    return lambda document: document["features"][number]["properties"].update(values)


def without(number: int, name: str) -> Change:
    return lambda document: document["features"][number]["properties"].pop(name)


def shape(number: int, kind: str, coordinates: Any) -> Change:
    geometry = {"type": kind, "coordinates": coordinates}
    return lambda document: document["features"][number].update(geometry=geometry)


def ring(*steps: tuple[float, float]) -> list[list[list[float]]]:
    return [[[112.97 + x / 1000, 28.19 + y / 1000] for x, y in steps]]


def district(**values: Any) -> Change:
    return lambda document: document["anshang"]["district"].update(values)


def no_length(document: Document) -> None:
    properties(6, length_m=None)(document)
    shape(6, "LineString", [[112.97, 28.19], [112.97, 28.19]])(document)


FEATURE_MISTAKES: list[tuple[str, int, Change]] = [
    ("feature.kind", 0, properties(0, kind="island")),
    ("feature.kind", 0, without(0, "kind")),
    ("feature.kind", 0, properties(0, kind=["zone"])),
    ("field.object", 0, lambda d: d["features"][0].update(properties=None)),
    ("field.missing", 0, without(0, "usable_m2")),
    ("field.missing", 0, without(0, "name")),
    ("field.missing", 0, without(0, "space")),
    ("field.unknown", 0, properties(0, treshold=3)),
    ("field.number", 0, properties(0, usable_m2="9000")),
    ("field.number", 0, properties(0, usable_m2=True)),
    ("field.number", 0, properties(0, usable_m2=10**400)),
    ("field.range", 0, properties(0, usable_m2=0)),
    ("field.range", 3, properties(3, width_m=-2)),
    ("field.range", 3, properties(3, width_m=1e300)),
    ("field.choice", 0, properties(0, space="floating")),
    ("field.text", 0, properties(0, space=7)),
    ("field.choice", 7, properties(7, trade="circus")),
    ("field.choice", 8, properties(8, post_kind="castle")),
    ("field.choice", 4, properties(4, way="canal")),
    ("field.object", 0, properties(0, name="甲区")),
    ("name.missing", 0, properties(0, name={"zh": "甲区"})),
    ("name.missing", 0, properties(0, name={"zh": "甲区", "en": "  "})),
    ("field.text", 0, properties(0, name={"zh": "甲区", "en": 5})),
    ("name.unprintable", 0, properties(0, name={"zh": "甲\n区", "en": "A"})),
    ("name.unprintable", 0, properties(0, name={"zh": "甲区", "en": "\x00"})),
    ("name.unprintable", 0, properties(0, name={"zh": "甲区", "en": "\ud83d"})),
    ("thresholds.unsound", 0, properties(0, thresholds={"rises": [1, 2, 3, 4]})),
    ("thresholds.unsound", 0, properties(0, thresholds={"rises": [1, 2, 2, 4], "falls": [0.5, 1, 1, 1]})),
    ("thresholds.unsound", 0, properties(0, thresholds={"rises": [1, 2, 3, 4], "falls": [0.5, 2, 1, 1]})),
    ("thresholds.unsound", 0, properties(0, thresholds={"rises": [1, 2, 3], "falls": [0.5, 1, 1, 1]})),
    ("thresholds.unsound", 0, properties(0, thresholds={"rises": [1, 2, 3, "4"], "falls": [0.5, 1, 1, 1]})),
    ("thresholds.unsound", 0, properties(0, thresholds=[])),
    ("field.missing", 8, lambda d: d["features"][8].pop("id")),
    ("field.text", 8, lambda d: d["features"][8].update(id=8)),
    ("field.code", 8, lambda d: d["features"][8].update(id="Kiosk 1")),
    ("id.duplicate", 8, lambda d: d["features"][8].update(id="p01")),
    ("geometry.kind", 0, lambda d: d["features"][0].update(geometry=None)),
    ("geometry.kind", 0, shape(0, "MultiPolygon", [])),
    ("geometry.kind", 8, shape(8, "LineString", [[112.97, 28.19], [112.98, 28.19]])),
    ("geometry.position", 8, shape(8, "Point", [112.97])),
    ("geometry.position", 8, shape(8, "Point", ["112.97", 28.19])),
    ("geometry.position", 8, shape(8, "Point", None)),
    ("geometry.position", 4, shape(4, "LineString", [1, 2])),
    ("geometry.range", 8, shape(8, "Point", [28.19, 112.97])),
    ("geometry.range", 8, shape(8, "Point", [1e300, 0])),
    ("geometry.short", 4, shape(4, "LineString", [[112.97, 28.19]])),
    ("geometry.short", 0, shape(0, "Polygon", [])),
    ("geometry.short", 0, shape(0, "Polygon", {"a": 1})),
    ("geometry.short", 0, shape(0, "Polygon", [[[112.97, 28.19]]])),
    ("geometry.open", 0, shape(0, "Polygon", ring((0, 0), (1, 0), (1, 1), (0, 1)))),
    ("geometry.far", 8, shape(8, "Point", [24.9, 60.1])),
    ("geometry.far", 8, shape(8, "Point", [-67.0, -28.0])),
    ("zone.area", 0, shape(0, "Polygon", ring((0, 0), (0, 0), (0, 0), (0, 0)))),
    ("zone.area", 0, shape(0, "Polygon", ring((0, 0), (1, 0), (0.5, 0), (0, 0)))),
    ("zone.area", 0, shape(0, "Polygon", ring((0, 0), (0.005, 0), (0.005, 0.001), (0, 0)))),
    ("zone.crossing", 0, shape(0, "Polygon", ring((0, 0), (1, 1), (1, 0), (0, 1), (0, 0)))),
    ("zone.usable", 0, properties(0, usable_m2=20_000)),
    ("zone.overlap", 1, shape(1, "Polygon", ring((0.9, 0), (2, 0), (2, 1), (0.9, 1), (0.9, 0)))),
    ("zone.overlap", 1, shape(1, "Polygon", ring((0, 0), (1, 0), (1, 1), (0, 1), (0, 0)))),
    ("zone.unknown", 2, properties(2, between=["z01", "z99"])),
    ("zone.unknown", 7, properties(7, zone="z99")),
    ("field.text", 7, properties(7, zone=5)),
    ("gate.between", 2, properties(2, between=["z01"])),
    ("gate.between", 2, properties(2, between=["z01", "z01"])),
    ("gate.between", 2, properties(2, between=["outside", "outside"])),
    ("gate.between", 2, properties(2, between=["z01", 2])),
    ("gate.between", 2, properties(2, between="z01")),
    ("gate.between", 2, properties(2, between=5)),
    ("field.missing", 2, without(2, "between")),
    ("gate.far", 2, shape(2, "Point", [112.97, 28.19])),
    ("walkway.isolated", 6, properties(6, **{"from": "n8", "to": "n9"})),
    ("walkway.loop", 6, properties(6, to="n3")),
    ("walkway.no_length", 6, no_length),
    ("field.code", 4, properties(4, **{"from": "\x00"})),
    ("feature.type", 8, lambda d: d["features"].__setitem__(8, {"type": "Point"})),
    ("feature.type", 8, lambda d: d["features"].__setitem__(8, "kiosk")),
]


@pytest.mark.parametrize(("error", "number", "change"), FEATURE_MISTAKES)
def test_a_mistake_is_told_with_its_line(sample: Document, error: str, number: int, change: Change) -> None:
    change(sample)
    found = problems_of(sample)
    assert [(line, kind) for line, _, kind in found] == [(FIRST_LINE + number, error)]


DISTRICT_MISTAKES: list[tuple[str, Change]] = [
    ("field.code", district(id="Wuyi District")),
    ("field.missing", lambda d: d["anshang"]["district"].pop("id")),
    ("field.missing", lambda d: d["anshang"]["district"].pop("time_zone")),
    ("field.time_zone", district(time_zone="Mars/Olympus")),
    ("field.time_zone", district(time_zone="../../etc/passwd")),
    ("field.time_zone", district(time_zone="Asia")),
    ("field.time", district(day_starts="25:00")),
    ("field.time", district(day_starts=5)),
    ("field.country", district(country="China")),
    ("field.country", district(country=86)),
    ("field.bool", district(schematic="yes")),
    ("field.choice", district(coordinates="BD09")),
    ("name.missing", district(credit={"en": "somebody"})),
    ("field.unknown", district(colour="red")),
    ("field.object", lambda d: d["anshang"].update(district=[])),
    ("field.object", lambda d: d.update(anshang=[])),
    ("document.format", lambda d: d["anshang"].update(format=2)),
    ("document.crs", lambda d: d.update(crs={"properties": {"name": "EPSG:3857"}})),
]


@pytest.mark.parametrize(("error", "change"), DISTRICT_MISTAKES)
def test_a_mistake_in_the_head_is_told(sample: Document, error: str, change: Change) -> None:
    change(sample)
    assert error in {kind for _, feature, kind in problems_of(sample) if feature is None}


def test_a_file_without_district_or_zones_is_refused(sample: Document) -> None:
    del sample["anshang"]
    assert (1, None, "document.member") in problems_of(sample)


def test_a_place_without_a_zone_is_refused(sample: Document) -> None:
    sample["features"] = []
    assert problems_of(sample) == [(1, None, "document.no_zone")]


def test_every_mistake_is_told_at_once_in_both_languages(sample: Document) -> None:
    for change in (properties(0, space="?"), properties(3, width_m=0), properties(8, zone="z77")):
        change(sample)
    refusal = refused(sample)
    told = refusal.details["problems"]
    assert [problem["line"] for problem in told] == [4, 7, 12]
    assert all(problem["en"] and problem["zh"] for problem in told)
    assert "Line 4 (z01)" in refusal.en
    assert "第 4 行" in refusal.zh


def test_lines_are_those_of_the_file_as_it_was_sent(sample: Document) -> None:
    sample["features"][1]["properties"]["space"] = "?"
    text = json.dumps(sample, indent=2, ensure_ascii=False).replace("\n", "\r\n")
    (problem,) = refused(text.encode()).details["problems"]
    assert '"id": "z02"' in "".join(text.split("\r\n")[problem["line"] - 1 : problem["line"] + 2])


def test_a_wrong_zone_is_not_also_unknown_to_its_gates(sample: Document) -> None:
    sample["features"][0]["properties"]["space"] = "?"
    assert [kind for *_, kind in problems_of(sample)] == ["field.choice"]


def test_two_features_on_one_line_with_one_id_are_a_duplicate(sample: Document) -> None:
    sample["features"][8]["id"] = "p01"
    (problem,) = refused(json.dumps(sample).encode()).details["problems"]
    assert problem["error"] == "id.duplicate"


def test_a_flood_of_mistakes_is_counted_and_cut(grid: Callable[[int], Document]) -> None:
    document = grid(1500)
    for feature in document["features"]:
        feature["properties"]["name"] = None
        feature["properties"]["width_m"] = None
    details = refused(document).details
    assert len(details["problems"]) == SHOWN_MAX
    assert details["problem_count"] > 3000


def test_a_flood_of_overlaps_is_cut_too(sample: Document) -> None:
    zone = sample["features"][0]
    sample["features"] = [zone | {"id": f"z{number}"} for number in range(60)]
    assert SHOWN_MAX <= refused(sample).details["problem_count"] < SHOWN_MAX + 60


def test_every_message_is_tried_by_a_test() -> None:
    tried = {error for error, *_ in [*FEATURE_MISTAKES, *DISTRICT_MISTAKES]}
    assert MESSAGES.keys() - tried == {"document.member", "document.no_zone"}
