"""Figures of reports that are no sums."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate


def percentile(counted: Sequence[Sequence[int]], share: float) -> float | None:
    """The value below which that share of all values lies; between two of them in proportion, as PERCENTILE.INC of spreadsheets
    and `percentile_cont` of SQL. `counted`: the values ascending, each with how often it occurs. None of none."""
    ends = list(accumulate(times for _, times in counted))
    if not ends:
        return None
    place = (ends[-1] - 1) * share
    below, above = (counted[bisect_right(ends, at)][0] for at in (int(place), min(int(place) + 1, ends[-1] - 1)))
    return below + (above - below) * (place - int(place))
