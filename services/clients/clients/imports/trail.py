"""The audit and the timeline of a whole chunk, each in one statement: a thousand rows said one by one would take longer than what they tell of."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from chassis.db import new_id
from chassis.uow import Uow
from clients.timeline.usecases import Actor

_WRITE = text("""
    INSERT INTO audit (id, firm_id, at, actor, actor_name, source, action, subject_type, subject_id, before, after, reason)
    SELECT r.id, :firm, :at, :actor, :name, :source, :action, :kind, r.subject_id, r.before, r.after, :reason
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (id uuid, subject_id text, before jsonb, after jsonb)""")


def audit_all(uow: Uow, action: str, kind: str, rows: Iterable[tuple[Any, Any, Any]], reason: str) -> None:
    """Records one act on many subjects: (id, before, after) of each."""
    said = [
        {"id": str(new_id()), "subject_id": str(id), "before": before, "after": after} for id, before, after in rows
    ]
    if said:
        values = {
            "firm": uow.firm_id,
            "at": uow.now,
            "actor": uow.principal.actor,
            "name": uow.principal.name,
            "reason": reason,
        }
        values |= {
            "source": uow.principal.source,
            "action": action,
            "kind": kind,
            "rows": orjson.dumps(said, default=str).decode(),
        }
        uow.session.execute(_WRITE, values)


def entry(
    uow: Uow,
    client_id: UUID,
    kind: str,
    what: str,
    subject_id: UUID,
    title: str,
    *,
    by: Actor | None = None,
    at: datetime | None = None,
) -> dict[str, Any]:
    """A row of the timeline, as `timeline.usecases.record` would make it."""
    by = by or Actor(uow.principal.actor, uow.principal.name)
    return {"firm_id": uow.firm_id, "id": new_id(), "client_id": client_id, "at": at or uow.now, "kind": kind, "what": what,
            "subject_id": subject_id, "title": title, "details": {}, "actor": by.actor, "actor_name": by.name}  # fmt: skip
