"""Dates: end-of-month arithmetic, business days, rolls, relative dates, names of periods."""

from calendar import monthrange
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.dates.rules import (
    Calendar,
    DateOutOfRange,
    DateRule,
    add_business_days,
    add_months,
    begins,
    in_words,
    period_name,
    resolve,
    roll,
    year_end_near,
)

days = st.dates(date(1950, 1, 1), date(2150, 12, 31))
calendars = st.sampled_from(
    [Calendar("GB", "ENG"), Calendar("US", "DC"), Calendar("DE", "BY"), Calendar("AE"), Calendar()]
)
ENGLAND = Calendar("GB", "ENG")
WASHINGTON = Calendar("US", "DC")  # 26 U.S.C. § 7503 counts the legal holidays of the District of Columbia


def last_of(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


# --- months ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2026-01-31", 2, "2026-03-31"),
        ("2026-02-28", 1, "2026-03-31"),
        ("2028-02-28", 1, "2028-03-28"),  # not the last day in a leap year
        ("2026-04-30", -2, "2026-02-28"),
        ("2026-01-30", 1, "2026-02-28"),
        ("2026-01-15", 12, "2027-01-15"),
        ("2026-01-15", -13, "2024-12-15"),
    ],
)
def test_month_arithmetic_sticks_to_the_end_of_month(start: str, months: int, end: str) -> None:
    assert add_months(date.fromisoformat(start), months) == date.fromisoformat(end)


@given(days, st.integers(-500, 500))
def test_months_land_in_the_month_that_many_further(day: date, months: int) -> None:
    moved = add_months(day, months)
    assert (moved.year * 12 + moved.month) - (day.year * 12 + day.month) == months
    assert moved.day <= day.day or day == last_of(day)


@given(days, st.integers(-500, 500))
def test_a_last_day_stays_a_last_day(day: date, months: int) -> None:
    assert add_months(last_of(day), months) == last_of(add_months(last_of(day), months))


@given(days, st.integers(-200, 200), st.integers(-200, 200))
def test_months_add_up_from_a_last_day(day: date, first: int, second: int) -> None:
    anchor = last_of(day)
    assert add_months(add_months(anchor, first), second) == add_months(anchor, first + second)


@pytest.mark.parametrize("months", [-5000, 5000, 10**9])
def test_months_out_of_all_calendars_are_refused(months: int) -> None:
    with pytest.raises(DateOutOfRange):
        add_months(date(2026, 1, 1), months)


# --- business days and rolls -----------------------------------------------------------------------------------------


@given(days, st.integers(1, 60), calendars)
def test_business_days_are_counted_one_by_one(day: date, count: int, calendar: Calendar) -> None:
    later = add_business_days(day, count, calendar)
    between = [day + timedelta(days=i) for i in range(1, (later - day).days + 1)]
    assert calendar.is_business_day(later)
    assert sum(calendar.is_business_day(d) for d in between) == count


@given(days, st.integers(1, 60), calendars)
def test_business_days_back_undo_business_days_forward(day: date, count: int, calendar: Calendar) -> None:
    start = roll(day, "next", calendar)
    assert add_business_days(add_business_days(start, count, calendar), -count, calendar) == start


@given(days, calendars, st.sampled_from(["next", "previous", "modified_following"]))
def test_a_roll_gives_the_nearest_business_day_of_its_side(day: date, calendar: Calendar, convention: Any) -> None:
    rolled = roll(day, convention, calendar)
    assert calendar.is_business_day(rolled)
    assert roll(rolled, convention, calendar) == rolled
    skipped = [min(day, rolled) + timedelta(days=i) for i in range(abs((rolled - day).days) + 1)]
    assert [d for d in skipped if calendar.is_business_day(d)] == [rolled]
    if convention == "next":
        assert rolled >= day
    if convention == "previous":
        assert rolled <= day


@given(days, calendars)
def test_modified_following_never_leaves_the_month_forward(day: date, calendar: Calendar) -> None:
    rolled = roll(day, "modified_following", calendar)
    assert rolled.month == day.month or rolled < day


@given(days, calendars)
def test_no_roll_leaves_the_day(day: date, calendar: Calendar) -> None:
    assert roll(day, "none", calendar) == day


@given(days)
def test_holidays_are_those_of_the_library(day: date) -> None:
    off = day in holidays.country_holidays("GB", subdiv="ENG", years=day.year, expand=False)
    assert ENGLAND.is_business_day(day) == (day.weekday() < 5 and not off)


def test_an_unknown_country_has_weekends_and_an_unknown_region_its_country() -> None:
    assert not Calendar("XX").is_business_day(date(2026, 11, 28))
    assert Calendar("XX").is_business_day(date(2026, 12, 25))
    assert not Calendar("GB", "nowhere").is_business_day(date(2026, 12, 25))


def test_the_weekend_is_the_country_s() -> None:
    riyadh = Calendar("SA")
    assert not riyadh.is_business_day(date(2026, 11, 27))  # a Friday
    assert riyadh.is_business_day(date(2026, 11, 29))  # a Sunday


def test_a_day_on_which_the_firm_is_closed_is_no_business_day() -> None:
    closed = Calendar("GB", "ENG", frozenset({date(2026, 12, 24)}))
    assert roll(date(2026, 12, 24), "next", closed) == date(
        2026, 12, 29
    )  # Christmas, Boxing Day (observed), the weekend


# --- time zones ------------------------------------------------------------------------------------------------------

zones = st.sampled_from(sorted(available_timezones() - {"localtime"})).map(ZoneInfo)


@given(days, zones)
def test_a_day_begins_with_its_first_instant_in_every_zone(day: date, zone: ZoneInfo) -> None:
    first = begins(day, zone)
    assert (first - timedelta(microseconds=1)).astimezone(zone).date() < day
    assert first.astimezone(zone).date() >= day


@given(st.datetimes(datetime(2012, 1, 1), datetime(2060, 1, 1)), zones)  # noqa: DTZ001 - of the zone that is drawn
def test_every_instant_lies_in_the_day_that_the_zone_s_clock_shows(wall: datetime, zone: ZoneInfo) -> None:
    now = wall.replace(tzinfo=zone).astimezone(ZoneInfo("UTC"))
    today = now.astimezone(zone).date()
    assert begins(today, zone) <= now < begins(today + timedelta(days=1), zone)


@pytest.mark.parametrize(
    ("zone", "day", "utc"),
    [
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00+00:00"),  # no midnight: 1 o'clock follows 23:59
        ("America/Havana", "2026-11-01", "2026-11-01T04:00+00:00"),  # midnight twice
        (
            "America/St_Johns",
            "2006-10-29",
            "2006-10-29T02:30+00:00",
        ),  # a minute of it, then an hour of the day before again
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00+00:00"),  # a day that there was not
        ("Asia/Kathmandu", "2026-01-01", "2025-12-31T18:15+00:00"),
    ],
)
def test_a_day_begins_also_where_clocks_are_changed_at_midnight(zone: str, day: str, utc: str) -> None:
    assert begins(date.fromisoformat(day), ZoneInfo(zone)) == datetime.fromisoformat(utc)


# --- relative dates --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("period_end", "due"),
    [
        # HMRC, VAT Notice 700/12: one calendar month and seven days after the end of the period
        ("2026-09-30", "2026-11-07"),
        ("2026-12-31", "2027-02-07"),
        ("2026-02-28", "2026-04-07"),
        ("2024-02-29", "2024-04-07"),
        ("2026-04-30", "2026-06-07"),
    ],
)
def test_uk_vat_is_due_a_month_and_seven_days_after_the_period(period_end: str, due: str) -> None:
    rule = DateRule("period_end", amount=1, unit="months", plus_days=7)
    assert resolve(rule, date.fromisoformat(period_end), ENGLAND) == date.fromisoformat(due)


@pytest.mark.parametrize(
    ("year_end", "due"),
    [
        # IRS Publication 509: Form 1120 on the 15th day of the 4th month after the tax year, next business day
        ("2023-12-31", "2024-04-15"),
        ("2024-12-31", "2025-04-15"),
        ("2022-12-31", "2023-04-18"),  # 15 April is a Saturday, Emancipation Day is observed on Monday
        ("2025-06-30", "2025-10-15"),
    ],
)
def test_us_corporation_tax_is_due_on_the_15th_of_the_4th_month(year_end: str, due: str) -> None:
    rule = DateRule("period_end", amount=3, unit="months", plus_days=15, roll="next")
    assert resolve(rule, date.fromisoformat(year_end), WASHINGTON) == date.fromisoformat(due)


@given(days, st.integers(-60, 60), st.sampled_from(["days", "business_days", "weeks", "months"]), calendars)
def test_a_rule_gives_one_date_and_words_for_it(anchor: date, amount: int, unit: Any, calendar: Calendar) -> None:
    rule = DateRule("period_end", amount=amount, unit=unit, roll="next")
    assert resolve(rule, anchor, calendar) == resolve(DateRule.parse(rule.as_json()), anchor, calendar)
    assert str(abs(amount)) in in_words(rule, anchor) or amount == 0


def test_words_say_how_a_date_came_about() -> None:
    rule = DateRule("period_end", amount=1, unit="months", plus_days=7, roll="next")
    assert in_words(rule, date(2026, 9, 30)) == (
        "1 month and 7 days after the period's end (30 Sep 2026), rolled to the next business day"
    )
    assert in_words(DateRule("task_completion", of="a", amount=-2, unit="business_days"), None, "Prepare") == (
        "2 business days before “Prepare”"
    )
    assert in_words(DateRule("job_start"), date(2026, 1, 1)) == "on the job's start (1 Jan 2026)"


@pytest.mark.parametrize("amount", [-3660, 3660])
def test_a_date_before_1900_or_after_2200_is_refused(amount: int) -> None:
    anchor = date(1905, 1, 1) if amount < 0 else date(2195, 1, 1)
    with pytest.raises(DateOutOfRange):
        resolve(DateRule("job_start", amount=amount), anchor, Calendar())


@pytest.mark.parametrize(
    ("month_day", "start", "end", "begins", "expected"),
    [
        ("12-31", "2026-01-01", "2026-12-31", "2027-01-04", "2026-12-31"),
        ("03-31", "2026-01-01", "2026-12-31", "2027-01-04", "2026-03-31"),
        ("12-31", "2026-07-01", "2026-09-30", "2026-10-01", "2025-12-31"),
        ("02-29", "2025-03-01", "2026-02-28", "2026-03-01", "2026-02-28"),
        ("02-28", "2027-03-01", "2028-02-29", "2028-03-01", "2028-02-29"),
        ("06-30", None, None, "2026-07-01", "2027-06-30"),
        ("06-30", None, None, "2026-06-30", "2026-06-30"),
    ],
)
def test_the_year_end_is_the_last_one_in_the_period_or_the_next_from_the_start(
    month_day: str, start: str | None, end: str | None, begins: str, expected: str
) -> None:
    period = [date.fromisoformat(d) if d else None for d in (start, end)]
    assert year_end_near(month_day, period[0], period[1], date.fromisoformat(begins)) == date.fromisoformat(expected)


# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "name"),
    [
        ("2026-07-01", "2026-09-30", "Q3 2026"),
        ("2026-02-01", "2026-04-30", "Feb–Apr 2026"),
        ("2026-11-01", "2027-01-31", "Nov 2026–Jan 2027"),
        ("2026-02-01", "2026-02-28", "February 2026"),
        ("2026-01-01", "2026-12-31", "2026"),
        ("2025-04-01", "2026-03-31", "year to 31 March 2026"),
        ("2025-04-06", "2026-04-05", "6 Apr 2025 – 5 Apr 2026"),
        ("2026-02-01", "2026-02-27", "1 Feb 2026 – 27 Feb 2026"),
    ],
)
def test_periods_are_called_as_people_call_them(start: str, end: str, name: str) -> None:
    assert period_name(date.fromisoformat(start), date.fromisoformat(end)) == name


def test_no_period_has_no_name() -> None:
    assert period_name(None, None) == ""
