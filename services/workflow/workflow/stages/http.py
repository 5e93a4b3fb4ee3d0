"""HTTP operations on stages."""

from typing import Any
from uuid import UUID

from chassis.http import NO_CONTENT, Reply, created
from chassis.uow import Uow
from workflow.stages import usecases
from workflow.stages.tables import Stage


def view(stage: Stage) -> dict[str, Any]:
    return {
        "id": stage.id,
        "name": stage.name,
        "kind": stage.kind,
        "position": stage.position,
        "version": stage.version,
    }


def list_stages(uow: Uow) -> dict[str, Any]:
    return {"items": [view(stage) for stage in usecases.stages_of(uow)]}


def create_stage(uow: Uow, body: dict[str, Any]) -> Reply:
    stage = usecases.create_stage(uow, body)
    return created(view(stage), f"/stages/{stage.id}", etag=stage.version)


def change_stage(uow: Uow, stage_id: str, body: dict[str, Any]) -> Reply:
    stage = usecases.change_stage(uow, UUID(stage_id), body, if_match=uow.if_match)
    return Reply(view(stage), etag=stage.version)


def delete_stage(uow: Uow, stage_id: str) -> Reply:
    usecases.delete_stage(uow, UUID(stage_id), if_match=uow.if_match)
    return NO_CONTENT
