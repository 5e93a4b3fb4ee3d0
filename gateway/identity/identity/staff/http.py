"""Operations about staff."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from chassis.http import Reply, created
from chassis.uow import Uow
from identity.staff import queries, usecases
from identity.staff.permissions import all_permissions
from identity.staff.tables import Staff
from identity.staff.views import staff_view
from identity.work import Caller

if TYPE_CHECKING:
    from chassis.service import Runtime


def list_staff(uow: Uow, limit: int = 50, cursor: str | None = None, active: bool | None = None) -> dict[str, Any]:
    return queries.list_staff(uow, limit, cursor, active)


def invite_staff(uow: Uow, body: dict[str, Any]) -> Reply:
    staff = usecases.invite_staff(uow, body)
    return created(staff_view(staff), f"/staff/{staff.id}", staff.version)


def read_staff(uow: Uow, staff_id: str) -> Reply:
    return _reply(uow.get(Staff, staff_id))


def change_staff(uow: Uow, staff_id: str, body: dict[str, Any]) -> Reply:
    return _reply(usecases.change_staff(uow, UUID(staff_id), body))


def invite_again(uow: Uow, staff_id: str) -> Reply:
    return _reply(usecases.invite_again(uow, UUID(staff_id)))


def deactivate_staff(uow: Uow, staff_id: str) -> Reply:
    return _reply(usecases.deactivate_staff(uow, UUID(staff_id)))


def reactivate_staff(uow: Uow, staff_id: str) -> Reply:
    return _reply(usecases.reactivate_staff(uow, UUID(staff_id)))


def look_up_invitation(runtime: "Runtime", body: dict[str, Any]) -> dict[str, Any]:
    return usecases.look_up(runtime, Caller.of_request(), body["token"])


def accept_invitation(runtime: "Runtime", body: dict[str, Any]) -> dict[str, Any]:
    return usecases.accept(runtime, Caller.of_request(), body["token"], body["password"])


def list_permissions(uow: Uow) -> dict[str, Any]:
    return {"items": [{"name": p.name, "says": p.says, "roles": sorted(p.roles)} for p in all_permissions().values()]}


def _reply(staff: Staff) -> Reply:
    return Reply(staff_view(staff), etag=staff.version)
