"""The audit chain: rows are recorded with their change, and sealed afterwards into a chain of hashes per firm.

Each hash covers the row and the hash before it, so a row that is altered, removed or put in between breaks the chain from there on.
Sealing in the request would make a firm's requests wait for one another.
"""

import hashlib
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from sqlalchemy import text

from chassis import auth
from chassis.uow import Uow, unit_of_work

if TYPE_CHECKING:
    from chassis.service import Runtime

BATCH = 500
_COLUMNS = "id, at, actor, actor_name, source, action, subject_type, subject_id, before, after, reason, trace_id, position, hash"


_SEAL = text(
    "UPDATE audit SET position = :after + sealed.place, hash = sealed.hash "
    "FROM unnest(CAST(:ids AS uuid[]), CAST(:hashes AS bytea[])) WITH ORDINALITY AS sealed (id, hash, place) "
    "WHERE audit.firm_id = :firm AND audit.id = sealed.id"
)


def link(previous: bytes, row: Any) -> bytes:
    """The hash of a row that follows `previous`."""
    facts = [
        str(row.id), row.at.isoformat(), row.actor, row.actor_name, row.source, row.action,
        row.subject_type, row.subject_id, row.before, row.after, row.reason, row.trace_id,
    ]  # fmt: skip
    return hashlib.sha256(previous + orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)).digest()


def seal(runtime: "Runtime", firm_id: UUID) -> int:
    """Seals a batch of the firm's audit rows; returns how many."""
    with unit_of_work(runtime, auth.system(runtime.service.name, firm_id)) as uow:
        uow.session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"seal:{firm_id}"})
        last = uow.session.execute(
            text("SELECT position, hash FROM audit WHERE position IS NOT NULL ORDER BY position DESC LIMIT 1")
        ).first()
        position, previous = (last.position, bytes(last.hash)) if last else (0, b"")
        rows = uow.session.execute(
            text(f"SELECT {_COLUMNS} FROM audit WHERE position IS NULL ORDER BY id LIMIT {BATCH}")
        ).all()
        hashes = []
        for row in rows:
            previous = link(previous, row)
            hashes.append(previous)
        if rows:
            uow.session.execute(
                _SEAL, {"firm": firm_id, "ids": [row.id for row in rows], "hashes": hashes, "after": position}
            )
        uow.commit()
        return len(rows)


def broken(uow: Uow) -> list[str]:
    """The rows at which the firm's chain breaks (the check "audit chain whole")."""
    found, expected, previous = [], 1, b""
    rows = uow.session.execute(
        text(f"SELECT {_COLUMNS} FROM audit WHERE position IS NOT NULL ORDER BY position").execution_options(
            yield_per=1000
        )
    )
    for row in rows:
        if row.position != expected or link(previous, row) != bytes(row.hash):
            found.append(f"audit row {row.id} at position {row.position}")
        expected, previous = row.position + 1, bytes(row.hash)
    return found
