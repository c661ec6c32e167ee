"""What kind of day each day is."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from anshang.crowds.calendars import day_grid
from anshang.crowds.event_files import read_events
from anshang.crowds.model import PlannedEvent
from anshang.foundation.errors import BadInput

SHANGHAI = ZoneInfo("Asia/Shanghai")


def start_ms(year: int, month: int, day: int, zone: ZoneInfo) -> int:
    return round(datetime(year, month, day, tzinfo=zone).timestamp() * 1000)


def test_a_make_up_working_day_in_china_is_no_free_day() -> None:
    grid = day_grid(start_ms(2025, 1, 20, SHANGHAI), 20 * 24, 3600, SHANGHAI, country="CN")
    sunday, new_year = 6, 9  # 26 January was worked, 29 January is the Spring Festival
    assert grid.weekday[sunday] == 6
    assert not grid.free[sunday]
    assert grid.free[new_year]
    assert grid.holiday[new_year]
    assert grid.free[12]  # an ordinary Saturday


def test_a_region_and_a_country_nobody_knows() -> None:
    zone = ZoneInfo("Europe/Zurich")
    plain = day_grid(start_ms(2024, 4, 10, zone), 24 * 10, 3600, zone, country="CH-ZH")
    assert plain.holiday.sum() >= 0
    with pytest.raises(BadInput, match="No holidays are known"):
        day_grid(start_ms(2024, 4, 10, zone), 24, 3600, zone, country="XX")
    with pytest.raises(BadInput, match="No holidays are known"):
        day_grid(start_ms(2024, 4, 10, zone), 24, 3600, zone, country="CH-XX")


@pytest.mark.parametrize(("month", "day", "hours"), [(3, 31, 23), (10, 27, 25)])
def test_slots_follow_the_wall_clock_through_a_change_of_clocks(month: int, day: int, hours: int) -> None:
    zone = ZoneInfo("Europe/Berlin")
    grid = day_grid(start_ms(2024, month, day, zone), 72, 3600, zone)
    assert (grid.day == 0).sum() == hours
    assert grid.slot[hours] == 0
    assert grid.slot[hours + 17] == 17


def test_an_event_marks_its_days_and_the_same_name_bears_the_same_number() -> None:
    at = datetime(2024, 5, 7, 19, tzinfo=SHANGHAI)
    events = [
        PlannedEvent("concert", at, datetime(2024, 5, 8, 1, tzinfo=SHANGHAI)),
        PlannedEvent(
            "market", datetime(2024, 5, 9, tzinfo=SHANGHAI), datetime(2024, 5, 9, 12, tzinfo=SHANGHAI)
        ),
        PlannedEvent(
            "concert", datetime(2024, 5, 11, tzinfo=SHANGHAI), datetime(2024, 5, 11, tzinfo=SHANGHAI)
        ),
    ]
    grid = day_grid(start_ms(2024, 5, 6, SHANGHAI), 7 * 24, 3600, SHANGHAI, events=events)
    number = grid.special.tolist()
    assert number[1] == number[2] == number[5] > 0
    assert 0 != number[3] != number[1]
    assert number[0] == number[4] == 0


def test_events_from_a_table_and_from_a_calendar_are_alike(tmp_path: Path) -> None:
    table = tmp_path / "events.csv"
    table.write_text(
        "name,start,end,expected\nLights,2024-12-31 20:00,2025-01-01 01:00,50000\nFair,2024-12-24,,\n"
    )
    calendar = tmp_path / "events.ics"
    calendar.write_bytes(
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Lights\r\n"
        b"DTSTART:20241231T120000Z\r\nDTEND:20241231T170000Z\r\nEND:VEVENT\r\n"
        b"BEGIN:VEVENT\r\nUID:2\r\nSUMMARY:Fair\r\nDTSTART;VALUE=DATE:20241224\r\n"
        b"DTEND;VALUE=DATE:20241225\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    one, two = (read_events(path, SHANGHAI).events for path in (table, calendar))
    assert [each.name for each in one] == [each.name for each in two] == ["Lights", "Fair"]
    assert one[0].start_at == two[0].start_at
    assert one[0].end_at == two[0].end_at
    assert one[0].expected_count == 50_000
    assert {each.astimezone(SHANGHAI).day for each in (two[1].start_at, two[1].end_at)} == {24}


@pytest.mark.parametrize("text", ["name,place\nx,y\n", "start\nsoon\n", "BEGIN:VCALENDAR\nnonsense"])
def test_an_unusable_file_of_events_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "events.csv"
    path.write_text(text)
    with pytest.raises(BadInput):
        read_events(path, UTC)
