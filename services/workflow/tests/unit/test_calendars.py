"""Who works how long on which day."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from workflow.calendars.rules import Leave, Person, WorkingWeek, day_of, days_of, days_within
from workflow.dates.rules import Calendar

LONDON = Calendar("GB", "ENG", days_within([(date(2026, 12, 29), date(2026, 12, 31))]))
MONDAY = date(2026, 11, 23)
PART_TIME = WorkingWeek(date(2026, 11, 23), (450, 450, 240, 0, 0, 60, 0))


def test_without_a_working_week_capacity_is_spread_over_the_days_that_are_no_weekend() -> None:
    week = list(days_of(Person(2252), MONDAY, MONDAY + timedelta(days=6), LONDON))
    assert [d.minutes for d in week] == [451, 451, 450, 450, 450, 0, 0]
    assert [d.why for d in week] == [None] * 5 + ["not_working"] * 2


def test_weekends_are_those_of_the_country() -> None:
    week = days_of(Person(2400), MONDAY, MONDAY + timedelta(days=6), Calendar("AE"))
    assert sum(d.minutes for d in week) == 2400


def test_a_working_week_holds_from_its_day_until_the_next() -> None:
    person = Person(2250, (PART_TIME, WorkingWeek(date(2026, 11, 25), (0, 0, 100, 0, 0, 0, 0))))
    assert day_of(person, date(2026, 11, 20), LONDON).minutes == 450
    assert day_of(person, date(2026, 11, 24), LONDON).minutes == 450
    assert day_of(person, date(2026, 11, 25), LONDON).minutes == 100


def test_somebody_may_work_at_the_weekend() -> None:
    assert day_of(Person(2250, (PART_TIME,)), date(2026, 11, 28), LONDON).minutes == 60


def test_holidays_and_closures_are_off_for_everybody() -> None:
    assert day_of(Person(2250), date(2026, 12, 25), LONDON).why == "holiday"
    assert day_of(Person(2250), date(2026, 12, 29), LONDON).why == "closure"
    assert day_of(Person(2250), date(2026, 12, 29), LONDON).minutes == 0


def test_leave_takes_the_day_or_its_part_and_never_more() -> None:
    def away(*leave: Leave) -> int:
        return day_of(Person(2250, (), leave), MONDAY, LONDON).minutes

    assert away(Leave(MONDAY, MONDAY)) == 0
    assert away(Leave(MONDAY, MONDAY, 225)) == 225
    assert away(Leave(MONDAY, MONDAY, 300), Leave(MONDAY, MONDAY, 300)) == 0
    assert away(Leave(MONDAY - timedelta(days=1), MONDAY - timedelta(days=1))) == 450


days = st.dates(date(2024, 1, 1), date(2028, 12, 31))


@given(
    st.integers(0, 6000),
    st.lists(st.builds(WorkingWeek, days, st.tuples(*[st.integers(0, 1440)] * 7)), max_size=3).map(tuple),
    st.lists(
        st.builds(
            lambda d, n, m: Leave(d, d + timedelta(days=n), m),
            days,
            st.integers(0, 30),
            st.none() | st.integers(1, 1440),
        ),
        max_size=4,
    ).map(tuple),
    days,
)
def test_leave_never_adds_time_and_a_day_never_has_more_than_it_holds(
    weekly: int, weeks: tuple[WorkingWeek, ...], leave: tuple[Leave, ...], day: date
) -> None:
    with_leave = day_of(Person(weekly, weeks, leave), day, LONDON)
    without = day_of(Person(weekly, weeks), day, LONDON)
    assert 0 <= with_leave.minutes <= without.minutes <= max(1440, weekly)
    assert (with_leave.why is None) <= (with_leave.minutes == without.minutes)
