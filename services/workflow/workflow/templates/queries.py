"""Templates as the API shows them."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis.paging import keyset, page
from chassis.uow import Uow
from workflow.templates.tables import Template, TemplateVersion

_LIST = """
SELECT id, name, service, description, archived, current_version, draft_differs, version,
       jsonb_array_length(draft -> 'tasks') AS tasks,
       (SELECT COALESCE(sum((t ->> 'budget_minutes')::int), 0) FROM jsonb_array_elements(draft -> 'tasks') t) AS budget_minutes
FROM templates
WHERE firm_id = :firm AND archived = :archived AND (CAST(:q AS text) IS NULL OR strpos(lower(name || ' ' || service), lower(:q)) > 0) {after}
ORDER BY templates.name, templates.id LIMIT :n
"""

_VERSIONS = text("""
SELECT v.number, v.published_at, v.published_by, s.name
FROM template_versions v LEFT JOIN staff_copy s ON s.firm_id = v.firm_id AND s.id = v.published_by
WHERE v.firm_id = :firm AND v.template_id = :template ORDER BY v.number DESC
""")


def list_templates(uow: Uow, *, archived: bool, q: str | None, limit: int, cursor: str | None) -> dict[str, Any]:
    after, parameters = keyset(["name", "id"], cursor)
    rows = uow.session.execute(
        text(_LIST.format(after=after)),
        {"firm": uow.firm_id, "archived": archived, "q": q, "n": limit + 1, **parameters},
    ).mappings()
    return page([dict(row) for row in rows], limit, lambda row: (row["name"], row["id"]))


def template(uow: Uow, found: Template) -> dict[str, Any]:
    """The template with its draft and its versions, latest first."""
    return {
        "id": found.id,
        "name": found.name,
        "service": found.service,
        "description": found.description,
        "archived": found.archived,
        "current_version": found.current_version,
        "draft_differs": found.draft_differs,
        "draft": found.draft,
        "versions": [_version(row) for row in _versions(uow, found.id)],
        "version": found.version,
    }


def version(uow: Uow, found: TemplateVersion) -> dict[str, Any]:
    row = next(r for r in _versions(uow, found.template_id) if r["number"] == found.number)
    return {"template_id": found.template_id, **_version(row), "content": found.content}


def _versions(uow: Uow, template_id: UUID) -> list[Any]:
    return list(uow.session.execute(_VERSIONS, {"firm": uow.firm_id, "template": template_id}).mappings())


def _version(row: Any) -> dict[str, Any]:
    by = {"id": row["published_by"], "name": row["name"] or ""}
    return {"number": row["number"], "published_at": row["published_at"], "published_by": by}
