"""The bound of `log-time`: Flask on gunicorn with threads, raw SQL, a pool. BOUND_DATABASE_URL says where; the port goes to standard output."""

import os
import socket
from typing import Any
from uuid import uuid4

import psycopg_pool
from flask import Flask, request
from gunicorn.app.base import BaseApplication

app = Flask(__name__)
pools: list[psycopg_pool.ConnectionPool] = []


def _pool() -> psycopg_pool.ConnectionPool:
    if not pools:
        pools.append(psycopg_pool.ConnectionPool(os.environ["BOUND_DATABASE_URL"], min_size=10, max_size=10, open=True))
    return pools[0]


@app.get("/")
def ready() -> str:
    return "ok"


@app.post("/time-entries")
def log_time() -> tuple[dict[str, Any], int]:
    body, id = request.get_json(), str(uuid4())
    with _pool().connection() as connection:
        connection.execute(
            "INSERT INTO bound (firm_id, id, staff_id, client_id, job_id, day, seconds, billable, narrative, status, created_at, version) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, true, %s, 'draft', now(), 1)",
            (
                body["firm"],
                id,
                body["staff"],
                body["client"],
                body["job_id"],
                body["day"],
                body["seconds"],
                body["narrative"],
            ),
        )
    return {"id": id, **body}, 201


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    def load_config(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        print(port, flush=True)
        for name, value in {
            "bind": f"127.0.0.1:{port}",
            "worker_class": "gthread",
            "threads": 10,
            "keepalive": 75,
            "loglevel": "error",
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return app


if __name__ == "__main__":
    Server().run()
