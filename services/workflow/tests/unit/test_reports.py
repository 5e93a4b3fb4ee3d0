"""A percentile of counted values is that of the values themselves."""

from collections import Counter
from statistics import quantiles

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.reports.rules import percentile


@given(st.lists(st.integers(0, 400), min_size=2))
def test_percentiles_are_those_of_the_values_one_by_one(values: list[int]) -> None:
    tenths = quantiles(values, n=10, method="inclusive")
    counted = sorted(Counter(values).items())
    assert percentile(counted, 0.5) == pytest.approx(tenths[4])
    assert percentile(counted, 0.9) == pytest.approx(tenths[8])


def test_of_one_value_it_is_the_value_and_of_none_there_is_none() -> None:
    assert percentile([(7, 1)], 0.9) == 7
    assert percentile([], 0.5) is None
