"""Dependencies: finish-to-start with lag, between the tasks and requests of a job. Acyclic, always."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from graphlib import CycleError, TopologicalSorter
from typing import Generic, TypeVar

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Edge(Generic[K]):
    """`after` can't begin before `before` is complete, and not earlier than `lag_days` after the day it was."""

    before: K
    after: K
    lag_days: int = 0


@dataclass(frozen=True, slots=True)
class Node:
    """What a dependency needs to know of a task or request: complete (done, skipped, cancelled; for a request also
    submitted, accepted, waived), and since which day."""

    complete: bool
    completed_on: date | None = None


@dataclass(frozen=True, slots=True)
class Readiness(Generic[K]):
    """What a task or request still waits for: open predecessors, and the day until which lags run (None: no lag)."""

    waits_for: tuple[K, ...]
    ready_on: date | None

    def blocked(self, today: date) -> bool:
        return bool(self.waits_for) or (self.ready_on is not None and self.ready_on > today)


def _sorter(edges: Iterable[tuple[K, K]], nodes: Iterable[K] = ()) -> TopologicalSorter[K]:
    sorter: TopologicalSorter[K] = TopologicalSorter(dict.fromkeys(nodes, ()))
    for before, after in edges:
        sorter.add(after, before)
    return sorter


def find_cycle(edges: Iterable[tuple[K, K]]) -> list[K] | None:
    """The path of a cycle, first and last the same and each before the next; None if there is none."""
    try:
        _sorter(edges).prepare()
    except CycleError as error:
        return list(error.args[1])
    return None


def in_order(nodes: Iterable[K], edges: Iterable[tuple[K, K]]) -> list[K]:
    """All nodes, each behind everything it depends on. The edges must be acyclic."""
    return list(_sorter(edges, nodes).static_order())


def readiness(nodes: Mapping[K, Node], edges: Collection[Edge[K]]) -> dict[K, Readiness[K]]:
    """For every node what it waits for. An edge from a node that is not there counts for nothing."""
    waits: dict[K, list[K]] = {key: [] for key in nodes}
    ready: dict[K, date | None] = dict.fromkeys(nodes)
    for edge in edges:
        before = nodes.get(edge.before)
        if before is None or edge.after not in nodes:
            continue
        if not before.complete:
            waits[edge.after].append(edge.before)
        elif edge.lag_days and before.completed_on:
            from_then = before.completed_on + timedelta(days=edge.lag_days)
            ready[edge.after] = max(ready[edge.after] or from_then, from_then)
    return {key: Readiness(tuple(waits[key]), ready[key]) for key in nodes}


def describe(path: Sequence[K], titles: Mapping[K, str]) -> str:
    """A cycle in words: "Prepare → Review → Prepare"."""
    return " → ".join(titles.get(step, str(step)) for step in path)
