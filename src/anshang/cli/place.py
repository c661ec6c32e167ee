"""The district on the map."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from anshang.cli.terminal import (
    DataFolder,
    District,
    complain,
    district_meant,
    in_words,
    installation,
    progress_bar,
    read_file,
    say,
)
from anshang.crowds.calendars import check_country
from anshang.foundation.errors import BadInput
from anshang.people.model import operator_actor
from anshang.places import actions as places
from anshang.places.document import read_document, to_text
from anshang.places.osm.countries import time_zone_of
from anshang.places.osm.hints import hints
from anshang.places.osm.importing import import_osm

app = typer.Typer(no_args_is_help=True, help="The district on the map.")


@app.command("import")
def place_import(document: Path, data: DataFolder = None) -> None:
    """Let a GeoJSON document replace a district's place, or begin a new district."""
    with installation(data) as (_settings, database):
        content = read_file(document)
        district_id = read_document(content).district.id
        with database.transaction(district_id) as tx:
            place = places.import_document(tx, actor=operator_actor(district_id), document=content)
    say(json.dumps(place.counts | {"version": place.district.version}))


@app.command("export")
def place_export(
    target: Annotated[Path, typer.Argument(help="The .geojson to write.")],
    district: District = "",
    data: DataFolder = None,
) -> None:
    """Write a district's document."""
    with installation(data) as (_settings, database):
        district_id = district_meant(database, district)
        with database.reading([district_id]) as connection:
            document = places.export_document(connection, district_id)
        target.write_text(to_text(document), "utf-8")
    say(f"{target}: {len(document['features'])} features")


@app.command("import-osm")
def place_import_osm(
    source: Annotated[Path, typer.Argument(help="An extract: .osm, .osm.gz or .osm.pbf.")],
    name: Annotated[str, typer.Option(help="The district's name in English.")],
    target: Annotated[Path, typer.Option("--out", help="The .geojson to write.")],
    name_zh: Annotated[str, typer.Option(help="The district's name in Chinese.")] = "",
    id: Annotated[str, typer.Option(help="The district's code.")] = "district",
    country: Annotated[
        str,
        typer.Option(
            help="Two letters, as CN: its public holidays and, when it has only one, its time zone."
        ),
    ] = "",
    time_zone: Annotated[str, typer.Option(help="Its time zone, unless the country says it.")] = "",
    bbox: Annotated[str, typer.Option(help="west,south,east,north in degrees.")] = "",
) -> None:
    """Make a district's document from OpenStreetMap: streets and squares, gates, premises, the walking
    network.
    """
    with in_words(), progress_bar() as progress:
        box = _box(bbox)
        code = country.upper() or None
        if code:
            check_country(code)
        task = progress.add_task("…", total=1.0)
        document = import_osm(
            source,
            name_en=name,
            name_zh=name_zh or name,
            district_id=id,
            time_zone=time_zone or time_zone_of(code),
            country=code,
            bbox=box,
            progress=lambda step, share: progress.update(task, description=step, completed=share),
        )
        target.write_text(to_text(document), "utf-8")
    kinds = Counter(feature["properties"]["kind"] for feature in document["features"])
    say(f"{target}: {dict(kinds)}")
    for zh, en in hints(document, bbox=box):
        complain(f"[yellow]{en}[/yellow]\n{zh}")


def _box(text: str) -> tuple[float, float, float, float] | None:
    """A bounding box, None when none is told; BadInput when it is not four numbers in order."""
    if not text:
        return None
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        west, south, east, north = 1, 1, 0, 0
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise BadInput(
            "box.malformed",
            en=f"“{text}” is not west,south,east,north.",
            zh=f"“{text}”不是“西,南,东,北”四个度数。",
        )
    return west, south, east, north
