"""Capacity: work spread over working time, week by week, and suggestions that level it without breaking a date."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from itertools import accumulate
from typing import Final
from uuid import UUID

# Less than this is not worth anybody's while.
LEAST: Final = 15
MOST_SUGGESTED: Final = 50


@dataclass(frozen=True, slots=True)
class Weeks:
    """Consecutive weeks from the one that `first` (the first day of a week) begins; the past of the first one is gone."""

    first: date
    count: int
    today: date

    @property
    def last(self) -> date:
        return self.first + timedelta(days=7 * self.count - 1)

    def of(self, day: date) -> int | None:
        """The number of the week a day is in; None outside."""
        index = (day - self.first).days // 7
        return index if 0 <= index < self.count else None

    def spans(self) -> Iterator[tuple[date, date]]:
        """The first and the last day of each."""
        for number in range(self.count):
            first = self.first + timedelta(days=7 * number)
            yield first, first + timedelta(days=6)


@dataclass(frozen=True)
class Hours:
    """Somebody's working time: minutes of each day of the weeks, and what a business day behind them is worth."""

    days: Mapping[date, int]
    beyond: int = 0

    def within(self, first: date, last: date) -> int:
        """Minutes from one day to another, both counted."""
        return self._until(last.toordinal()) - self._until(first.toordinal() - 1)

    def _until(self, day: int) -> int:
        begins, sums = self._sums
        return sums[min(day - begins, len(sums) - 1)] if day >= begins else 0

    @cached_property
    def _sums(self) -> tuple[int, list[int]]:
        """The first day's number, and the minutes from there to each day: a span is asked for far oftener than made."""
        if not self.days:
            return 0, [0]
        begins, ends = min(self.days), max(self.days)
        days = (begins + timedelta(days=i) for i in range((ends - begins).days + 1))
        return begins.toordinal(), list(accumulate(self.days.get(day, 0) for day in days))


# What each week weighs in a span of days; None: what lies behind the weeks.
Weights = Mapping[int | None, int]


def weights(
    begin: date, due: date, hours: Hours, weeks: Weeks, business_days_beyond: Callable[[date, date], int]
) -> Weights:
    """How the work of a span is spread over the weeks: by the working time from `begin` to `due`. Work whose date has
    passed, or that has no working time left, is all due now: on its last day."""
    begin = max(begin, weeks.today)
    due = max(due, begin)
    found: dict[int | None, int] = {}
    day, end = begin, min(due, weeks.last)
    while day <= end:
        number = (day - weeks.first).days // 7
        ends = weeks.first + timedelta(days=7 * number + 6)
        found[number] = hours.within(day, min(ends, end))
        day = ends + timedelta(days=1)
    if due > weeks.last:
        found[None] = business_days_beyond(max(begin, weeks.last + timedelta(days=1)), due) * max(hours.beyond, 1)
    return found if any(found.values()) else {weeks.of(due): 1}


def share(minutes: int, weights: Weights) -> dict[int, int]:
    """The minutes of a piece of work in each week; what falls behind the weeks is left out. Largest remainder: the parts
    sum to the whole."""
    total = sum(weights.values())
    parts = {week: minutes * weight // total for week, weight in weights.items()}
    left = minutes - sum(parts.values())
    if left:
        by_remainder = sorted(weights, key=lambda week: (-(minutes * weights[week] % total), week is None, week or 0))
        for week in by_remainder[:left]:
            parts[week] += 1
    return {week: part for week, part in parts.items() if week is not None and part}


# --- who could take it -----------------------------------------------------------------------------------------------


def qualified(words: Sequence[str], skills: Mapping[UUID, Sequence[str]]) -> tuple[set[UUID], str]:
    """Who has a skill of the name of the work's service or role, and why these; if nobody at the firm has, everybody."""
    wanted = {word.casefold() for word in words if word}
    found = {staff_id for staff_id, has in skills.items() if wanted & {skill.casefold() for skill in has}}
    named = " or ".join(dict.fromkeys(word for word in words if word))
    if not wanted:
        return set(skills), "It asks for no skill"
    if not found:
        return set(skills), f"Nobody has the skill {named}, so anybody"
    return found, f"Has the skill {named}"


# --- levelling -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Piece:
    """An open task as levelling sees it: its minutes in each week, and the weeks it may be worked on in."""

    id: UUID
    owner: UUID | None
    due: date
    share: Mapping[int, int]
    window: range
    candidates: frozenset[UUID]
    why: str  # these candidates
    begun: bool = False


@dataclass(slots=True)
class Load:
    """Minutes that people have, and have to do, by week."""

    available: Mapping[UUID, Sequence[int]]
    planned: dict[UUID, list[int]]

    def free(self, who: UUID, week: int) -> int:
        return self.available[who][week] - self.planned[who][week]

    def over(self, who: UUID, week: int) -> int:
        return max(0, -self.free(who, week))

    def move(self, minutes: int, origin: tuple[UUID, int] | None, to: tuple[UUID, int]) -> None:
        if origin:
            self.planned[origin[0]][origin[1]] -= minutes
        self.planned[to[0]][to[1]] += minutes


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One step: `kind` assign (it had nobody), hand_over, or shift (the same person, another week before it is due)."""

    kind: str
    piece: Piece
    to: UUID
    minutes: int
    week: int  # in which it helps, or for `assign` the first it falls into
    to_week: int | None = None
    free: int = 0  # what the one who takes it has free in the weeks it takes, before


def level(pieces: Sequence[Piece], load: Load, weeks: int) -> list[Suggestion]:
    """Steps, each of which makes nobody carry more than they have: work without an owner is given to who is freest; then,
    week by week, whoever has too much first does work in another week of its window, then hands some over. Begun work
    stays with its owner. Greedy: good, not the best there is. `load` is changed as the steps would."""
    steps: list[Suggestion] = []
    shares = {piece.id: dict(piece.share) for piece in pieces}
    for piece in sorted((p for p in pieces if p.owner is None), key=lambda p: (p.due, p.id)):
        if taker := _taker(piece, shares[piece.id], load):
            steps.append(_give("assign", piece, shares[piece.id], None, taker, min(piece.share, default=0), load))
    owned: dict[UUID, list[Piece]] = {}
    for piece in pieces:
        if piece.owner is not None:
            owned.setdefault(piece.owner, []).append(piece)
    for week in range(weeks):
        for who in sorted(load.planned, key=lambda s: (-load.over(s, week), s)):
            steps += _relieve(who, week, owned.get(who, []), shares, load)
            if len(steps) >= MOST_SUGGESTED:
                return steps[:MOST_SUGGESTED]
    return steps


def _relieve(
    who: UUID, week: int, pieces: list[Piece], shares: dict[UUID, dict[int, int]], load: Load
) -> Iterator[Suggestion]:
    by_size = sorted(pieces, key=lambda p: (-shares[p.id].get(week, 0), p.id))
    for piece in by_size:
        if load.over(who, week) < LEAST:
            return
        yield from _shift(who, week, piece, shares[piece.id], load)
    for piece in by_size:
        if load.over(who, week) < LEAST:
            return
        share = shares[piece.id]
        if piece.begun or share.get(week, 0) < LEAST:
            continue
        if taker := _taker(piece, share, load):
            yield _give("hand_over", piece, share, who, taker, week, load)
            pieces.remove(piece)


def _shift(who: UUID, week: int, piece: Piece, share: dict[int, int], load: Load) -> Iterator[Suggestion]:
    """Into the freest other weeks of its window."""
    for other in sorted((w for w in piece.window if w != week), key=lambda w: -load.free(who, w)):
        minutes = min(load.over(who, week), share.get(week, 0), load.free(who, other))
        if minutes < LEAST:
            return
        free = load.free(who, other)
        load.move(minutes, (who, week), (who, other))
        share[week] -= minutes
        share[other] = share.get(other, 0) + minutes
        yield Suggestion("shift", piece, who, minutes, week, other, free)


def _taker(piece: Piece, share: Mapping[int, int], load: Load) -> UUID | None:
    """Of those who could do it without having too much in any week, who is freest in those weeks."""
    able = [
        who
        for who in piece.candidates
        if who != piece.owner and who in load.planned and all(load.free(who, w) >= m for w, m in share.items())
    ]
    return max(able, key=lambda who: (sum(load.free(who, w) for w in share), str(who)), default=None) if share else None


def _give(
    kind: str, piece: Piece, share: Mapping[int, int], origin: UUID | None, taker: UUID, week: int, load: Load
) -> Suggestion:
    free = sum(load.free(taker, w) for w in share)
    for w, minutes in share.items():
        load.move(minutes, (origin, w) if origin else None, (taker, w))
    return Suggestion(kind, piece, taker, sum(share.values()), week, None, free)


@dataclass(frozen=True, slots=True)
class Break:
    """Somebody who would have too much in a week, and did not before."""

    who: UUID
    week: int
    available: int
    before: int
    after: int = field(default=0)


def breaks(load: Load, before: Mapping[UUID, Sequence[int]]) -> list[Break]:
    """Who has too much in which week because of what was added: more over than before; the earliest first."""
    found = [
        Break(who, week, load.available[who][week], before[who][week], minutes)
        for who, planned in load.planned.items()
        for week, minutes in enumerate(planned)
        if minutes > load.available[who][week] and minutes > before[who][week]
    ]
    return sorted(found, key=lambda b: (b.week, b.available - b.after, str(b.who)))
