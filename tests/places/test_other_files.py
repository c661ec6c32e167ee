"""Whatever file is given as a place: it is read, or refused in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.places.test_document import Document, read, refused

from anshang.foundation.errors import BadInput
from anshang.places.document import read_document, to_text, write_document


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "place.empty_file"),
        (b" \n ", "place.empty_file"),
        (b"\xff\xd8\xff\xe0 a picture", "place.not_text"),
        (b"{", "place.not_json"),
        (b'{"type": "FeatureCollection",\n "features": [}', "place.not_json"),
        (b"hello", "place.not_json"),
        (b"null", "place.not_geojson"),
        (b"[]", "place.not_geojson"),
        (b"{}", "place.not_geojson"),
        (b'{"type": "Feature"}', "place.not_geojson"),
        (b'{"type": "FeatureCollection", "features": {}}', "place.not_geojson"),
        (b"[" * 100_000, "place.not_readable"),
        (b'{"a":' * 100_000, "place.not_readable"),
        (b"[" + b"9" * 100_000 + b"]", "place.not_readable"),
        (b'{"type": "FeatureCollection", "features": [NaN, Infinity, 1e999]}', "place.malformed"),
    ],
)
def test_a_file_that_is_something_else_is_refused_in_words(content: bytes, code: str) -> None:
    assert refused(content).code == code


def test_not_a_number_is_refused_wherever_it_stands(sample: Document) -> None:
    text = to_text(sample).replace("9000.0", "NaN").replace("5.5", "Infinity")
    found = refused(text.encode()).details["problems"]
    assert [problem["error"] for problem in found] == ["field.number"] * 3


def test_broken_json_is_told_with_line_and_column() -> None:
    refusal = refused(b'{"type": "FeatureCollection",\n "features": [}')
    assert refusal.details == {"line": 2, "column": 15}


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5) | st.just("z01"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def paths_of(value: Any) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(), *((key, *rest) for key, member in inner for rest in paths_of(member))]


@pytest.mark.slow
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(draw=st.data())
def test_no_document_whatsoever_breaks_the_reader(sample: Document, draw: st.DataObject) -> None:
    sample = json.loads(json.dumps(sample))
    for _ in range(draw.draw(st.integers(1, 3))):
        path = draw.draw(st.sampled_from(paths_of(sample)[1:]))
        at: Any = sample
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = draw.draw(anything)
    try:
        place = read(sample)
    except BadInput as refusal:
        json.dumps(refusal.details, allow_nan=False, ensure_ascii=False).encode()
        return
    assert read(write_document(place)) == place


@pytest.mark.slow
def test_ten_thousand_features_are_read(grid: Callable[[int], Document]) -> None:
    content = to_text(grid(5000)).encode()
    place = read_document(content)
    assert len(place.zones) + len(place.walkways) == 10_000
