"""typeahead: search as you type among many clients and contacts, against the same search as raw SQL.

The bound is one statement by trigram index as the owner of the tables: no row-level security, no policy of private clients, nobody's
related contacts. Ours is what a keystroke costs: the read as the application's login, in its unit of work; then the same over HTTP. Each
word is asked of all in turn. A word with a slip looks at thousands of rows each way, so a kind ends by its time when it has not by its
keystrokes; how many there were is said with the figures.
"""

import argparse
import itertools
import random
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx
import psycopg

from bench import crowd, servers
from bench.log_time import port
from bench.report import Figure, Report
from chassis import auth
from chassis.service import Runtime
from chassis.uow import unit_of_work
from clients.app import service
from clients.search import queries
from tests.e2e.support import Platform, open_firm

WARM, LIMIT = 10, 10

_BOUND = """
    SELECT * FROM (
        (SELECT 'client' AS type, id, name, number, status, NULL AS email, word_similarity(fold(%(q)s), search_text) AS score
         FROM clients WHERE firm_id = %(firm)s AND fold(%(q)s) <%% search_text ORDER BY score DESC LIMIT %(limit)s)
        UNION ALL
        (SELECT 'contact', id, name, NULL, NULL, email, word_similarity(fold(%(q)s), search_text)
         FROM contacts WHERE firm_id = %(firm)s AND fold(%(q)s) <%% search_text ORDER BY 7 DESC LIMIT %(limit)s)
    ) hits ORDER BY score DESC LIMIT %(limit)s"""
# One or two letters begin a name or a number: a range of a plain index.
_BOUND_SHORT = """
    (SELECT 'client' AS type, id, name, number, status, NULL AS email FROM clients
     WHERE firm_id = %(firm)s AND sort_name >= fold(%(q)s) AND sort_name < fold(%(q)s) || chr(1114111) ORDER BY sort_name LIMIT %(limit)s)
    UNION ALL
    (SELECT 'client', id, name, number, status, NULL FROM clients
     WHERE firm_id = %(firm)s AND lower(number) COLLATE "C" >= fold(%(q)s) AND lower(number) COLLATE "C" < fold(%(q)s) || chr(1114111)
     ORDER BY lower(number) COLLATE "C" LIMIT %(limit)s)
    UNION ALL
    (SELECT 'contact', id, name, NULL, NULL, email FROM contacts
     WHERE firm_id = %(firm)s AND sort_name >= fold(%(q)s) AND sort_name < fold(%(q)s) || chr(1114111) ORDER BY sort_name LIMIT %(limit)s)
    LIMIT %(limit)s"""


def main(words: list[str]) -> None:
    options = argparse.ArgumentParser(prog="./praxis bench typeahead")
    options.add_argument("--clients", type=int, default=100_000)
    options.add_argument("--keystrokes", type=int, default=300, help="how many are measured, of each kind")
    options.add_argument(
        "--seconds", type=float, default=40.0, help="after which a kind ends with the keystrokes it has"
    )
    chosen = options.parse_args(words)
    report = Report("typeahead")
    with servers.running() as found:
        where = found["addresses"]
        firm = open_firm(Platform(where["app"], where["files"], where["mail"], servers.praxis))
        crowd.fill(crowd.database("owner"), UUID(firm.id), UUID(firm.owner.id), chosen.clients)
        measure(report, firm, chosen)
    report.keep()


def measure(report: Report, firm: Any, chosen: argparse.Namespace) -> None:
    settings = SimpleNamespace(database_url=crowd.database("app"), threads=1)
    runtime = Runtime(service, settings)  # of all settings a read needs these two
    principal = auth.Principal("staff", firm.owner.id, UUID(firm.id), name="Bench")
    http = httpx.Client(base_url=f"http://127.0.0.1:{port('clients-http')}/api/clients/v1", timeout=30)
    http.headers["authorization"] = f"Bearer {firm.owner.token}"
    with psycopg.connect(crowd.database("owner"), autocommit=True) as connection:
        connection.execute("SET pg_trgm.word_similarity_threshold = 0.33")

        def bound(q: str) -> int:
            statement = _BOUND_SHORT if len(q) < 3 else _BOUND
            return len(connection.execute(statement, {"firm": firm.id, "q": q, "limit": LIMIT}).fetchall())

        def as_application(q: str) -> int:
            with unit_of_work(runtime, principal) as uow:
                return len(queries.search(uow, q, LIMIT)["items"])

        def over_http(q: str) -> int:
            answer = http.get("/search", params={"q": q, "limit": LIMIT})
            answer.raise_for_status()
            return len(answer.json()["items"])

        ways: dict[str, Callable[[str], int]] = {
            "bound": bound,
            "as the application's login": as_application,
            "over HTTP": over_http,
        }
        for kind, typed in _typed(chosen.clients, chosen.keystrokes).items():
            print(f"{kind} …", flush=True)
            took = _interleaved(ways, typed, chosen.seconds)
            asked = len(took["bound"])
            print(f"  {asked} keystrokes each way", flush=True)
            for way in list(ways)[1:]:
                detail = _percentiles(took[way]) | {f"bound_{k}": v for k, v in _percentiles(took["bound"]).items()}
                detail["keystrokes"] = asked
                ours, least = sum(took[way]) / asked, sum(took["bound"]) / asked
                report.add(Figure(f"{kind}, {way}", ours, least, "ms a keystroke", "≤ 2", detail))


def _typed(clients: int, many: int) -> dict[str, list[str]]:
    """What somebody types who looks for one of the clients: its beginning letter by letter, whole words, words with a slip in them."""
    chance = random.Random(2)
    every = list(crowd.names(clients))
    growing: list[str] = []
    whole: list[str] = []
    slips: list[str] = []
    while len(growing) < many:
        word = chance.choice(every).split()[1]
        growing += [word[:n] for n in range(1, len(word) + 1)]
    for _ in range(many):
        first, second, third, *_ = chance.choice(every).split()
        whole.append(f"{second} {third}")
        at = chance.randrange(1, len(third) - 1)
        slips.append(f"{first} {third[:at]}{third[at + 1]}{third[at]}{third[at + 2 :]}")
    return {"letter by letter": growing[:many], "two words": whole, "with a slip": slips}


def _interleaved(ways: dict[str, Callable[[str], int]], typed: list[str], seconds: float) -> dict[str, list[float]]:
    """Milliseconds of each keystroke, each way; they take turns at going first. Every word begun is asked of all."""
    for q, ask in itertools.product(typed[:WARM], ways.values()):
        ask(q)
    took: dict[str, list[float]] = {way: [] for way in ways}
    order = list(ways)
    until = time.monotonic() + seconds
    for q in typed:
        order = [*order[1:], order[0]]
        for way in order:
            started = time.perf_counter()
            ways[way](q)
            took[way].append((time.perf_counter() - started) * 1000)
        if time.monotonic() > until:
            break
    return took


def _percentiles(took: list[float]) -> dict[str, float]:
    ranked = sorted(took)
    return {f"p{int(p * 100)}_ms": ranked[min(int(len(ranked) * p), len(ranked) - 1)] for p in (0.5, 0.95, 0.99)}
