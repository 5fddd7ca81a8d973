"""When a night is due: five fields of a crontab, in a time zone."""

from datetime import UTC, datetime

import pytest

from db.settings import NightSettings
from learning.scheduler import Plan, ScheduleInvalid, cron


@pytest.mark.parametrize(
    ("field", "names"),
    [
        ("0", "sun"), ("7", "sun"), ("6", "sat"), ("0-2", "sun,mon,tue"), ("5-7", "fri,sat,sun"), ("1,3", "mon,wed"),
        ("1-5/2", "mon,wed,fri"), ("mon-fri", "mon-fri"), ("*", "*"), ("*/2", "*/2"),
    ],
)  # fmt: skip
def test_weekdays_count_from_sunday_as_in_every_crontab(field: str, names: str) -> None:
    found = {f.name: str(f) for f in cron(f"0 4 * * {field}", "UTC").fields}
    assert found["day_of_week"] == names


def test_the_night_comes_at_the_same_hour_of_the_wall_clock_all_year() -> None:
    plan = Plan.of(NightSettings(cron="0 4 * * *", timezone="Europe/Berlin"))
    saturday = datetime(2026, 10, 24, 12, 0, tzinfo=UTC)  # clocks are set back in the night to Sunday
    sunday = plan.next_due(saturday)
    assert sunday is not None
    assert (sunday.hour, sunday.astimezone(UTC)) == (4, datetime(2026, 10, 25, 3, 0, tzinfo=UTC))
    assert plan.last_due(saturday) == datetime(2026, 10, 24, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "now", "due"),
    [
        ("0 4 * * *", datetime(2026, 5, 1, 4, 0, tzinfo=UTC), datetime(2026, 5, 1, 4, 0, tzinfo=UTC)),
        ("0 4 * * *", datetime(2026, 5, 1, 3, 59, tzinfo=UTC), datetime(2026, 4, 30, 4, 0, tzinfo=UTC)),
        ("*/5 * * * *", datetime(2026, 5, 1, 3, 59, tzinfo=UTC), datetime(2026, 5, 1, 3, 55, tzinfo=UTC)),
        ("0 4 * * 0", datetime(2026, 5, 1, 12, 0, tzinfo=UTC), datetime(2026, 4, 26, 4, 0, tzinfo=UTC)),
        ("0 4 1 1 *", datetime(2026, 5, 1, 12, 0, tzinfo=UTC), datetime(2026, 1, 1, 4, 0, tzinfo=UTC)),
        ("0 4 30 2 *", datetime(2026, 5, 1, 12, 0, tzinfo=UTC), None),
    ],
)
def test_the_last_night_that_was_due_is_found(expression: str, now: datetime, due: datetime | None) -> None:
    assert Plan.of(NightSettings(cron=expression, timezone="UTC")).last_due(now) == due


@pytest.mark.parametrize("expression", ["0 25 * * *", "0 4 * * 8", "0 4 * * 5-2", "four * * * *", "0 4 * * someday"])
def test_an_hour_that_is_none_is_one_sentence(expression: str) -> None:
    with pytest.raises(ScheduleInvalid) as caught:
        Plan.of(NightSettings(cron=expression, timezone="UTC"))
    assert "nights.cron" in str(caught.value)
    assert "such as 0 4 * * *" in str(caught.value)
    assert "\n" not in str(caught.value)
