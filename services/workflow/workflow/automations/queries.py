"""Automations and the log of their runs, as the API shows them."""

from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, select, text

from chassis.paging import keyset, page
from chassis.uow import Uow
from workflow.automations.tables import Automation, AutomationVersion

_LIST = """
SELECT a.id, a.name, a.enabled, a.archived, a.current_number, a.version, v.content, v.made_at, v.made_by,
    (SELECT r.at FROM automation_runs r WHERE r.firm_id = a.firm_id AND r.automation_id = a.id AND r.outcome = 'done'
        ORDER BY r.id DESC LIMIT 1) AS last_done_at
FROM automations a JOIN automation_versions v ON v.firm_id = a.firm_id AND v.automation_id = a.id AND v.number = a.current_number
WHERE a.firm_id = :firm {where} {after} ORDER BY a.name, a.id LIMIT :n
"""

_RUNS = """
SELECT r.id, r.automation_id, r.ref, r.name, r.number, r.kind, r.job_id, j.title AS job_title, r.client_id, c.name AS client_name,
    r.subject_type, r.subject_id, h.facts ->> 'step' AS step, h.at AS happened_at, h.chain, r.outcome, r.says, r.acts, r.at
FROM automation_runs r JOIN client_copy c ON c.firm_id = r.firm_id AND c.id = r.client_id
JOIN jobs j ON j.firm_id = r.firm_id AND j.id = r.job_id
JOIN happenings h ON h.firm_id = r.firm_id AND h.id = r.happening_id
WHERE r.firm_id = :firm {where} {after} ORDER BY r.id DESC LIMIT :n
"""


def list_automations(uow: Uow, *, archived: bool, limit: int, cursor: str | None) -> dict[str, Any]:
    after, position = keyset(["a.name", "a.id"], cursor, casts=["text", "uuid"])
    rows = _rows(uow, "AND a.archived = :archived", after, position | {"archived": archived, "n": limit + 1})
    paged = page(rows, limit, lambda row: (row["name"], row["id"]))
    return {"items": [_view(row) for row in paged["items"]], "next_cursor": paged["next_cursor"]}


def automation(uow: Uow, found: Automation) -> dict[str, Any]:
    """The automation as it now is, with its earlier versions."""
    (row,) = _rows(uow, "AND a.id = :id", "", {"id": found.id, "n": 1})
    versions = (
        select(AutomationVersion)
        .where(AutomationVersion.firm_id == uow.firm_id, AutomationVersion.automation_id == found.id)
        .order_by(AutomationVersion.number.desc())
        .limit(100)
    )
    shown = [
        {"number": v.number, "made_at": v.made_at, "made_by": v.made_by, **v.content}
        for v in uow.session.scalars(versions)
    ]
    return _view(row) | {"versions": shown}


def _rows(uow: Uow, where: str, after: str, values: dict[str, Any]) -> list[RowMapping]:
    statement = text(_LIST.format(where=where, after=after))
    return list(uow.session.execute(statement, values | {"firm": uow.firm_id}).mappings())


def _view(row: RowMapping) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "enabled": row["enabled"],
        "archived": row["archived"],
        "number": row["current_number"],
        **row["content"],
        "made_at": row["made_at"],
        "made_by": row["made_by"],
        "last_done_at": row["last_done_at"],
        "version": row["version"],
    }


def list_runs(
    uow: Uow, *, automation_id: str | None, job_id: str | None, outcome: str | None, limit: int, cursor: str | None
) -> dict[str, Any]:
    """The log, the latest first. Runs that did not apply are shown when asked for."""
    parts, values = [], {"firm": uow.firm_id, "n": limit + 1}
    for column, value in (("automation_id", automation_id), ("job_id", job_id)):
        if value:
            parts.append(f"AND r.{column} = :{column}")
            values[column] = UUID(value)
    if outcome:
        parts.append("AND r.outcome = :outcome")
        values["outcome"] = outcome
    after, position = keyset(["r.id"], cursor, descending=True, casts=["uuid"])
    statement = text(_RUNS.format(where=" ".join(parts), after=after))
    rows = list(uow.session.execute(statement, values | position).mappings())
    paged = page(rows, limit, lambda row: (row["id"],))
    return {"items": [_run(row) for row in paged["items"]], "next_cursor": paged["next_cursor"]}


def _run(row: RowMapping) -> dict[str, Any]:
    of_template = None if row["automation_id"] else row["ref"].partition("/")[0]
    return {
        "id": row["id"],
        "automation_id": row["automation_id"],
        "template_id": of_template,
        "name": row["name"],
        "number": row["number"],
        "on": row["kind"],
        "happened_at": row["happened_at"],
        "job": {"id": row["job_id"], "title": row["job_title"]},
        "client": {"id": row["client_id"], "name": row["client_name"]},
        "subject_type": row["subject_type"],
        "subject_id": row["subject_id"],
        "step": row["step"],
        "depth": len(row["chain"]),
        "outcome": row["outcome"],
        "says": row["says"],
        "acts": row["acts"],
        "at": row["at"],
    }
