"""relay: a backlog of events against a raw relay loop, and the way from commit to consumption at a steady rate.

The bound does what a relay can't do without: select a batch FOR UPDATE SKIP LOCKED, publish it with pipelined confirms, mark it.
"""

import os
import threading
import time
from datetime import UTC, datetime
from typing import Any

import psycopg
from amqp import Connection as Amqp
from amqp import Message
from sqlalchemy import text

from bench import servers
from bench.report import Figure, Report
from chassis import auth, bus, events, worker
from chassis.db import new_id
from chassis.service import Runtime
from chassis.testing import clone_database
from chassis.uow import unit_of_work
from praxis.timebilling.v1.events_pb2 import TimeEntryChanged

BACKLOG = 100_000
RATE, STEADY = 200, 15  # events a second, seconds


def main(_words: list[str]) -> None:
    report = Report("relay")
    with servers.running("--servers"):
        settings = servers.server_settings()
        os.environ["PRAXIS_TEST_POSTGRES_URL"] = settings["PRAXIS_POSTGRES_URL"]
        amqp = settings["PRAXIS_RABBITMQ_URL"]
        ours, theirs = _runtime("timebilling", amqp), _runtime("workflow", amqp)
        _backlog(report, ours, amqp)
        _steady(report, ours, theirs)
    report.keep()


def _runtime(name: str, amqp: str) -> Runtime:
    service = __import__(f"{name}.app", fromlist=["service"]).service
    app_url, owner_url = clone_database(service)
    settings = service.settings(database_url=app_url, owner_database_url=owner_url, amqp_url=amqp)
    bus.declare(amqp, name, sorted({listen.type for listen in service.listens}))
    return Runtime(service, settings)


def _event() -> TimeEntryChanged:
    return TimeEntryChanged(
        time_entry_id=str(new_id()), staff_id=str(new_id()), client_id=str(new_id()), job_id=str(new_id()),
        day="2026-11-02", seconds=3600, billable=True, status="draft", version=1,
    )  # fmt: skip


def _fill(runtime: Runtime) -> None:
    firm, now = new_id(), datetime.now(UTC)
    envelopes = (
        events.wrap(_event(), source="timebilling", subject="x", firm_id=firm, version=1, at=now)
        for _ in range(BACKLOG)
    )
    with psycopg.connect(runtime.settings.database_url) as connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM outbox")
        with cursor.copy("COPY outbox (event_id, firm_id, type, subject, body, at) FROM STDIN") as copy:
            for e in envelopes:
                copy.write_row((e.id, firm, e.type, e.subject, e.encode(), now))
    with psycopg.connect(runtime.settings.owner_database_url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE outbox")


def _backlog(report: Report, runtime: Runtime, amqp: str) -> None:
    rates: dict[str, list[float]] = {"ours": [], "bound": []}
    for _ in range(3):
        for name, drain in (("bound", _raw), ("ours", _ours)):
            _fill(runtime)
            _empty_queue(amqp)
            started = time.perf_counter()
            drain(runtime, amqp)
            rates[name].append(BACKLOG / (time.perf_counter() - started))
    best = {name: sorted(values)[1] for name, values in rates.items()}
    report.add(
        Figure("backlog of 100,000 events", best["ours"], best["bound"], "events/s, median of 3", "≥ 0.6", rates)
    )


def _ours(runtime: Runtime, _amqp: str) -> None:
    relay = bus.Relay(runtime)
    while relay.move():
        pass


def _raw(runtime: Runtime, amqp: str) -> None:
    where = bus.connect(amqp)
    connection = Amqp(
        host=f"{where.hostname}:{where.port}",
        userid=where.userid,
        password=where.password,
        virtual_host=where.virtual_host,
    )
    connection.connect()
    channel = connection.channel()
    channel.confirm_select()
    sent, unconfirmed = 0, set[int]()

    def on_ack(tag: int, multiple: bool) -> None:
        unconfirmed.difference_update({t for t in unconfirmed if t <= tag} if multiple else {tag})

    channel.events["basic_ack"].add(on_ack)
    with psycopg.connect(runtime.settings.database_url) as database:
        while rows := database.execute(
            "SELECT seq, type, body FROM outbox WHERE published_at IS NULL ORDER BY seq LIMIT 200 FOR UPDATE SKIP LOCKED"
        ).fetchall():
            for _seq, kind, body in rows:
                sent += 1
                unconfirmed.add(sent)
                channel.basic_publish(Message(bytes(body), delivery_mode=2), exchange=events.EXCHANGE, routing_key=kind)
            while unconfirmed:
                connection.drain_events(timeout=10)
            database.execute("UPDATE outbox SET published_at = now() WHERE seq = ANY(%s)", ([r[0] for r in rows],))
            database.commit()
    connection.close()


def _empty_queue(amqp: str) -> None:
    with bus.connect(amqp) as connection, connection.channel() as channel:
        channel.queue_purge("workflow.events")


def _steady(report: Report, announcing: Runtime, consuming: Runtime) -> None:
    """Commits at a steady rate in one place; the inbox of the consumer says when each was taken up."""
    _empty_queue(announcing.settings.amqp_url)
    stop, firm = threading.Event(), new_id()
    threads = [threading.Thread(target=worker.run, args=(runtime, stop)) for runtime in (announcing, consuming)]
    for thread in threads:
        thread.start()
    time.sleep(3)
    sent, begun = 0, time.perf_counter()
    while sent < RATE * STEADY:
        with unit_of_work(announcing, auth.system("timebilling", firm)) as uow:
            uow.announce(_event(), subject="x")
            uow.commit()
        sent += 1
        time.sleep(max(0.0, begun + sent / RATE - time.perf_counter()))
    time.sleep(3)
    stop.set()
    for thread in threads:
        thread.join()
    lags = sorted(_lags(announcing, consuming, firm))
    detail: dict[str, Any] = {"sent": sent, "consumed": len(lags), "rate": sent / (time.perf_counter() - begun)}
    report.add(Figure("200 events/s: commit → consumed, p50", lags[len(lags) // 2], None, "ms", "≤ 50", detail))
    report.add(Figure("200 events/s: commit → consumed, p99", lags[int(len(lags) * 0.99)], None, "ms", "≤ 250", detail))


def _lags(announcing: Runtime, consuming: Runtime, firm: Any) -> list[float]:
    with announcing.engine.connect() as connection:
        committed: dict[Any, datetime] = dict(
            connection.execute(text("SELECT event_id, at FROM outbox WHERE firm_id = :f"), {"f": firm}).tuples().all()
        )
    with consuming.engine.connect() as connection:
        taken: dict[Any, datetime] = dict(connection.execute(text("SELECT event_id, at FROM inbox")).tuples().all())
    return [(taken[id] - at).total_seconds() * 1000 for id, at in committed.items() if id in taken]
