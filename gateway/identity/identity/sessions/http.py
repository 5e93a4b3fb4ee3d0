"""Operations about signing in."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from chassis.http import NO_CONTENT, Reply, asked
from chassis.uow import Uow
from identity.firms.tables import Firm
from identity.firms.views import firm_view
from identity.sessions import cookies, usecases
from identity.sessions.usecases import SignedIn
from identity.staff.permissions import permissions_of
from identity.staff.tables import Staff
from identity.tokens.minting import LIFETIME
from identity.work import Caller

if TYPE_CHECKING:
    from chassis.service import Runtime

_PRIVATE = {"cache-control": "no-store"}


def sign_in(runtime: "Runtime", body: dict[str, Any]) -> Reply:
    firm_id = UUID(body["firm_id"]) if "firm_id" in body else None
    return _session(usecases.sign_in(runtime, Caller.of_request(), body["email"], body["password"], firm_id))


def refresh(runtime: "Runtime") -> Reply:
    return _session(usecases.refresh(runtime, Caller.of_request(), _refresh_token()))


def sign_out(runtime: "Runtime") -> Reply:
    usecases.sign_out(runtime, Caller.of_request(), _refresh_token())
    return Reply(status=204, cookies=cookies.signed_out())


def me(uow: Uow) -> Reply:
    staff = uow.get(Staff, uow.principal.id)
    return Reply(_me(staff, uow.get(Firm, uow.firm_id), permissions_of(staff.roles)), headers=_PRIVATE)


def ask_password_reset(runtime: "Runtime", body: dict[str, Any]) -> Reply:
    usecases.ask_password_reset(runtime, Caller.of_request(), body["email"])
    return Reply(status=202)


def complete_password_reset(runtime: "Runtime", body: dict[str, Any]) -> Reply:
    usecases.complete_password_reset(runtime, Caller.of_request(), body["token"], body["password"])
    return NO_CONTENT


def _refresh_token() -> str:
    return cookies.refresh_token(asked().headers.get("cookie"))


def _session(signed_in: SignedIn) -> Reply:
    body = {
        "access_token": signed_in.access_token,
        "token_type": "Bearer",
        "expires_in": LIFETIME,
        "me": _me(signed_in.staff, signed_in.firm, signed_in.permissions),
    }
    return Reply(body, headers=_PRIVATE, cookies=cookies.signed_in(signed_in.access_token, signed_in.refresh_token))


def _me(staff: Staff, firm: Firm, permissions: list[str]) -> dict[str, Any]:
    return {
        "id": str(staff.id),
        "name": staff.name,
        "email": staff.email,
        "roles": staff.roles,
        "grade": staff.grade,
        "permissions": permissions,
        "firm": firm_view(firm),
    }
