"""Operations about firms."""

from typing import TYPE_CHECKING, Any

from chassis.http import Reply
from chassis.uow import Uow
from identity.firms import usecases
from identity.firms.tables import Firm
from identity.firms.usecases import Owner
from identity.firms.views import firm_view
from identity.work import Caller

if TYPE_CHECKING:
    from chassis.service import Runtime


def setup_state(runtime: "Runtime") -> dict[str, Any]:
    return {"needed": usecases.setup_needed(runtime)}


def set_up(runtime: "Runtime", body: dict[str, Any]) -> Reply:
    firm = usecases.set_up(runtime, Caller.of_request(), body["token"], body["firm"], Owner(**body["owner"]))
    return Reply(firm_view(firm), 201, etag=firm.version)


def read_firm(uow: Uow) -> Reply:
    firm = uow.get(Firm, uow.firm_id)
    return Reply(firm_view(firm), etag=firm.version)


def change_firm(uow: Uow, body: dict[str, Any]) -> Reply:
    firm = usecases.change_firm(uow, body)
    return Reply(firm_view(firm), etag=firm.version)
