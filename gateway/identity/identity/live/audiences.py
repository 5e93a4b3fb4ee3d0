"""Who may hear of which client. A firm's are read when its first screen opens, and kept up by the events that pass anyway.

What an event has said is kept beside what was read, newer by its version: the copy in the database may lag behind it.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select

from chassis import auth, events
from chassis.uow import unit_of_work
from identity.live.rules import Hint
from identity.live.tables import ClientAudience
from praxis.clients.v1 import events_pb2 as clients
from praxis.clients.v1.events_pb2 import ClientChanged
from praxis.identity.v1.events_pb2 import NoticeChanged
from praxis.workflow.v1 import events_pb2 as workflow

if TYPE_CHECKING:
    from chassis.service import Runtime

_CLIENT_CHANGED = events.type_of(ClientChanged)
_NOTICE_CHANGED = events.type_of(NoticeChanged)
# Not there to be read yet: once they are kept, NoticeChanged says so.
_NOTICES_DUE = frozenset(events.type_of(due) for due in (clients.NoticeDue, workflow.NoticeDue))

Named = frozenset[str] | None  # ids of staff; None: everybody


@dataclass(frozen=True, slots=True)
class Known:
    named: Named
    version: int


class Audiences:
    """Thread-safe: the listener's thread writes, the event loop asks."""

    def __init__(self, read: Callable[[UUID], Iterable[tuple[str, Named, int]]]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._known: dict[UUID, dict[str, Known]] = {}
        self._firms: set[UUID] = set()

    def load(self, firm_id: UUID, *, again: bool = False) -> None:
        """Reads a firm's private clients, once unless `again`. Errors: those of the database, as `DomainError`."""
        if firm_id in self._firms and not again:
            return
        for client_id, named, version in self._read(firm_id):
            self._keep(firm_id, client_id, Known(named, version))
        self._firms.add(firm_id)

    def load_again(self) -> None:
        """Reads all firms that were asked for once more: what passed meanwhile was not heard."""
        for firm_id in list(self._firms):
            self.load(firm_id, again=True)

    def _keep(self, firm_id: UUID, client_id: str, known: Known) -> Known | None:
        """Keeps what is newer; answers what was known before."""
        with self._lock:
            clients = self._known.setdefault(firm_id, {})
            before = clients.get(client_id)
            if before is None or before.version < known.version:
                clients[client_id] = known
            return before

    def hint(self, event: events.Envelope) -> Hint:
        """The hint that an event gives, with the clients it is about. A client that becomes private is still hinted at to
        those who saw it before: their screens have to forget it."""
        if event.type == _NOTICE_CHANGED or event.type in _NOTICES_DUE:
            told = event.data.get("staff_ids") or () if event.type == _NOTICE_CHANGED else ()
            return Hint(event.firm_id, event.type, event.subject, event.version, only=frozenset(told))
        named: Named = frozenset()
        if event.type == _CLIENT_CHANGED:
            audience: Mapping[str, Any] = event.data.get("audience") or {}
            now = frozenset(audience.get("staff_ids", ())) if audience.get("private") else None
            before = self._keep(event.firm_id, str(event.data.get("client_id")), Known(now, event.version))
            if before:
                named = before.named
            elif event.version > 1 and event.firm_id in self._firms:
                named = None  # only private ones are read
        if named is None:
            return Hint(event.firm_id, event.type, event.subject, event.version)
        return Hint(event.firm_id, event.type, event.subject, event.version, clients_of(event.data), named)

    def may_hear(self, hint: Hint, staff_id: str) -> bool:
        """Whether somebody may know of what a hint is about: no client, one of several they may see, or one they could see before."""
        if hint.only is not None:
            return staff_id in hint.only
        if not hint.clients or staff_id in hint.named:
            return True
        clients = self._known.get(hint.firm_id, {})
        found = (clients.get(client_id) for client_id in hint.clients)
        return any(known is None or known.named is None or staff_id in known.named for known in found)


def clients_of(data: Mapping[str, Any]) -> frozenset[str]:
    """The clients that an event is about, by the names that contracts give them."""
    ids = [data.get(name) for name in ("client_id", "other_client_id", "into_client_id")]
    ids += data.get("client_ids") or []
    ids += [role.get("client_id") for role in data.get("roles") or [] if isinstance(role, dict)]
    return frozenset(str(client_id) for client_id in ids if client_id)


def reader(runtime: "Runtime") -> Callable[[UUID], Iterable[tuple[str, Named, int]]]:
    """Reads a firm's private clients from the copy that the worker keeps."""

    def read(firm_id: UUID) -> list[tuple[str, Named, int]]:
        with unit_of_work(runtime, auth.system("identity", firm_id)) as uow:
            private = select(ClientAudience).where(
                ClientAudience.firm_id == firm_id, ClientAudience.visible_to.is_not(None)
            )
            return [
                (str(row.id), frozenset(str(s) for s in row.visible_to or ()), row.version)
                for row in uow.session.scalars(private)
            ]

    return read
