"""The audit of a whole chunk in one statement: a thousand rows said one by one would take longer than what they tell of."""

from collections.abc import Iterable
from typing import Any

import orjson
from sqlalchemy import text

from chassis.db import new_id
from chassis.uow import Uow

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
