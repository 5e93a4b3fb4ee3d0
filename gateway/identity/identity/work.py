"""Work that begins before anybody is known: sign-in, invitations, set-up. Once the firm is found, it is ordinary work."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import text

from chassis.auth import Principal, system
from chassis.http import asked
from chassis.uow import Uow, unit_of_work
from identity.settings import Settings

if TYPE_CHECKING:
    from chassis.service import Runtime

# What belongs to no firm (a wrong sign-in for an address nobody has) is recorded under the nil UUID.
INSTALLATION = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a request came from: its network address as the edge saw it, and what the browser calls itself."""

    source: str
    user_agent: str = ""

    @classmethod
    def of_request(cls) -> "Caller":
        client = asked().client
        source = asked().headers.get("x-praxis-source") or (client.host if client else "")
        return cls(source, asked().headers.get("user-agent", "")[:300])


def settings_of(runtime: "Runtime") -> Settings:
    settings = runtime.settings
    assert isinstance(settings, Settings)
    return settings


def firm_is_known(runtime: "Runtime", firm_id: UUID) -> bool:
    """Whether a firm that a token names exists. A stranger's token must not make one known by naming it."""
    if firm_id in runtime.tenants:
        return True
    with runtime.engine.connect() as connection:
        return bool(connection.execute(text("SELECT 1 FROM tenant WHERE firm_id = :firm"), {"firm": firm_id}).first())


@contextmanager
def for_firm(
    runtime: "Runtime", firm_id: UUID, caller: Caller, staff_id: UUID | None = None, name: str = ""
) -> Iterator[Uow]:
    """A unit of work of a firm, done by a member of staff, or by identity itself while nobody is proven. Commit it yourself."""
    if staff_id is None:
        service = system(runtime.service.name, firm_id)
        principal = Principal(service.kind, service.id, firm_id, name=service.name, source=caller.source)
    else:
        principal = Principal("staff", str(staff_id), firm_id, name=name, source=caller.source)
    with unit_of_work(runtime, principal, firm_id=firm_id) as uow:
        yield uow
