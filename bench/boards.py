"""boards: the job board, and pages of the job and task list, the first and one far down, against Flask with raw SQL over the same tables.

Both answer the same cards and rows with clients, owners, time logged, derived status and what a task waits for; both go by keyset and hide
private clients. The bound checks no token, has no row-level security and validates nothing.
"""

import argparse
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import psycopg

from bench import load, servers, work
from bench.log_time import port
from bench.report import Figure, Report, median
from chassis.paging import encode_cursor
from tests.e2e.support import Firm, Platform, open_firm, sign_in

LIMIT, DEEP, ROUNDS = 25, 4_000, 3


@dataclass(frozen=True)
class Question:
    """What is asked of both: our path and parameters, and the bound's."""

    what: str
    path: str
    ours: dict[str, Any]
    bound: dict[str, Any]
    first: str = ""  # the page that this one should be as fast as


def main(words: list[str]) -> None:
    options = argparse.ArgumentParser(prog="./praxis bench boards")
    options.add_argument("--tasks", type=int, default=1_000_000)
    options.add_argument("--clients", type=int, default=100_000)
    options.add_argument("--connections", type=int, nargs="+", default=[1, 8])
    options.add_argument("--seconds", type=float, default=4.0, help="of each round")
    chosen = options.parse_args(words)
    report = Report("boards")
    with servers.running() as found:
        where = found["addresses"]
        firm = open_firm(Platform(where["app"], where["files"], where["mail"], servers.praxis))
        firm.owner.get("workflow/v1/stages")  # a firm's first look makes them
        work.fill(work.database("owner"), UUID(firm.id), UUID(firm.owner.id), chosen.tasks, chosen.clients)
        with servers.bound("bench.bound_boards", work.database("owner")) as bound:
            for question in _questions(firm):
                _measure(report, firm, bound, question, chosen)
    _deep_pages(report, chosen.connections)
    report.keep()


def _questions(firm: Firm) -> list[Question]:
    every, open_ones = {"closed": "any"}, "status IN ('not_started', 'in_progress')"
    with psycopg.connect(work.database("owner")) as connection:
        deep_job, job_page = _far_down(connection, firm, "jobs", "true")
        deep_task, task_page = _far_down(connection, firm, "tasks", open_ones)
    return [
        Question("board", "/board", {"per_column": LIMIT}, {}),
        Question("jobs, page 1", "/jobs", every | {"limit": LIMIT}, {}),
        _deep("jobs", every, deep_job, job_page),
        Question("tasks, page 1", "/tasks", {"limit": LIMIT}, {}),
        _deep("tasks", {}, deep_task, task_page),
    ]


def _far_down(connection: Any, firm: Firm, table: str, condition: str) -> tuple[tuple[Any, Any], int]:
    """Where page 4,000 begins, or the last full one if there are fewer, and its number."""
    (rows,) = connection.execute(
        f"SELECT count(*) FROM {table} WHERE firm_id = %s AND {condition}", (firm.id,)
    ).fetchone()
    number = max(min(DEEP, rows // LIMIT), 2)
    last = connection.execute(
        f"SELECT due_sort, id FROM {table} WHERE firm_id = %s AND {condition} ORDER BY due_sort, id OFFSET %s LIMIT 1",
        (firm.id, (number - 1) * LIMIT - 1),
    ).fetchone()
    return last, number


def _deep(list: str, more: dict[str, Any], last: tuple[Any, Any], number: int) -> Question:
    ours = more | {"limit": LIMIT, "cursor": encode_cursor(last)}
    bound = {"day": str(last[0]), "id": str(last[1])}
    return Question(f"{list}, page {number:,}", f"/{list}", ours, bound, first=f"{list}, page 1")


def _measure(report: Report, firm: Firm, bound: int, question: Question, chosen: argparse.Namespace) -> None:
    token = sign_in(firm.platform, firm.owner.email).token
    edge = int(firm.platform.app.rsplit(":", 1)[1])
    path = f"/api/workflow/v1{question.path}?{urlencode(question.ours)}"
    plain = f"{question.path}?{urlencode({'firm': firm.id, 'me': firm.owner.id, 'limit': LIMIT} | question.bound)}"
    headers = {"authorization": f"Bearer {token}"}
    requests = {
        "bound": (bound, load.request("GET", plain)),
        "direct": (port("workflow-http"), load.request("GET", path, headers=headers)),
        "edge": (edge, load.request("GET", path, headers=headers, host=f"127.0.0.1:{edge}")),
    }
    for count in chosen.connections:
        results: dict[str, list[load.Result]] = {name: [] for name in requests}
        for _ in range(ROUNDS):
            for name, (to, asked) in requests.items():
                once = load.run(to, lambda _, asked=asked: asked, connections=count, seconds=chosen.seconds)  # type: ignore[misc]  # bound at once
                results[name].append(once)
        rates = {name: median([r.rate for r in found]) for name, found in results.items()}
        for name, reach in (("direct", "≥ 0.6"), ("edge", "p95 ≤ 50 ms")):
            middle = sorted(results[name], key=lambda r: r.rate)[ROUNDS // 2]
            detail = {f"p{int(p * 100)}_ms": middle.percentile(p) for p in (0.5, 0.95, 0.99)}
            detail["errors"] = sum(r.errors for r in results[name])
            what = _name(question.what, count, name)
            if name == "edge":
                what += f", p95 {detail['p95_ms']:.1f} ms"
            report.add(Figure(what, rates[name], rates["bound"], "requests/s", reach, detail))
        assert not any(r.errors for found in results.values() for r in found), "errors under load"


def _name(what: str, connections: int, way: str) -> str:
    return f"{what}, {connections} connections, {'through the edge' if way == 'edge' else 'direct'}"


def _deep_pages(report: Report, connections: list[int]) -> None:
    """How long a deep page takes for each that the first takes."""
    rates = {figure.what: figure.ours for figure in report.figures}
    for count in connections:
        for what in dict.fromkeys(
            w.split(f", {count} conn")[0] for w in rates if f", {count} connections, direct" in w
        ):
            list, _, page = what.partition(", page ")
            if page and page != "1":
                first, deep = rates[_name(f"{list}, page 1", count, "direct")], rates[_name(what, count, "direct")]
                report.add(
                    Figure(
                        f"{list}, {count} connections: time of page {page} ÷ page 1", first, deep, "requests/s", "≤ 1.2"
                    )
                )
