"""Calendars of events as programs write them: what repeats, moves, is cancelled or cannot be read."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from anshang.crowds.event_files import FileOfEvents, read_events
from anshang.foundation.errors import BadInput

SHANGHAI = ZoneInfo("Asia/Shanghai")
WINDOW = (datetime(2026, 11, 1, tzinfo=UTC), datetime(2027, 12, 1, tzinfo=UTC))
TIMES = "DTSTART;TZID=Asia/Shanghai:20261203T190000\nDTEND;TZID=Asia/Shanghai:20261203T220000"


def calendar(*events: str, head: str = "") -> str:
    """A calendar of events, each given by its lines."""
    marked = [lines if "UID:" in lines else f"UID:{n}@q\n{lines}" for n, lines in enumerate(events)]
    body = "".join(f"BEGIN:VEVENT\nDTSTAMP:20250101T000000Z\n{lines}\nEND:VEVENT\n" for lines in marked)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//quarter//ZH\n{head}{body}END:VCALENDAR\n"


def read(folder: Path, text: str) -> FileOfEvents:
    path = folder / "events.ics"
    path.write_text(text.replace("\n", "\r\n"))
    return read_events(path, SHANGHAI, WINDOW)


def starts(file: FileOfEvents) -> list[str]:
    return [f"{event.start_at.astimezone(SHANGHAI):%m-%d %H:%M}" for event in file.events]


def hours(file: FileOfEvents) -> list[float]:
    return [(event.end_at - event.start_at) / timedelta(hours=1) for event in file.events]


def test_a_weekly_market_takes_place_every_week(tmp_path: Path) -> None:
    file = read(tmp_path, calendar(f"SUMMARY:夜市\n{TIMES}\nRRULE:FREQ=WEEKLY;COUNT=5"))
    assert starts(file) == ["12-03 19:00", "12-10 19:00", "12-17 19:00", "12-24 19:00", "12-31 19:00"]
    assert hours(file) == [3.0] * 5
    assert file.left_out == []


@pytest.mark.parametrize(
    "until", ["20261217", "20261217T110000Z", "20261217T190000"], ids=["day", "utc", "floating"]
)
def test_a_series_that_began_last_year_ends_where_it_says_without_the_days_excepted(
    tmp_path: Path, until: str
) -> None:
    times = TIMES.replace("20261203", "20251204")
    lines = f"{times}\nRRULE:FREQ=WEEKLY;UNTIL={until}\nEXDATE;TZID=Asia/Shanghai:20261112T190000"
    file = read(tmp_path, calendar(f"SUMMARY:夜市\n{lines}"))
    assert starts(file)[:2] == ["11-05 19:00", "11-19 19:00"]
    assert starts(file)[-1] in {"12-10 19:00", "12-17 19:00"}
    assert all(f"{event.start_at:%Y}" == "2026" for event in file.events)


def test_one_date_of_a_series_is_moved_and_one_is_cancelled(tmp_path: Path) -> None:
    def changed(day: str, lines: str) -> str:
        return f"UID:b@q\nSUMMARY:剧场\nRECURRENCE-ID;TZID=Asia/Shanghai:{day}T190000\n{lines}"

    file = read(
        tmp_path,
        calendar(
            f"UID:b@q\nSUMMARY:剧场\n{TIMES}\nRRULE:FREQ=WEEKLY;COUNT=4",
            changed("20261210", TIMES.replace("20261203", "20261211")),
            changed("20261217", f"{TIMES.replace('20261203', '20261217')}\nSTATUS:CANCELLED"),
        ),
    )
    assert sorted(starts(file)) == ["12-03 19:00", "12-11 19:00", "12-24 19:00"]
    [cancelled] = file.left_out
    assert cancelled.name == "剧场"
    assert "Cancelled" in cancelled.en
    assert "取消" in cancelled.zh


def test_a_duration_is_an_end_and_a_day_without_an_end_is_that_day(tmp_path: Path) -> None:
    start = TIMES.split("\n", maxsplit=1)[0]
    file = read(
        tmp_path,
        calendar(
            f"{start}\nDURATION:PT2H30M",
            "DTSTART;VALUE=DATE:20261224",
            "DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261224",
            "DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261226",
            "DTSTART;VALUE=DATE:20261224\nDURATION:P2D",
        ),
    )
    assert [round(each, 1) for each in hours(file)] == [2.5, 24.0, 24.0, 48.0, 48.0]
    last = file.events[-1].end_at.astimezone(SHANGHAI).date()
    assert last == date(2026, 12, 25)
    assert file.left_out == []


@pytest.mark.parametrize(
    ("lines", "en"),
    [
        (f"{TIMES}\nSTATUS:CANCELLED", "Cancelled"),
        ("DTSTART:tomorrow\nDTEND:20261224T120000Z", "Its start"),
        ("DTSTART:20261224T1200Z", "Its start"),
        ("DTSTART:20261224T120000Z/PT1H", "Its start"),
        ("DTSTART:", "Its start"),
        ("DTEND:20261224T120000Z", "Its start"),
        ("DTSTART;TZID=Asia/Shanghai:20261222T190000\nDTEND;TZID=Asia/Shanghai:20261222T240000", "Its end"),
        (f"{TIMES}\nRRULE:FREQ=SOMETIMES", "repetition"),
        (f"{TIMES}\nRRULE:FREQ=WEEKLY;COUNT=x", "repetition"),
        (f"{TIMES}\nRRULE:FREQ=DAILY;INTERVAL=0", "repetition"),
        (f"{TIMES}\nRRULE:FREQ=DAILY;COUNT=5\nEXRULE:FREQ=WEEKLY", "EXRULE"),
        ("DTSTART:20261224T120000Z\nDURATION:soon", "Its duration"),
        (f"{TIMES}\nRRULE:FREQ=SECONDLY", "more than once a day"),
        (f"{TIMES}\nRRULE:FREQ=HOURLY;COUNT=1000000", "more than once a day"),
        (
            f"{TIMES}\nRRULE:FREQ=DAILY;BYHOUR={','.join(map(str, range(24)))};BYMINUTE=0,1",
            "more than once a day",
        ),
    ],
)
def test_one_bad_event_is_left_out_with_its_reason_and_costs_no_other(
    tmp_path: Path, lines: str, en: str
) -> None:
    file = read(tmp_path, calendar(f"SUMMARY:好\n{TIMES}", f"SUMMARY:坏\n{lines}", f"SUMMARY:好\n{TIMES}"))
    assert [event.name for event in file.events] == ["好", "好"]
    [left_out] = file.left_out
    assert left_out.name == "坏"
    assert en in left_out.en
    assert left_out.zh


def test_a_withdrawn_calendar_enters_nothing_and_a_file_of_two_calendars_is_read_whole(
    tmp_path: Path,
) -> None:
    with pytest.raises(BadInput, match="Cancelled"):
        read(tmp_path, calendar(f"SUMMARY:a\n{TIMES}", head="METHOD:CANCEL\n"))
    two = calendar(f"SUMMARY:a\n{TIMES}") + calendar(f"SUMMARY:b\n{TIMES}")
    assert [event.name for event in read(tmp_path, two).events] == ["a", "b"]


def test_a_calendar_without_an_event_is_refused_and_not_read_as_nothing_new(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no event"):
        read(tmp_path, calendar())


def test_a_summary_in_two_languages_gives_one_name(tmp_path: Path) -> None:
    file = read(tmp_path, calendar(f"SUMMARY;LANGUAGE=zh:灯会\nSUMMARY;LANGUAGE=en:Lanterns\n{TIMES}"))
    assert [event.name for event in file.events] == ["灯会"]


def test_a_repetition_without_an_end_is_entered_for_a_year_and_that_is_said(tmp_path: Path) -> None:
    file = read(tmp_path, calendar(f"SUMMARY:夜市\n{TIMES}\nRRULE:FREQ=DAILY"))
    assert 360 <= len(file.events) <= 365
    [left_out] = file.left_out
    assert "2027-12-01" in left_out.en
    assert "2027-12-01" in left_out.zh


@pytest.mark.slow
@pytest.mark.parametrize("year", ["1026", "2020"])
@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;COUNT=1000000",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=1000000",
        "FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR=1,2,3,4",
        "FREQ=SECONDLY",
    ],
)
def test_a_calendar_made_to_hang_the_server_is_read_within_seconds(
    tmp_path: Path, rule: str, year: str
) -> None:
    times = TIMES.replace("2026", year)
    text = calendar(f"SUMMARY:好\n{TIMES}", *[f"SUMMARY:{n}\n{times}\nRRULE:{rule}" for n in range(100)])
    began_s = time.process_time()
    file = read(tmp_path, text)
    assert time.process_time() - began_s < 20
    assert file.events[0].name == "好"
    assert len(file.events) <= 10_000
    assert file.left_out
