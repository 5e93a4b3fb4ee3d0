"""Noticing what happens to a job while it settles, and asking the worker to run what looks out for it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from chassis.db import new_id
from chassis.uow import Uow

# The automations at work in this thread, the first one first: what happens meanwhile is their doing.
_chain: ContextVar[tuple[str, ...]] = ContextVar("automations_at_work", default=())

# Who looks out for a kind of happening: the firm's automations, and those of the template version the job was made from.
LISTENERS = """ARRAY(
    SELECT a.id::text FROM automations a WHERE a.firm_id = happenings.firm_id AND a.enabled AND a.trigger = happenings.kind
    UNION ALL
    SELECT j.template_id || '/' || (x ->> 'key')
    FROM jobs j JOIN template_versions v ON v.firm_id = j.firm_id AND v.template_id = j.template_id AND v.number = j.template_version
    CROSS JOIN LATERAL jsonb_array_elements(v.content -> 'automations') x
    WHERE j.firm_id = happenings.firm_id AND j.id = happenings.job_id AND x -> 'trigger' ->> 'on' = happenings.kind)"""

_NOTE = text(f"""
INSERT INTO happenings (firm_id, id, kind, job_id, client_id, subject_type, subject_id, facts, chain, at)
SELECT :firm, r.id, r.kind, r.job_id, r.client_id, r.subject_type, r.subject_id, r.facts, CAST(:chain AS text[]), :at
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(id uuid, job_id uuid, client_id uuid, kind text, subject_type text, subject_id uuid, facts jsonb)
RETURNING id, {LISTENERS} AS listeners
""")


@contextmanager
def caused_by(chain: Iterable[str]) -> Iterator[None]:
    """What happens inside is the doing of these automations."""
    reset = _chain.set(tuple(chain))
    try:
        yield
    finally:
        _chain.reset(reset)


def note(uow: Uow, noticed: Iterable[tuple[UUID, UUID, str, str, UUID, dict[str, Any]]]) -> None:
    """Writes down what happened (job, client, kind, subject type, subject, facts) and leaves to the worker what looks out for it."""
    rows = [
        {
            "id": str(new_id()),
            "job_id": str(job_id),
            "client_id": str(client_id),
            "kind": kind,
            "subject_type": subject_type,
            "subject_id": str(subject),
            "facts": facts,
        }
        for job_id, client_id, kind, subject_type, subject, facts in noticed
    ]
    if not rows:
        return
    values = {
        "firm": uow.firm_id,
        "chain": list(_chain.get()),
        "at": uow.now,
        "rows": orjson.dumps(rows).decode(),
    }
    hand_over(uow, uow.session.execute(_NOTE, values))


def hand_over(uow: Uow, noted: Iterable[Any]) -> None:
    """One piece of work for each pair of a happening and what looks out for it: done once, by whichever worker."""
    for row in noted:
        for ref in row.listeners:
            uow.later("automation", f"{row.id}/{ref}", happening_id=str(row.id), ref=ref)
