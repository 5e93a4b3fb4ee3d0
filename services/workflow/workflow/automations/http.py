"""HTTP operations on automations."""

from typing import Any
from uuid import UUID

from chassis.http import Reply, created
from chassis.uow import Uow
from workflow.automations import queries, usecases
from workflow.automations.tables import Automation


def list_automations(uow: Uow, archived: bool = False, limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
    return queries.list_automations(uow, archived=archived, limit=limit, cursor=cursor)


def create_automation(uow: Uow, body: dict[str, Any]) -> Reply:
    automation = usecases.create_automation(uow, body)
    return created(queries.automation(uow, automation), f"/automations/{automation.id}", etag=automation.version)


def get_automation(uow: Uow, automation_id: str) -> Reply:
    return _reply(uow, uow.get(Automation, automation_id))


def change_automation(uow: Uow, automation_id: str, body: dict[str, Any]) -> Reply:
    return _reply(uow, usecases.change_automation(uow, UUID(automation_id), body, if_match=uow.if_match))


def dry_run(uow: Uow, body: dict[str, Any]) -> dict[str, Any]:
    return usecases.dry_run(uow, body)


def list_runs(
    uow: Uow,
    automation_id: str | None = None,
    job_id: str | None = None,
    outcome: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    return queries.list_runs(
        uow, automation_id=automation_id, job_id=job_id, outcome=outcome, limit=limit, cursor=cursor
    )


def _reply(uow: Uow, automation: Automation) -> Reply:
    shown = queries.automation(uow, automation)
    # Its last run is shown too and does not count in its version, so it is not to be kept by browsers.
    return Reply(shown, etag=automation.version, headers={"cache-control": "no-store"})
