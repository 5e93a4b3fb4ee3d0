"""Dependencies: cycles are found and named, and nothing is both startable and blocked."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from chassis.db import new_id
from chassis.errors import Conflict
from workflow.dependencies.rules import Edge, Node, describe, find_cycle, in_order, readiness
from workflow.jobs.aggregate import WholeJob, block, complete
from workflow.jobs.tables import Dependency, Job
from workflow.requests.tables import Request
from workflow.tasks.tables import Task
from workflow.tasks.usecases import require_ready

TODAY = date(2026, 11, 24)


@st.composite
def dags(draw: st.DrawFn) -> tuple[int, list[Edge[int]]]:
    """An acyclic graph: edges only lead from lower to higher numbers, under shuffled names."""
    size = draw(st.integers(1, 25))
    names = draw(st.permutations(range(size)))
    pairs = [(a, b) for b in range(size) for a in range(b)]
    chosen = draw(st.lists(st.sampled_from(pairs), max_size=60, unique=True)) if pairs else []
    return size, [Edge(names[a], names[b], draw(st.integers(0, 5))) for a, b in chosen]


@given(dags())
def test_an_acyclic_graph_has_no_cycle_and_an_order(graph: tuple[int, list[Edge[int]]]) -> None:
    size, edges = graph
    pairs = [(e.before, e.after) for e in edges]
    assert find_cycle(pairs) is None
    order = in_order(range(size), pairs)
    assert sorted(order) == list(range(size))
    assert all(order.index(a) < order.index(b) for a, b in pairs)


@given(dags(), st.data())
def test_an_edge_back_makes_a_cycle_and_the_path_is_one(
    graph: tuple[int, list[Edge[int]]], data: st.DataObject
) -> None:
    _, edges = graph
    if not edges:
        return
    closing = data.draw(st.sampled_from(edges))
    pairs = [(e.before, e.after) for e in edges] + [(closing.after, closing.before)]
    path = find_cycle(pairs)
    assert path is not None
    assert path[0] == path[-1]
    assert all(step in pairs for step in pairwise(path))


def test_something_that_waits_for_itself_is_a_cycle() -> None:
    assert find_cycle([("a", "a")]) == ["a", "a"]


def test_a_cycle_is_told_in_titles() -> None:
    path = find_cycle([("a", "b"), ("b", "c"), ("c", "a")])
    assert path is not None
    words = describe(path, {"a": "Prepare", "b": "Review", "c": "File"})
    assert words.split(" → ")[0] == words.split(" → ")[-1]
    assert set(words.split(" → ")) == {"Prepare", "Review", "File"}


@given(dags(), st.data())
def test_a_step_is_blocked_exactly_while_a_predecessor_is_open_or_a_lag_runs(
    graph: tuple[int, list[Edge[int]]], data: st.DataObject
) -> None:
    size, edges = graph
    done = data.draw(st.lists(st.booleans(), min_size=size, max_size=size))
    since = data.draw(st.lists(st.integers(0, 10), min_size=size, max_size=size))
    nodes = {i: Node(done[i], TODAY - timedelta(days=since[i]) if done[i] else None) for i in range(size)}
    for key, found in readiness(nodes, edges).items():
        before = [e for e in edges if e.after == key]
        open_ones = [e.before for e in before if not done[e.before]]
        lagging = [e for e in before if done[e.before] and e.lag_days > since[e.before]]
        assert sorted(found.waits_for) == sorted(open_ones)
        assert found.blocked(TODAY) == bool(open_ones or lagging)


@given(dags())
def test_finishing_what_can_be_done_finishes_everything(graph: tuple[int, list[Edge[int]]]) -> None:
    size, edges = graph
    nodes, today = {i: Node(False) for i in range(size)}, TODAY
    for _ in range(size * 7):
        ready = readiness(nodes, edges)
        for key in nodes:
            if not nodes[key].complete and not ready[key].blocked(today):
                nodes[key] = Node(True, today)
        today += timedelta(days=1)
    assert all(node.complete for node in nodes.values())


def test_a_lag_counts_from_the_day_the_predecessor_was_done() -> None:
    nodes = {"a": Node(True, date(2026, 11, 20)), "b": Node(False)}
    found = readiness(nodes, [Edge("a", "b", 7)])["b"]
    assert found.ready_on == date(2026, 11, 27)
    assert found.blocked(date(2026, 11, 26))
    assert not found.blocked(date(2026, 11, 27))


# --- in a job --------------------------------------------------------------------------------------------------------

TASK_STATUSES = ("not_started", "not_started", "in_progress", "done", "skipped")
REQUEST_STATUSES = ("draft", "scheduled", "sent", "submitted", "accepted", "returned", "waived", "expired")


def may_start(whole: WholeJob, task: Task) -> bool:
    try:
        require_ready(whole, task, TODAY)
    except Conflict:
        return False
    return True


@given(dags(), st.data())
def test_no_task_is_both_blocked_and_startable(graph: tuple[int, list[Edge[int]]], data: st.DataObject) -> None:
    """As the API decides, over tasks and requests of one job, whatever state they are in."""
    size, edges = graph
    whole = WholeJob(Job(id=new_id(), title="Job", starts_on=TODAY, cancelled_at=None))
    steps: dict[int, Task | Request] = {}
    for i in range(size):
        is_task = data.draw(st.booleans())
        status = data.draw(st.sampled_from(TASK_STATUSES if is_task else REQUEST_STATUSES))
        step = (Task if is_task else Request)(id=new_id(), title=f"Step {i}", status=status)
        step.completed_on = TODAY - timedelta(days=data.draw(st.integers(0, 6))) if complete(step) else None
        steps[i] = step
    whole.tasks = [s for s in steps.values() if isinstance(s, Task)]
    whole.requests = [s for s in steps.values() if isinstance(s, Request)]
    whole.dependencies = [
        Dependency(before_id=steps[e.before].id, after_id=steps[e.after].id, lag_days=e.lag_days) for e in edges
    ]
    ready = block(whole, TODAY)
    for task in whole.tasks:
        startable = may_start(whole, task)
        if task.status == "not_started":
            assert startable is not task.blocked
            assert task.waits_for == len(ready[task.id].waits_for)
        else:
            assert not task.blocked  # what has begun goes on; what it was begun without is flagged
        assert bool(task.attention) <= (task.status in ("in_progress", "done"))
