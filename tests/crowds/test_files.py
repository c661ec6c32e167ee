"""Files of counts: every row is judged, the good ones are kept once, the rest is told with its reason."""

from __future__ import annotations

import csv
import gzip
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.conftest import DISTRICT, NIGHT, Make
from tests.crowds.conftest import head, line, row_of_zones

from anshang.crowds import file_tables, observations, sealing, store
from anshang.crowds.files import REASONS, ImportOptions, ImportReport, import_file
from anshang.foundation import clock
from anshang.foundation.database import Database
from anshang.foundation.errors import BadInput, NotAllowed
from anshang.people.model import Role, operator_actor
from anshang.places import actions as places

pytestmark = pytest.mark.postgres

RECORDED = Path(__file__).parents[3] / "shared" / "data" / "crowds"
AT = datetime(2026, 12, 30, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def district(database: Database, night: object) -> None:
    """A district with a line counter `g0` and a head counter `h1`."""
    with database.transaction(DISTRICT) as tx:
        places.import_document(tx, actor=operator_actor(DISTRICT), document=row_of_zones())
        store.sensors.add(tx, line("g0"))
        store.sensors.add(tx, head("z1", "h1"))


def run(database: Database, path: Path, **told: Any) -> ImportReport:
    return import_file(
        database, path, actor=operator_actor(DISTRICT), district_id=DISTRICT, options=ImportOptions(**told)
    )


def kept(database: Database, folder: Path | None = None) -> dict[tuple[str, str], tuple[int, int, int]]:
    """All rows by sensor and instant: in, out, people."""
    with database.reading([DISTRICT]) as connection:
        rows = observations.read_counts(connection, DISTRICT, None, 0, 2**42, 0, folder)
    sensors = [rows.sensor_ids[place] for place in rows.sensor.tolist()]
    instants = [clock.from_ms(at_ms).strftime("%Y-%m-%dT%H:%M") for at_ms in rows.at_ms.tolist()]
    counts = zip(rows.in_count.tolist(), rows.out_count.tolist(), rows.people_last.tolist(), strict=True)
    return dict(zip(zip(sensors, instants, strict=True), counts, strict=True))


def write(path: Path, *lines: str, encoding: str = "utf-8") -> Path:
    path.write_text("\n".join(lines) + "\n", encoding)
    return path


def passages(path: Path, count: int, first_at: datetime = AT) -> Path:
    """A file of `count` rows of g0, a minute apart."""
    times = ((first_at + timedelta(minutes=n)).isoformat() for n in range(count))
    return write(path, "sensor,at,in,out", *(f"g0,{at},{n % 7},{n % 5}" for n, at in enumerate(times)))


def refusals(report: ImportReport) -> list[dict[str, str]]:
    assert report.refused_file is not None
    return list(csv.DictReader(report.refused_file.read_text("utf-8-sig").splitlines()))


def test_a_file_of_both_kinds_of_counts_is_taken(database: Database, tmp_path: Path) -> None:
    file = write(
        tmp_path / "counts.csv",
        "sensor,at,in,out,people",
        "g0,2026-12-30T12:00:00Z,3,1,",
        "h1,2026-12-30T20:00:00+08:00,,,120",
        "g0,2026-12-30 12:01:00Z,4.0,0,",
    )
    report = run(database, file)
    assert (report.row_count, report.taken_count, report.refused_count) == (3, 3, 0)
    assert report.refused_file is None
    assert kept(database) == {
        ("g0", "2026-12-30T12:00"): (3, 1, -1),
        ("h1", "2026-12-30T12:00"): (0, 0, 120),
        ("g0", "2026-12-30T12:01"): (4, 0, -1),
    }


def test_the_same_file_again_finds_everything_there(database: Database, tmp_path: Path) -> None:
    file = passages(tmp_path / "counts.csv", 500)
    assert run(database, file).taken_count == 500
    again = run(database, file)
    assert (again.taken_count, again.repeated_count, again.resumed_count) == (0, 500, 0)
    assert len(kept(database)) == 500


def test_what_is_sealed_is_there_too(database: Database, tmp_path: Path) -> None:
    file, folder = passages(tmp_path / "counts.csv", 500, AT - timedelta(days=3)), tmp_path / "sealed"
    run(database, file, folder=folder)
    assert sealing.seal(database, DISTRICT, NIGHT, folder) == 500
    again = run(database, file, folder=folder)
    assert (again.taken_count, again.repeated_count) == (0, 500)
    other = write(
        tmp_path / "other.csv", "sensor,at,in,out", f"g0,{(AT - timedelta(days=3)).isoformat()},99,0"
    )
    assert run(database, other, folder=folder).refused == {"observation.differs": 1}
    assert len(kept(database, folder)) == 500


def test_every_bad_row_is_refused_with_its_reason_in_both_languages(
    database: Database, tmp_path: Path
) -> None:
    bad = {
        "g9,2026-12-30T12:00:00Z,3,1,": "sensor.unknown",
        ",2026-12-30T12:00:00Z,3,1,": "sensor.unknown",
        "g0,yesterday,3,1,": "at.malformed",
        "g0,,3,1,": "at.malformed",
        "g0,2026-13-30T12:00:00Z,3,1,": "at.malformed",
        "g0,0001-01-01T00:00:00Z,3,1,": "at.too_old",
        "g0,1970-01-01T00:00:00Z,3,1,": "at.too_old",
        "g0,2099-01-01T00:00:00Z,3,1,": "at.future",
        "g0,2026-12-30T12:01:00Z,-1,1,": "count.impossible",
        "g0,2026-12-30T12:02:00Z,1e308,1,": "count.impossible",
        "g0,2026-12-30T12:03:00Z,inf,1,": "count.impossible",
        "g0,2026-12-30T12:04:00Z,100001,1,": "count.impossible",
        "g0,2026-12-30T12:05:00Z,many,1,": "count.malformed",
        "g0,2026-12-30T12:06:00Z,2.5,1,": "count.malformed",
        "g0,2026-12-30T12:07:00Z,true,1,": "count.malformed",
        "g0,2026-12-30T12:08:00Z,NaN,1,": "sensor.wrong_fields",
        "g0,2026-12-30T12:09:00Z,3,,": "sensor.wrong_fields",
        "g0,2026-12-30T12:10:00Z,,,7": "sensor.wrong_fields",
        "g0,2026-12-30T12:11:00Z,3,1,7": "sensor.wrong_fields",
        "h1,2026-12-30T12:12:00Z,3,1,": "sensor.wrong_fields",
        "h1,2026-12-30T12:13:00Z,3,1,7": "sensor.wrong_fields",
        "g0,2026-12-30T12:14:00Z": "row.broken",
        "g0,2026-12-30T12:15:00Z,1,1,,,": "row.broken",
    }
    good = "g0,2026-12-30T12:00:00Z,3,1,"
    report = run(database, write(tmp_path / "counts.csv", "sensor,at,in,out,people", *bad, good))
    found = refusals(report)
    assert [row["error"] for row in found] == list(bad.values())
    assert all(
        row["en"] == REASONS[row["error"]][0] and row["zh"] == REASONS[row["error"]][1] for row in found
    )
    assert found[0] == {"row": "1", "error": "sensor.unknown", "en": REASONS["sensor.unknown"][0],
                        "zh": REASONS["sensor.unknown"][1], "sensor": "g9", "at": "2026-12-30T12:00:00Z",
                        "in": "3", "out": "1", "people": ""}  # fmt: skip
    assert (report.row_count, report.taken_count) == (len(bad) + 1, 1)


def test_more_than_a_gate_of_its_width_lets_through_is_refused_in_a_file_as_over_the_line(
    database: Database, tmp_path: Path
) -> None:
    """Ten minutes at once of a gate of 10 m: 8,200, both ways together."""
    rows = {
        "g0,2026-12-30T12:00:00Z,8000,200,": "",
        "g0,2026-12-30T12:10:00Z,8000,201,": "count.beyond_gate",
        "g0,2026-12-30T12:20:00Z,0,99999,": "count.beyond_gate",
        "h1,2026-12-30T12:00:00Z,,,99999": "",
    }
    report = run(database, write(tmp_path / "counts.csv", "sensor,at,in,out,people", *rows))
    assert [(row["row"], row["error"], row["en"], row["zh"]) for row in refusals(report)] == [
        (number, "count.beyond_gate", *REASONS["count.beyond_gate"]) for number in ("2", "3")
    ]
    assert kept(database) == {
        ("g0", "2026-12-30T12:00"): (8000, 200, -1),
        ("h1", "2026-12-30T12:00"): (0, 0, 99_999),
    }


def test_bad_values_in_parquet_are_refused_row_by_row(database: Database, tmp_path: Path) -> None:
    at = [AT + timedelta(minutes=n) for n in range(6)]
    counts = [3.0, math.nan, math.inf, -1.0, 1e308, 2.5]
    table = pa.table({"sensor": ["g0"] * 6, "at": at, "in": counts, "out": [1] * 6})
    pq.write_table(table, tmp_path / "counts.parquet")
    report = run(database, tmp_path / "counts.parquet")
    assert report.taken_count == 1
    assert report.refused == {"sensor.wrong_fields": 1, "count.impossible": 3, "count.malformed": 1}


def test_of_two_words_about_one_instant_the_first_stays(database: Database, tmp_path: Path) -> None:
    row = "g0,2026-12-30T12:00:00Z"
    report = run(
        database, write(tmp_path / "counts.csv", "sensor,at,in,out", f"{row},3,1", f"{row},3,1", f"{row},4,1")
    )
    assert (report.taken_count, report.repeated_count, report.refused) == (1, 1, {"observation.differs": 1})
    other = run(database, write(tmp_path / "other.csv", "sensor,at,in,out", f"{row},5,1"))
    assert (other.taken_count, other.refused) == (0, {"observation.differs": 1})
    assert kept(database) == {("g0", "2026-12-30T12:00"): (3, 1, -1)}


@pytest.mark.parametrize("pack", [False, True])
@pytest.mark.parametrize("kind", ["csv", "semicolons", "gb18030", "bom", "parquet"])
def test_what_a_file_is_is_seen_by_its_content(
    database: Database, tmp_path: Path, kind: str, pack: bool
) -> None:
    file = tmp_path / "counts"
    head_line, row = "传感器,时间,进,出", "g0,2026/12/30 20:00,3,1"
    match kind:
        case "parquet":
            when = datetime(2026, 12, 30, 20)
            pq.write_table(pa.table({"传感器": ["g0"], "时间": [when], "进": [3], "出": [1]}), file)
        case "semicolons":
            write(file, head_line.replace(",", ";"), row.replace(",", ";"))
        case _:
            write(file, head_line, row, encoding={"bom": "utf-8-sig", "csv": "utf-8"}.get(kind, kind))
    if pack:
        file.write_bytes(gzip.compress(file.read_bytes()))
    assert run(database, file, time_zone="Asia/Shanghai").taken_count == 1
    assert kept(database) == {("g0", "2026-12-30T12:00"): (3, 1, -1)}


WRONG = {
    "empty": b"",
    "blank": b"\n\n \n",
    "picture": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(256)),
    "page": b"<!DOCTYPE html><html><body>sensor,at,in,out</body></html>",
    "json": b'{"observations": []}',
    "cut gzip": gzip.compress(b"sensor,at,in,out\n" + b"g0,2026-12-30T12:00:00Z,3,1\n" * 5)[:40],
    "bad gzip": b"\x1f\x8b\x08\x00 and no more of it",
    "bad parquet": b"PAR1 and then nothing that fits",
    "other columns": b"name,price\nsoap,3\n",
    "one column": b"sensor\ng0\n",
}


@pytest.mark.parametrize("content", WRONG.values(), ids=WRONG)
def test_a_wrong_file_is_refused_in_both_languages(
    database: Database, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "wrong").write_bytes(content)
    with pytest.raises(BadInput) as refused:
        run(database, tmp_path / "wrong")
    assert refused.value.en
    assert refused.value.zh
    assert kept(database) == {}


def test_a_cut_parquet_file_and_a_missing_one_are_refused(database: Database, tmp_path: Path) -> None:
    pq.write_table(pa.table({"sensor": ["g0"], "at": [AT], "in": [3], "out": [1]}), tmp_path / "whole")
    (tmp_path / "cut").write_bytes((tmp_path / "whole").read_bytes()[:-20])
    for name in ("cut", "missing", "."):
        with pytest.raises(BadInput):
            run(database, tmp_path / name)


def test_columns_that_hold_no_values_are_refused(database: Database, tmp_path: Path) -> None:
    pq.write_table(pa.table({"sensor": [["g0"]], "at": [AT], "in": [3], "out": [1]}), tmp_path / "nested")
    with pytest.raises(BadInput):
        run(database, tmp_path / "nested")


@pytest.mark.parametrize(
    "told", [{"at_column": "when"}, {"drop_when": "rain"}, {"time_zone": "Mars/Olympus"}, {"time_zone": "../etc"},
             {"define_sensors": True}, {"sensors_file": Path("nowhere.csv")}]
)  # fmt: skip
def test_an_option_that_cannot_be_is_refused(
    database: Database, tmp_path: Path, told: dict[str, Any]
) -> None:
    with pytest.raises(BadInput):
        run(database, passages(tmp_path / "counts.csv", 1), **told)


def test_a_time_without_a_zone_needs_one(database: Database, tmp_path: Path) -> None:
    file = write(tmp_path / "counts.csv", "sensor,at,in,out", "g0,2026-12-30 20:00,3,1")
    with pytest.raises(BadInput, match="no time zone") as refused:
        run(database, file)
    assert "时区" in refused.value.zh
    assert run(database, file, time_zone="Asia/Shanghai").taken_count == 1
    assert list(kept(database)) == [("g0", "2026-12-30T12:00")]


def test_an_hour_that_the_clocks_leave_out_is_refused(database: Database, tmp_path: Path) -> None:
    times = ["01:55", "02:00", "02:30", "03:00"]
    rows = [f"g0,2026-03-29 {time},1,0" for time in times]
    report = run(database, write(tmp_path / "a.csv", "sensor,at,in,out", *rows), time_zone="Europe/Zurich")
    assert (report.taken_count, report.refused) == (2, {"at.skipped": 2})
    assert list(kept(database)) == [("g0", "2026-03-29T00:55"), ("g0", "2026-03-29T01:00")]


@pytest.mark.parametrize(
    "times",
    [
        ["01:30", "02:00", "02:30", "02:00", "02:30", "03:00"],
        ["01:30", "02:00", "02:00", "02:30", "02:30", "03:00"],
    ],
    ids=["one after the other", "side by side"],
)
def test_an_hour_that_the_clocks_repeat_is_told_apart_by_order(
    database: Database, tmp_path: Path, times: list[str]
) -> None:
    rows = [f"g0,2026-10-25 {time},{n},0" for n, time in enumerate(times)]
    run(database, write(tmp_path / "counts.csv", "sensor,at,in,out", *rows), time_zone="Europe/Zurich")
    assert [at[-5:] for _, at in sorted(kept(database))] == [
        "23:30",
        "00:00",
        "00:30",
        "01:00",
        "01:30",
        "02:00",
    ]


def test_an_interrupted_file_goes_on_where_it_was(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_tables, "ROWS_AT_ONCE", 100)
    file = passages(tmp_path / "counts.csv", 450)
    file.write_text(file.read_text().replace(",3,1\n", ",-3,1\n", 1))
    shares: list[float] = []

    def interrupt(share: float) -> None:
        shares.append(share)
        if len(shares) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_file(
            database, file, actor=operator_actor(DISTRICT), district_id=DISTRICT, options=ImportOptions(), progress=interrupt
        )  # fmt: skip
    before = kept(database)
    report = run(database, file)
    assert report.resumed_count == len(before) > 200
    assert report.resumed_count + report.taken_count == 449 == len(kept(database))
    assert (report.row_count, report.refused_count, len(refusals(report))) == (450, 1, 1)


def test_rows_to_be_dropped_are_left_out_and_not_refused(database: Database, tmp_path: Path) -> None:
    rows = [
        f"g0,2026-12-30T12:0{n}:00Z,1,0,{word}"
        for n, word in enumerate(["True", "false", "1", "", "no", "yes"])
    ]
    report = run(database, write(tmp_path / "a.csv", "sensor,at,in,out,suspect", *rows), drop_when="suspect")
    assert (report.dropped_count, report.taken_count, report.refused_count) == (3, 3, 0)


def test_sensors_are_defined_when_asked_for(database: Database, tmp_path: Path) -> None:
    rows = [f"{name},2026-12-30T12:00:00Z,1,0" for name in ("West-Süd total", "东门", "g0", "Ost")]
    file = write(tmp_path / "counts.csv", "counter,timestamp,in_count,out_count", *rows)
    assert run(database, file).refused == {"sensor.unknown": 3}
    told = write(tmp_path / "sensors.csv", "sensor,gate,id", "West-Süd total,g2,", "东门,g1,east-gate")
    report = run(database, file, define_sensors=True, period_s=300, sensors_file=told)
    assert report.defined.keys() == {"west-sud-total", "east-gate", "ost"}
    assert (report.defined["west-sud-total"], report.defined["east-gate"]) == ("g2", "g1")
    assert (report.taken_count, report.repeated_count, report.refused_count) == (3, 1, 0)
    with database.reading([DISTRICT]) as connection:
        names = {sensor.id: sensor.name_zh for sensor in store.list_sensors(connection, DISTRICT)}
    assert names["east-gate"] == "东门"


def test_head_counters_are_defined_at_zones(database: Database, tmp_path: Path) -> None:
    file = write(tmp_path / "counts.csv", "sensor,at,people", "square,2026-12-30T12:00:00Z,120")
    report = run(database, file, define_sensors=True, period_s=60)
    assert report.defined == {"square": "z0"}
    assert report.taken_count == 1


def test_a_column_of_other_things_does_not_become_sensors(database: Database, tmp_path: Path) -> None:
    rows = [f"{n},2026-12-30T12:00:00Z,1,0" for n in range(2_001)]
    file = write(tmp_path / "counts.csv", "sensor,at,in,out", *rows)
    with pytest.raises(BadInput, match="right column"):
        run(database, file, define_sensors=True, period_s=60)


def test_refused_rows_go_to_the_current_folder_when_the_files_is_read_only(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    monkeypatch.chdir(here)
    file = write(there / "counts.csv", "sensor,at,in,out", "g9,2026-12-30T12:00:00Z,1,0")
    (there / "counts.csv.refused.csv").mkdir()  # stands in for a folder without permission, which root has
    assert run(database, file).refused_file == here / "counts.csv.refused.csv"


def test_a_refused_row_computes_nothing_in_a_spreadsheet(database: Database, tmp_path: Path) -> None:
    file = write(tmp_path / "counts.csv", "sensor,at,in,out", '"=HYPERLINK(""http://x"")",@now,1,0')
    [row] = refusals(run(database, file))
    assert (row["sensor"], row["at"]) == ('\'=HYPERLINK("http://x")', "'@now")


def test_only_who_configures_counting_imports(database: Database, tmp_path: Path, make: Make) -> None:
    with pytest.raises(NotAllowed):
        import_file(
            database, passages(tmp_path / "a.csv", 1), actor=make.actor(Role.DESK), district_id=DISTRICT,
            options=ImportOptions(),
        )  # fmt: skip


def recorded(name: str) -> Path:
    path = RECORDED / name
    if not path.is_file():
        pytest.skip(f"recorded counts are not part of the project: {path}")
    return path


@pytest.mark.realdata
@pytest.mark.slow
def test_a_year_of_a_station_is_imported(database: Database, tmp_path: Path) -> None:
    """Zurich, Hardbrücke: local times without a zone, eight counters every five minutes."""
    file = recorded("zurich_hardbruecke_5min/hardbruecke_2020_5min.parquet")
    report = run(database, file, time_zone="Europe/Zurich", define_sensors=True, period_s=300)
    assert report.taken_count == report.row_count == pq.ParquetFile(file).metadata.num_rows
    assert len(report.defined) == 8
    column = pq.read_table(file, columns=["in_count"])["in_count"]
    assert sum(counts[0] for counts in kept(database).values()) == sum(column.to_pylist())


@pytest.mark.realdata
@pytest.mark.slow
def test_years_of_a_shopping_street_are_imported(database: Database, tmp_path: Path) -> None:
    """Heidenheim: UTC, half hours, rows that hold the backlog of an outage."""
    file = recorded("heidenheim_zone_30min/heidenheim_30min.parquet")
    report = run(database, file, define_sensors=True, period_s=1800, drop_when="suspect_backlog")
    assert report.dropped_count == 76
    assert report.taken_count == report.row_count - 76
    assert len(report.defined) == 6
