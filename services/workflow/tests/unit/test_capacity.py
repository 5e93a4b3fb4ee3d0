"""Capacity: work spread over working time, and levelling that breaks nothing."""

from collections.abc import Mapping
from datetime import date, timedelta
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from workflow.capacity import rules
from workflow.capacity.rules import Hours, Load, Piece, Weeks

MONDAY = date(2026, 11, 23)
WEEKS = Weeks(MONDAY, 3, MONDAY)
FULL = Hours(
    {day: 450 for day in (WEEKS.today + timedelta(days=i) for i in range(7 * WEEKS.count)) if day.weekday() < 5}, 450
)
A, B, C = (UUID(int=n) for n in (1, 2, 3))


def beyond(first: date, last: date) -> int:
    return sum((first + timedelta(days=i)).weekday() < 5 for i in range((last - first).days + 1))


def spread(minutes: int, begin: date, due: date, hours: Hours = FULL, weeks: Weeks = WEEKS) -> dict[int, int]:
    return rules.share(minutes, rules.weights(begin, due, hours, weeks, beyond))


def day(offset: int) -> date:
    return MONDAY + timedelta(days=offset)


# --- spreading -------------------------------------------------------------------------------------------------------


def test_work_is_spread_by_working_time_from_its_begin_to_its_due_date() -> None:
    assert spread(600, MONDAY, day(11)) == {0: 300, 1: 300}
    assert spread(700, day(3), day(11)) == {0: 200, 1: 500}


def test_leave_pushes_the_work_into_the_days_that_are_left() -> None:
    away = Hours({d: m for d, m in FULL.days.items() if d >= day(7)}, 450)
    assert spread(600, MONDAY, day(11), away) == {1: 600}


def test_what_is_overdue_is_due_now_and_what_falls_into_no_working_time_on_its_last_day() -> None:
    assert spread(120, day(-30), day(-5)) == {0: 120}
    assert spread(120, day(5), day(6)) == {0: 120}  # a weekend
    assert spread(120, MONDAY, day(8), Hours({})) == {1: 120}


def test_what_falls_behind_the_weeks_is_left_out() -> None:
    assert spread(400, day(14), day(25)) == {2: 200}
    assert spread(400, day(40), day(50)) == {}


@given(st.integers(0, 100_000), st.integers(-10, 20), st.integers(0, 20), st.sets(st.integers(0, 20)))
def test_the_parts_sum_to_the_whole(minutes: int, begin: int, length: int, away: set[int]) -> None:
    hours = Hours({d: m for d, m in FULL.days.items() if (d - MONDAY).days not in away}, 450)
    parts = spread(minutes, day(begin), day(min(begin + length, 20)), hours)
    assert sum(parts.values()) == minutes


# --- who could take it -----------------------------------------------------------------------------------------------


def test_who_has_the_skill_could_take_it_and_if_nobody_has_anybody() -> None:
    skills: Mapping[UUID, list[str]] = {A: ["VAT"], B: ["payroll"], C: []}
    assert rules.qualified(("vat", "preparer"), skills) == ({A}, "Has the skill vat or preparer")
    assert rules.qualified(("audit", ""), skills) == ({A, B, C}, "Nobody has the skill audit, so anybody")
    assert rules.qualified(("", ""), skills)[0] == {A, B, C}


# --- levelling -------------------------------------------------------------------------------------------------------


def piece(owner: UUID | None, share: dict[int, int], *, able: set[UUID] | None = None, window: range | None = None, begun: bool = False) -> Piece:  # fmt: skip
    weeks = window or range(min(share), max(share) + 1)
    return Piece(uuid4(), owner, day(7 * weeks[-1]), share, weeks, frozenset(able or {A, B, C}), "", begun)


def load(planned: dict[UUID, list[int]], available: int = 1000) -> Load:
    return Load({who: [available] * 3 for who in planned}, {who: list(m) for who, m in planned.items()})


def test_who_has_too_much_first_works_in_another_week_of_the_window() -> None:
    (step,) = rules.level([piece(A, {0: 300, 1: 100})], load({A: [1200, 500, 0], B: [0, 0, 0]}), 3)
    assert (step.kind, step.to, step.minutes, step.week, step.to_week) == ("shift", A, 200, 0, 1)


def test_then_some_is_handed_to_who_is_freest_and_able() -> None:
    state = load({A: [1400, 0, 0], B: [900, 0, 0], C: [100, 0, 0]})
    (step,) = rules.level([piece(A, {0: 500}, able={A, B, C})], state, 3)
    assert (step.kind, step.to, step.minutes, step.free) == ("hand_over", C, 500, 900)
    assert state.planned == {A: [900, 0, 0], B: [900, 0, 0], C: [600, 0, 0]}
    assert rules.level([piece(A, {0: 500}, able={A, B})], load({A: [1400, 0, 0], B: [900, 0, 0]}), 3) == []


def test_begun_work_stays_with_its_owner() -> None:
    assert rules.level([piece(A, {0: 500}, begun=True)], load({A: [1400, 0, 0], B: [0, 0, 0]}), 3) == []


def test_work_that_nobody_has_is_given_first() -> None:
    steps = rules.level([piece(None, {1: 400})], load({A: [0, 700, 0], B: [0, 100, 0]}), 3)
    assert [(s.kind, s.to, s.week) for s in steps] == [("assign", B, 1)]


minutes = st.integers(0, 1500)
shares = st.dictionaries(st.integers(0, 2), st.integers(1, 900), min_size=1)


@given(st.lists(st.tuples(st.sampled_from([A, B, C, None]), shares, st.booleans()), max_size=12))
def test_levelling_makes_nobody_carry_more_than_they_have_and_loses_nothing(work: list[tuple[UUID | None, dict[int, int], bool]]) -> None:  # fmt: skip
    pieces = [piece(owner, share, begun=begun) for owner, share, begun in work]
    planned = {who: [sum(p.share.get(w, 0) for p in pieces if p.owner == who) for w in range(3)] for who in (A, B, C)}
    state = load(planned)
    over = {(who, w): state.over(who, w) for who in planned for w in range(3)}
    steps = rules.level(pieces, state, 3)
    assert all(state.over(who, w) <= before for (who, w), before in over.items())
    assigned = sum(step.minutes for step in steps if step.kind == "assign")
    assert sum(map(sum, state.planned.values())) == sum(map(sum, planned.values())) + assigned
    assert all(s.to_week in s.piece.window for s in steps if s.kind == "shift")
    assert all(s.to in s.piece.candidates for s in steps if s.kind != "shift")


def test_breaks_are_what_is_more_over_than_before() -> None:
    state = load({A: [1200, 900, 0], B: [1300, 0, 0]})
    found = rules.breaks(state, {A: [800, 900, 0], B: [1300, 0, 0]})
    assert [(b.who, b.week, b.before, b.after) for b in found] == [(A, 0, 800, 1200)]
