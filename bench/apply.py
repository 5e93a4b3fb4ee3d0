"""apply: a template of twenty tasks applied to five hundred clients, against raw inserts of the very rows that this makes.

Ours: one request to the API, then the worker's chunks until the run is finished: plans, dates, roles, status, audit, progress, and the
relay sending the events meanwhile. The bound knows the rows already and writes them into tables of the same shape and indexes
without row-level security, by the driver's executemany, in one transaction.
"""

import argparse
import os
import threading
import time
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Json

from bench import servers
from bench.report import Figure, Report, median
from chassis import bus, worker
from chassis.db import new_id
from chassis.testing import World, make_world
from praxis.clients.v1.events_pb2 import ClientChanged
from praxis.identity.v1.events_pb2 import FirmUpdated, StaffChanged
from workflow.app import service

MADE = ("jobs", "tasks", "dependencies", "run_items", "outbox", "audit", "due")


def main(words: list[str]) -> None:
    options = argparse.ArgumentParser(prog="./praxis bench apply")
    options.add_argument("--clients", type=int, default=500)
    options.add_argument("--tasks", type=int, default=20)
    options.add_argument("--rounds", type=int, default=3)
    chosen = options.parse_args(words)
    report = Report("apply")
    with servers.running("--servers"):
        settings = servers.server_settings()
        os.environ["PRAXIS_TEST_POSTGRES_URL"] = settings["PRAXIS_POSTGRES_URL"]
        measure(report, settings["PRAXIS_RABBITMQ_URL"], chosen.clients, chosen.tasks, chosen.rounds)
    report.keep()


def measure(report: Report, amqp: str, clients: int, tasks: int, rounds: int) -> None:
    """Rounds of both in turns, each with a firm of its own."""
    bus.declare(amqp, service.name, sorted({listen.type for listen in service.listens}))
    world = make_world(service, amqp_url=amqp)
    stop = threading.Event()
    working = threading.Thread(target=worker.run, args=(world.runtime, stop))
    working.start()
    times: dict[str, list[float]] = {"ours": [], "bound": []}
    rows: dict[str, int] = {}
    try:
        for _ in range(rounds):
            firm = new_id()
            times["ours"].append(_ours(world, firm, clients, tasks))
            seconds, rows = _bound(world, firm)
            times["bound"].append(seconds)
    finally:
        stop.set()
        working.join()
        world.close()
    what = f"{tasks} tasks to {clients} clients"
    detail: dict[str, Any] = {"rows": rows, **times}
    report.add(Figure(what, median(times["ours"]), median(times["bound"]), "seconds", "≤ 4", detail))


def _ours(world: World, firm: UUID, clients: int, tasks: int) -> float:
    """Seconds from the request until the last job is there."""
    people, ids = _firm(world, firm, clients)
    api = world.api(firm, staff=people[0])
    body = {"name": "Year end", "service": "accounts", "content": _content(tasks, people)}
    template = api.post("/templates", body).expect(201).json["id"]
    api.post(f"/templates/{template}/publish").expect(200)
    asked = {
        "clients": [{"client_id": str(id)} for id in ids],
        "period_start": "2026-01-01",
        "period_end": "2026-12-31",
    }
    started = time.perf_counter()
    run = api.post(f"/templates/{template}/apply", asked).expect(202).json
    while run["finished_at"] is None:
        time.sleep(0.05)
        run = api.get(f"/runs/{run['id']}").expect(200).json
    seconds = time.perf_counter() - started
    assert run["progress"]["done"] == clients, run["progress"]
    return seconds


def _firm(world: World, firm: UUID, clients: int) -> tuple[list[UUID], list[UUID]]:
    """Three people and so many clients, as events tell of them."""
    world.deliver(
        firm, FirmUpdated(firm_id=str(firm), time_zone="Europe/London", country="GB", holidays_region="ENG", version=1)
    )
    people = [new_id() for _ in range(3)]
    for i, id in enumerate(people):
        world.deliver(firm, StaffChanged(staff_id=str(id), name=f"Person {i}", active=True, version=1))
    ids = [new_id() for _ in range(clients)]
    for i, id in enumerate(ids):
        manager = str(people[i % 3])
        world.deliver(
            firm,
            ClientChanged(client_id=str(id), name=f"Client {i}", status="active", manager_id=manager, version=1),
        )
    return people, ids


def _content(tasks: int, people: list[UUID]) -> dict[str, Any]:
    """A chain of steps: every second date counts from the period's end, the others from the step before."""
    steps = [
        {
            "key": f"t{i}",
            "title": f"Step {i} of the year end",
            "role": "preparer" if i % 3 else "manager",
            "budget_minutes": 30,
            "checklist": ["Read last year's file", "Note what is new"],
            "due": {"anchor": "period_end", "amount": i, "unit": "business_days"}
            if i % 2 == 0
            else {"anchor": "task_completion", "of": f"t{i - 1}", "amount": 2, "unit": "business_days"},
        }
        for i in range(tasks)
    ]
    return {
        "statutory_due": {"anchor": "period_end", "amount": 9, "unit": "months"},
        "owner_role": "manager",
        "roles": [{"role": "preparer", "staff_id": str(people[1])}, {"role": "manager", "staff_id": None}],
        "tasks": steps,
        "dependencies": [{"before": f"t{i}", "after": f"t{i + 1}"} for i in range(tasks - 1)],
    }


def _bound(world: World, firm: UUID) -> tuple[float, dict[str, int]]:
    """Seconds for writing the same rows raw, and how many there are per table."""
    with psycopg.connect(world.runtime.settings.owner_database_url) as connection:
        connection.execute("DROP SCHEMA IF EXISTS bound CASCADE")
        connection.execute("CREATE SCHEMA bound")
        found: dict[str, tuple[str, list[tuple[Any, ...]]]] = {}
        for table in MADE:
            connection.execute(f"CREATE TABLE bound.{table} (LIKE public.{table} INCLUDING ALL)")
            columns = _columns(connection, table)
            cursor = connection.execute(f"SELECT {', '.join(columns)} FROM public.{table} WHERE firm_id = %s", (firm,))
            rows = [
                tuple(
                    Json(v) if kind == "jsonb" and v is not None else v
                    for v, kind in zip(row, columns.values(), strict=True)
                )
                for row in cursor
            ]
            places = ", ".join(["%s"] * len(columns))
            found[table] = (f"INSERT INTO bound.{table} ({', '.join(columns)}) VALUES ({places})", rows)
        connection.commit()
        started = time.perf_counter()
        with connection.cursor() as cursor:
            for statement, rows in found.values():
                cursor.executemany(statement, rows)
        connection.commit()
        return time.perf_counter() - started, {table: len(rows) for table, (_, rows) in found.items()}


def _columns(connection: psycopg.Connection[Any], table: str) -> dict[str, str]:
    """Columns that are not computed by the database, with their types."""
    return dict(
        connection.execute(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'public' AND table_name = %s "
            "AND is_generated = 'NEVER' ORDER BY ordinal_position",
            (table,),
        )
    )
