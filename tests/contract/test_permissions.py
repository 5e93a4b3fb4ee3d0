"""Permissions are data, and nothing is open by forgetting: every operation of every contract names the permission it needs."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest

from chassis import openapi
from chassis.auth import AUDIENCES
from chassis.http import DEFAULT_AUDIENCES
from chassis.rpc import access_of
from identity.live.server import PERMISSION as LIVE
from identity.staff.permissions import PORTAL, ROLES, all_permissions, permissions_of

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("clients", "workflow", "timebilling", "documents", "portal", "identity")

# Open to anybody, each with the reason. Adding one here is a decision.
PUBLIC = {
    "GET /api/identity/v1/jwks": "public keys are public",
    "GET /api/identity/v1/setup": "tells only whether the installation still waits for its first firm",
    "POST /api/identity/v1/setup": "nobody has an account yet: a set-up token in the body permits it",
    "POST /api/identity/v1/sessions": "signing in: the password in the body permits it",
    "POST /api/identity/v1/sessions/refresh": "the refresh cookie permits it",
    "DELETE /api/identity/v1/sessions/current": "the refresh cookie permits it; signing out must work when the access token has run out",
    "POST /api/identity/v1/invitations/look-up": "the mailed token in the body permits it",
    "POST /api/identity/v1/invitations/accept": "the mailed token in the body permits it",
    "POST /api/identity/v1/password-resets": "whoever forgot their password can't sign in; answers alike for all, throttled",
    "POST /api/identity/v1/password-resets/complete": "the mailed token in the body permits it",
    "POST /api/identity/v1/oauth/token": "the client's secret permits it",
    "GET /api/workflow/v1/calendar-feeds/{token}": "calendar programs can't sign in: the secret in the address permits it",
    "POST /api/timebilling/v1/card-payments/stripe/events": "the card provider's signature of the body permits it",
}

# Changing acts that reading permits, each with the reason.
READING = {
    "POST /api/identity/v1/notices/{notice_id}/read": "a mark that one's own notice is read, by whoever may read it",
    "POST /api/identity/v1/notices/read-all": "the same",
}

# Asked for by something that is not in an OpenAPI file.
ASKED_ELSEWHERE = {LIVE: "the live process, which speaks server-sent events"}


@dataclass(frozen=True)
class Operation:
    """What an operation says of who may call it."""

    service: str
    name: str  # "GET /api/clients/v1/clients"
    security: object
    audiences: tuple[str, ...]

    @property
    def permissions(self) -> list[str]:
        requirements = self.security if isinstance(self.security, list) else []
        return [p for requirement in requirements for p in requirement.get("token", [])]


def contract(service: str) -> Path:
    return ROOT / ("gateway" if service == "identity" else "services") / service / "openapi.yaml"


def operations() -> Iterator[Operation]:
    for service in SERVICES:
        spec = openapi.load(contract(service))
        base = spec["servers"][0]["url"]
        for operation in openapi.operations(spec):
            name = f"{operation['method'].upper()} {base}{operation['path']}"
            audiences = operation.get("x-audiences", DEFAULT_AUDIENCES)
            yield Operation(service, name, operation.get("security", spec.get("security")), tuple(audiences))


OPERATIONS = list(operations())
GUARDED = [o for o in OPERATIONS if o.security != []]


def methods() -> Iterator[tuple[str, list[str], str]]:
    """Every gRPC method: its name, who may call it, and the permission of the person behind the call."""
    for service in SERVICES:
        file = import_module(f"praxis.{service}.v1.{service}_pb2").DESCRIPTOR
        for descriptor in file.services_by_name.values():
            for method in descriptor.methods:
                access = access_of(method)
                yield method.full_name, list(access.callers), access.permission


METHODS = list(methods())


def nameless(operation: Operation) -> str:
    """What is wrong with the permission an operation names; empty: nothing."""
    if not operation.permissions or not isinstance(operation.security, list):
        return 'names no permission: add security: [{token: ["…"]}]'
    if len(operation.security) != 1:
        return "names alternatives, which OpenAPI reads as either and chassis as all"
    unknown = sorted(set(operation.permissions) - all_permissions().keys())
    return f"not in identity/staff/permissions.yaml: {unknown}" if unknown else ""


def misdirected(operation: Operation) -> str:
    """What is wrong with the audiences an operation serves; empty: nothing."""
    audiences = set(operation.audiences)
    if not audiences or not audiences <= set(AUDIENCES):
        return f"unknown audiences {sorted(audiences - set(AUDIENCES))}"
    if "service" in audiences:
        return "service tokens carry no permission; services ask by gRPC"
    if (PORTAL in operation.permissions) != ("portal" in audiences):
        return "portal:self is what a contact's token holds, and all it holds"
    if PORTAL in operation.permissions and (operation.permissions != [PORTAL] or audiences != {"portal"}):
        return "nobody but a contact holds portal:self"
    return ""


def wrong(check: Callable[[Operation], str]) -> dict[str, str]:
    return {o.name: fault for o in GUARDED if (fault := check(o))}


def test_every_service_is_looked_at():
    assert {o.service for o in OPERATIONS} == set(SERVICES)
    assert len(OPERATIONS) > 100


def test_every_operation_names_a_permission_that_is_in_the_data():
    assert wrong(nameless) == {}


def test_what_is_public_is_public_for_a_reason():
    assert {o.name for o in OPERATIONS if o.security == []} == PUBLIC.keys()
    assert all(PUBLIC.values())


def test_every_operation_serves_known_audiences_that_can_hold_its_permission():
    assert wrong(misdirected) == {}


def test_an_operations_permission_is_its_own_services():
    foreign = {o.name for o in GUARDED for p in o.permissions if p != PORTAL and not p.startswith(f"{o.service}:")}
    assert foreign == set()


def test_changing_needs_more_than_to_read():
    changing = [o for o in GUARDED if not o.name.startswith("GET ") and not _ASKS_ONLY.search(o.name)]
    assert {o.name for o in changing if all(p.endswith(":read") for p in o.permissions)} == READING.keys()


# POSTs that only compute, or look for what must not stand in a URL.
_ASKS_ONLY = re.compile(r"/(preview|what-if|[a-z-]*dry-runs?|search|[a-z-]*look-?ups?|downloads?|download-links?)$")


def test_every_grpc_method_names_its_callers_and_a_known_permission():
    for name, callers, permission in METHODS:
        assert callers, f"{name}: nobody may call it"
        assert set(callers) <= set(SERVICES), name
        assert not permission or permission in all_permissions(), name


def test_every_permission_is_asked_for_somewhere():
    asked = {p for o in OPERATIONS for p in o.permissions} | {permission for _, _, permission in METHODS}
    assert all_permissions().keys() - asked - ASKED_ELSEWHERE.keys() == set()


def test_permissions_are_well_named_said_and_held():
    for permission in all_permissions().values():
        assert permission.says
        assert permission.roles <= set(ROLES), permission.name
        if permission.name == PORTAL:
            assert not permission.roles
        else:
            service, _, _ = permission.name.partition(":")
            assert service in SERVICES
            assert re.fullmatch(r"[a-z]+:[a-z_]+:(read|write|act)", permission.name), permission.name
            assert permission.roles, f"{permission.name} is held by nobody"


def test_an_owner_may_do_everything_and_readonly_nothing_but_read():
    assert set(permissions_of(["owner"])) == all_permissions().keys() - {PORTAL}
    assert all(p.endswith(":read") for p in permissions_of(["readonly"]))


@pytest.mark.parametrize(
    ("security", "audiences"),
    [
        (None, ("staff",)),
        ([], ("staff",)),
        ([{"token": []}], ("staff",)),
        ([{"token": ["clients:gold:read"]}], ("staff",)),
        ([{"token": ["clients:clients:read"]}, {}], ("staff",)),
        ([{"token": ["clients:clients:read"]}], ()),
        ([{"token": ["clients:clients:read"]}], ("admin",)),
        ([{"token": ["clients:clients:read"]}], ("staff", "portal")),
        ([{"token": ["clients:clients:read"]}], ("service",)),
        ([{"token": ["portal:self"]}], ("staff", "portal")),
        ([{"token": ["portal:self", "clients:clients:read"]}], ("portal",)),
    ],
)
def test_an_operation_that_is_open_by_mistake_would_be_noticed(security, audiences):
    made_up = Operation("clients", "GET /made-up", security, audiences)
    assert nameless(made_up) or misdirected(made_up)
