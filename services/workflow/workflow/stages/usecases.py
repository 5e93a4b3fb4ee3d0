"""The firm's stages: a sensible set to begin with, then as the firm wants them."""

from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from chassis.db import new_id
from chassis.errors import Conflict
from chassis.uow import Uow
from praxis.identity.v1.events_pb2 import FirmUpdated
from workflow.hints import hint
from workflow.jobs.tables import Job
from workflow.stages.tables import Stage

DEFAULTS = (
    ("Planned", "planned"),
    ("In progress", "active"),
    ("Review", "active"),
    ("With client", "waiting"),
    ("Done", "done"),
)


def begin(uow: Uow, _event: FirmUpdated) -> None:
    """A firm that appears gets the default stages."""
    stages_of(uow)


def stages_of(uow: Uow) -> list[Stage]:
    """The firm's stages in order; the default set is made if there are none."""
    found = _in_order(uow)
    if found:
        return found
    rows = [
        {"id": new_id(), "firm_id": uow.firm_id, "name": name, "kind": kind, "position": i, "version": 1}
        for i, (name, kind) in enumerate(DEFAULTS, 1)
    ]
    # Two first requests may race here: the names are unique, so one set is made.
    uow.session.execute(insert(Stage).on_conflict_do_nothing(), rows)
    uow.keep()
    return _in_order(uow)


def _in_order(uow: Uow) -> list[Stage]:
    return list(uow.session.scalars(select(Stage).order_by(Stage.position, Stage.name)))


def create_stage(uow: Uow, body: dict[str, Any]) -> Stage:
    """Errors: `stage_name_taken`."""
    stages = _locked(uow)
    stage = Stage(id=new_id(), name=body["name"].strip(), kind=body["kind"], position=0)
    _place(stages, stage, body.get("position", len(stages) + 1))
    uow.add(stage)
    hint(uow, stage)
    uow.audit("stage.created", "stage", stage.id, after=_shown(stage))
    return stage


def change_stage(uow: Uow, stage_id: UUID, body: dict[str, Any], *, if_match: int | None) -> Stage:
    """Errors: `stage_not_found`, `stage_name_taken`, `version_conflict`."""
    stages = _locked(uow)
    stage = uow.get(Stage, stage_id, version=if_match)
    before = _shown(stage)
    stage.name = body.get("name", stage.name).strip()
    stage.kind = body.get("kind", stage.kind)
    if "position" in body:
        _place([s for s in stages if s is not stage], stage, body["position"])
    uow.session.flush()
    if stage.name != before["name"]:
        uow.later("stage_renamed", stage.id, stage_id=str(stage.id), behind="")
    hint(uow, stage)
    uow.audit("stage.changed", "stage", stage.id, before=before, after=_shown(stage))
    return stage


def delete_stage(uow: Uow, stage_id: UUID, *, if_match: int | None) -> None:
    """Errors: `stage_not_found`, `stage_is_last`, `stage_in_use`, `version_conflict`."""
    stages = _locked(uow)
    stage = uow.get(Stage, stage_id, version=if_match)
    if len(stages) == 1:
        raise Conflict("stage_is_last", "A board needs at least one stage.")
    if uow.session.scalar(select(Job.id).where(Job.stage_id == stage_id).limit(1)):
        raise Conflict("stage_in_use", "There are jobs in this stage. Move them to another one first.")
    uow.session.delete(stage)
    for position, other in enumerate((s for s in stages if s is not stage), 1):
        other.position = position
    hint(uow, stage)
    uow.audit("stage.deleted", "stage", stage.id, before=_shown(stage))


def _locked(uow: Uow) -> list[Stage]:
    """All stages, while nobody else rearranges them."""
    uow.session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('stages ' || :firm, 0))"), {"firm": str(uow.firm_id)}
    )
    return stages_of(uow)


def _place(others: list[Stage], stage: Stage, position: int) -> None:
    order = sorted(others, key=lambda s: s.position)
    order.insert(min(position, len(order) + 1) - 1, stage)
    for i, each in enumerate(order, 1):
        each.position = i


def _shown(stage: Stage) -> dict[str, Any]:
    return {"name": stage.name, "kind": stage.kind, "position": stage.position}
