"""clients: a page of the client list, the first and one far down, against Flask with raw SQL over the same tables.

Both answer the same clients with their contacts, tax numbers and open engagements; the bound goes by keyset too, but checks no token, has no
row-level security and validates nothing.
"""

import argparse
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

import psycopg

from bench import crowd, load, servers
from bench.log_time import port
from bench.report import Figure, Report, median
from chassis.paging import encode_cursor
from tests.e2e.support import Platform, open_firm

LIMIT, DEEP, ROUNDS = 25, 4_000, 3


def main(words: list[str]) -> None:
    options = argparse.ArgumentParser(prog="./praxis bench clients")
    options.add_argument("--clients", type=int, default=100_000)
    options.add_argument("--connections", type=int, nargs="+", default=[1, 8])
    options.add_argument("--seconds", type=float, default=4.0, help="of each round")
    chosen = options.parse_args(words)
    report = Report("clients")
    with servers.running() as found:
        where = found["addresses"]
        firm = open_firm(Platform(where["app"], where["files"], where["mail"], servers.praxis))
        crowd.fill(crowd.database("owner"), UUID(firm.id), UUID(firm.owner.id), chosen.clients)
        with servers.bound("bench.bound_clients", crowd.database("owner")) as bound:
            _measure(report, firm, bound, chosen)
    report.keep()


def _measure(report: Report, firm: Any, bound: int, chosen: argparse.Namespace) -> None:
    deep = min(DEEP, chosen.clients // LIMIT)
    with psycopg.connect(crowd.database("owner")) as connection:
        last = connection.execute(
            "SELECT sort_name, id FROM clients WHERE firm_id = %s ORDER BY sort_name, id OFFSET %s LIMIT 1",
            (firm.id, (deep - 1) * LIMIT - 1),
        ).fetchone()
    assert last is not None
    edge = int(firm.platform.app.rsplit(":", 1)[1])
    pages = {"page 1": (None, {}), f"page {deep:,}": (encode_cursor(last), {"name": last[0], "id": str(last[1])})}
    first_page: dict[tuple[int, str], float] = {}
    for page, (cursor, after) in pages.items():
        path = f"/api/clients/v1/clients?limit={LIMIT}{f'&cursor={quote(cursor)}' if cursor else ''}"
        headers = {"authorization": f"Bearer {firm.owner.token}"}
        requests = {
            "bound": (bound, load.request("GET", f"/clients?{urlencode({'firm': firm.id, 'limit': LIMIT} | after)}")),
            "direct": (port("clients-http"), load.request("GET", path, headers=headers)),
            "edge": (edge, load.request("GET", path, headers=headers, host=f"127.0.0.1:{edge}")),
        }
        for count in chosen.connections:
            results: dict[str, list[load.Result]] = {name: [] for name in requests}
            for _ in range(ROUNDS):
                for name, (to, asked) in requests.items():
                    once = load.run(to, lambda _, asked=asked: asked, connections=count, seconds=chosen.seconds)  # type: ignore[misc]  # bound at once
                    results[name].append(once)
            _report(report, page, count, results, first_page)


def _report(
    report: Report,
    page: str,
    count: int,
    results: dict[str, list[load.Result]],
    first_page: dict[tuple[int, str], float],
) -> None:
    rates = {name: median([r.rate for r in found]) for name, found in results.items()}
    for name, reach in (("direct", "≥ 0.6"), ("edge", "p95 ≤ 50 ms")):
        middle = sorted(results[name], key=lambda r: r.rate)[ROUNDS // 2]
        detail = {f"p{int(p * 100)}_ms": middle.percentile(p) for p in (0.5, 0.95, 0.99)}
        detail["errors"] = sum(r.errors for r in results[name])
        what = f"{page}, {count} connections, {'through the edge' if name == 'edge' else 'direct'}"
        if name == "edge":
            what += f", p95 {detail['p95_ms']:.1f} ms"
        report.add(Figure(what, rates[name], rates["bound"], "requests/s", reach, detail))
        before = first_page.setdefault((count, name), rates[name])
        if page != "page 1" and name == "direct":
            report.add(
                Figure(f"{count} connections: time of {page} ÷ page 1", before, rates[name], "requests/s", "≤ 1.2")
            )
    assert not any(r.errors for found in results.values() for r in found), "errors under load"
