"""log-time: logging a time entry, against Flask with raw SQL into a table of the same shape in the same database server.

The bound validates nothing, checks no token, keeps no audit, announces nothing: one INSERT and a commit. What follows an entry (relay, listeners, the sealing
of the audit) works on the same cores while ours is measured; how much that takes is told by measuring once more while those processes are held.
"""

import argparse
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from uuid import uuid4

import psycopg

from bench import load, servers
from bench.report import Figure, Report, median
from chassis.testing import eventually
from tests.e2e.support import Firm, Platform, open_firm

CONNECTIONS = (1, 4, 8, 32)
ROUNDS, SECONDS = 3, 2.5
COLUMNS = "firm_id, id, staff_id, client_id, job_id, day, seconds, billable, narrative, status, created_at, version"


def main(words: list[str]) -> None:
    options = argparse.ArgumentParser(prog="./praxis bench log-time")
    options.add_argument("--rows", type=int, default=10_000_000, help="how many entries there are in the second part")
    options.add_argument("--connections", type=int, nargs="+", default=list(CONNECTIONS))
    chosen = options.parse_args(words)
    report = Report("log-time")
    with servers.running() as found:
        platform = Platform(
            found["addresses"]["app"], found["addresses"]["files"], found["addresses"]["mail"], servers.praxis
        )
        firm = open_firm(platform)
        facts = _facts(firm)
        _make_table(facts["database"])
        with servers.bound("bench.bound_flask", facts["database"]) as bound:
            _measure(report, facts, bound, chosen.connections, "no rows")
            if chosen.rows:
                _fill(facts, chosen.rows)
                _measure(report, facts, bound, chosen.connections, f"{chosen.rows:,} rows")
    _losses(report, chosen.connections)
    report.keep()


def _facts(firm: Firm) -> dict[str, Any]:
    """A client and a job to log time on, and how to reach the service past the edge."""
    owner = firm.owner
    # In its first moments a firm's settings are still on their way to the services.
    client = eventually(
        lambda: owner.post("clients/v1/clients", {"name": "Bench Ltd", "kind": "organisation"}, status=201)
    )
    job = owner.post("workflow/v1/jobs", {"client_id": client["id"], "title": "Bench"}, status=201)
    body = {
        "job_id": job["id"],
        "day": date(2026, 11, 2).isoformat(),
        "seconds": 3600,
        "narrative": "Prepared the return",
    }
    owner.post("timebilling/v1/time-entries", body, status=201)  # its copies are there from here on
    database = _launched().database_url("timebilling", "owner")
    return {
        "firm": firm.id, "staff": owner.id, "client": client["id"], "job": job["id"], "token": owner.token, "body": body,
        "database": database, "listener": _launched().database_url("workflow", "owner"), "superuser": _launched().postgres_url, "direct": port("timebilling-http"), "edge": int(firm.platform.app.rsplit(":", 1)[1]),
        "refresh": lambda: _token(firm),
    }  # fmt: skip


def _token(firm: Firm) -> str:
    from tests.e2e.support import sign_in

    return sign_in(firm.platform, firm.owner.email).token


def _launched() -> Any:
    from tools.launcher.area import Area
    from tools.launcher.platform import Platform as Launched

    return Launched(Area(servers.STATE / "run", servers.STATE / "secrets"))


def port(process: str) -> int:
    ports = json.loads((servers.STATE / "run" / "ports.json").read_text())
    return int(ports[f"{process}-http"] if f"{process}-http" in ports else ports[process])


def _make_table(database: str) -> None:
    """The bound's table, of the same shape and with the same indexes."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE bound (LIKE time_entries INCLUDING DEFAULTS INCLUDING INDEXES)")


def _measure(report: Report, facts: dict[str, Any], bound: int, connections: list[int], rows: str) -> None:
    token = facts["refresh"]()
    path = "/api/timebilling/v1/time-entries"

    def ours(number: int) -> bytes:
        del number
        headers = {"authorization": f"Bearer {token}", "idempotency-key": str(uuid4())}
        return load.request("POST", path, json.dumps(facts["body"]).encode(), headers, f"127.0.0.1:{facts['edge']}")

    plain = load.request(
        "POST", "/time-entries", json.dumps(facts["body"] | {k: facts[k] for k in ("firm", "staff", "client")}).encode()
    )
    for count in connections:
        results: dict[str, list[load.Result]] = {"bound": [], "direct": [], "edge": [], "held": []}
        for _ in range(ROUNDS):
            results["bound"].append(load.run(bound, lambda _: plain, connections=count, seconds=SECONDS))
            results["direct"].append(load.run(facts["direct"], ours, connections=count, seconds=SECONDS))
            _let_followers_finish(facts)
            results["edge"].append(load.run(facts["edge"], ours, connections=count, seconds=SECONDS))
            _let_followers_finish(facts)
            with _followers_held():
                results["held"].append(load.run(facts["direct"], ours, connections=count, seconds=SECONDS))
            _let_followers_finish(facts)
        rates = {name: median([r.rate for r in found]) for name, found in results.items()}
        for name, (how, reach) in _WAYS.items():
            middle = sorted(results[name], key=lambda r: r.rate)[ROUNDS // 2]
            detail = {f"p{int(p * 100)}_ms": middle.percentile(p) for p in (0.5, 0.95, 0.99)} | {
                "errors": sum(r.errors for r in results[name])
            }
            what = f"{rows}, {count} connections, {how}"
            report.add(Figure(what, rates[name], rates["bound"], "requests/s", reach, detail))
    assert not any(r.errors for found in results.values() for r in found), "errors under load"


_WAYS = {
    "direct": ("direct", "≥ 0.6"),
    "edge": ("through the edge", "≥ 0.35"),
    "held": ("direct, what follows held", ""),
}


def _let_followers_finish(facts: dict[str, Any]) -> None:
    """Waits until all that was logged has been announced and handled, so that it slows nobody else's round."""
    handled = -1
    with (
        psycopg.connect(facts["database"], autocommit=True) as ours,
        psycopg.connect(facts["listener"], autocommit=True) as listener,
    ):
        while True:
            pending = ours.execute("SELECT count(*) FROM outbox WHERE published_at IS NULL").fetchone()
            now = listener.execute("SELECT count(*) FROM inbox").fetchone()
            assert pending is not None
            assert now is not None
            if pending[0] == 0 and now[0] == handled:
                return
            handled = now[0]
            time.sleep(0.5)


@contextmanager
def _followers_held() -> Iterator[None]:
    """The processes that follow an entry stand still."""
    parts = json.loads(servers.praxis("status", "--json").stdout)["parts"]
    held = [p["pid"] for p in parts if p["name"].endswith("-worker") or p["name"] == "identity-live"]
    for pid in held:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in held:
            os.kill(pid, signal.SIGCONT)


def _fill(facts: dict[str, Any], rows: int) -> None:
    """Entries over three years and a thousand jobs, the same in both tables; indexes are made anew afterwards, which is faster."""
    print(f"filling both tables with {rows:,} rows …", flush=True)
    with psycopg.connect(facts["database"], autocommit=True) as connection:
        connection.execute("SET maintenance_work_mem = '1GB'")
        connection.execute("SET synchronous_commit = off")
        connection.execute("ALTER TABLE time_entries DISABLE TRIGGER USER")
        for table in ("time_entries", "bound"):
            indexes = connection.execute(
                "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index "
                "WHERE indrelid = %s::regclass AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)",
                (table,),
            ).fetchall()
            for name, _ in indexes:
                connection.execute(f"DROP INDEX {name}")
            for first in range(0, rows, 500_000):
                connection.execute(
                    f"INSERT INTO {table} ({COLUMNS}) SELECT %(firm)s, uuidv7(), md5((n %% 50)::text)::uuid, md5((n %% 200)::text)::uuid, "
                    "md5((n %% 1000)::text)::uuid, %(day)s + (n %% 1090)::int, 3600, true, 'Prepared the return', 'draft', now(), 1 "
                    "FROM generate_series(%(from)s::bigint, %(to)s::bigint) n",
                    {
                        "firm": facts["firm"],
                        "day": date(2023, 11, 1),
                        "from": first,
                        "to": min(first + 500_000, rows) - 1,
                    },
                )
            for _, definition in indexes:
                connection.execute(definition)
            connection.execute(f"VACUUM ANALYZE {table}")
        connection.execute("ALTER TABLE time_entries ENABLE TRIGGER USER")
    with psycopg.connect(facts["superuser"], autocommit=True) as connection:
        connection.execute("CHECKPOINT")  # so that writing out the filling is not measured


def _losses(report: Report, connections: list[int]) -> None:
    """How much slower we are with rows than without."""
    found = {f.what: f for f in report.figures}
    for count in connections:
        pair = [f for what, f in found.items() if what.endswith(f", {count} connections, direct")]
        if len(pair) == 2:
            report.add(
                Figure(f"{count} connections: with rows ÷ without", pair[1].ours, pair[0].ours, "requests/s", "≥ 0.9")
            )
