"""HTTP operations on versions' differences and roll-outs."""

from typing import Any
from uuid import UUID

from chassis.errors import DomainError
from chassis.http import Reply
from chassis.uow import Uow
from workflow.rollouts import rules, usecases
from workflow.runs.http import begun
from workflow.templates.tables import Template


def get_difference(uow: Uow, template_id: str, before: int, after: int | None = None) -> dict[str, Any]:
    template = uow.get(Template, template_id)
    found = rules.differences(usecases.contents(uow, template, before), usecases.contents(uow, template, after))
    return {"before": before, "after": after, "differences": [_difference(each) for each in found]}


def preview(uow: Uow, template_id: str, body: dict[str, Any]) -> dict[str, Any]:
    template, number = usecases.target(uow, UUID(template_id), body.get("template_version"))
    wanted = [UUID(id) for id in body["job_ids"]] if body.get("job_ids") else None
    jobs = usecases.jobs_of(uow, template, number, wanted)
    items = []
    for job in jobs[: body.get("most", 100)]:
        item: dict[str, Any] = {"job": {"id": job.id, "title": job.title}, "template_version": job.template_version}
        try:
            found = usecases.foresee(uow, template, number, job.id)
            item |= {"changes": [_change(each) for each in found.changes], "error": None}
        except DomainError as error:
            item |= {"changes": [], "error": {"code": error.code, "message": error.message}}
        items.append(item)
    return {"template_version": number, "jobs": len(jobs), "items": items}


def roll_out(uow: Uow, template_id: str, body: dict[str, Any]) -> Reply:
    return begun(uow, usecases.roll_out(uow, UUID(template_id), body))


def undo(uow: Uow, run_id: str) -> Reply:
    return begun(uow, usecases.undo(uow, UUID(run_id)))


def _difference(each: rules.Difference) -> dict[str, Any]:
    names = ("part", "key", "title", "kind", "field")
    values = {"before": rules.in_words(each.before), "after": rules.in_words(each.after)}
    return {name: getattr(each, name) for name in names} | values


def _change(each: rules.Change) -> dict[str, Any]:
    names = ("subject", "key", "title", "kind", "field")
    values = {"before": rules.in_words(each.before), "after": rules.in_words(each.after)}
    return {name: getattr(each, name) for name in names} | values
