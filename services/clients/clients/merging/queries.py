"""What a merge would do, before it is done; and all merges there were, to be said again."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from chassis.service import State
from chassis.uow import Uow
from clients.copies.tables import StaffCopy
from clients.merging import rules
from clients.merging.usecases import facts
from clients.parties.finding import find
from clients.parties.tables import Client
from praxis.clients.v1.events_pb2 import ClientMerged

# One count a line; the policed tables decide what is counted.
_MOVES = text("""
SELECT (SELECT count(DISTINCT contact_id) FROM contact_roles WHERE client_id = :id) AS contacts,
       (SELECT count(*) FROM engagements WHERE client_id = :id) AS engagements,
       (SELECT count(*) FROM client_uses WHERE client_id = :id AND live AND kind = 'job') AS jobs,
       (SELECT count(*) FROM client_uses WHERE client_id = :id AND live AND kind = 'invoice') AS invoices,
       (SELECT count(*) FROM client_uses WHERE client_id = :id AND live AND kind = 'document') AS documents
""")


def preview(uow: Uow, survivor_id: UUID, merged_id: UUID, take: list[str]) -> dict[str, Any]:
    """What merging would make of the two. Errors: `client_not_found`, those of `rules.require_mergeable` and `rules.combined`."""
    survivor, merged = find(uow, survivor_id), find(uow, merged_id)
    mine, theirs = facts(survivor), facts(merged)
    rules.require_mergeable(mine, theirs)
    fields = rules.combined(mine, theirs, take)
    names = _names(uow, survivor, merged)
    return {
        "survivor_id": survivor.id,
        "merged_id": merged.id,
        "version": survivor.version,
        "merged_version": merged.version,
        "fields": [
            {
                "name": field.name,
                "survivor": names.get(field.survivor, field.survivor) if field.name in _PEOPLE else field.survivor,
                "merged": names.get(field.merged, field.merged) if field.name in _PEOPLE else field.merged,
                "result": names.get(field.result, field.result) if field.name in _PEOPLE else field.result,
                "differs": field.differs,
            }
            for field in fields
        ],
        "tax_numbers": [
            {"scheme": scheme, "survivor": mine["tax_numbers"].get(scheme), "merged": shown}
            for scheme, shown in sorted(theirs["tax_numbers"].items())
        ],
        "moves": dict(uow.session.execute(_MOVES, {"id": merged.id}).mappings().one()),
    }


def all_merges(uow: Uow) -> Iterator[State]:
    """Every id given up for another, to be said again."""
    for old, into in uow.session.execute(text("SELECT id, into_id FROM merged_ids ORDER BY id")):
        yield old, 1, ClientMerged(client_id=str(old), into_client_id=str(into))


def both_there(uow: Uow) -> Iterator[str]:
    """A client that was merged into another and is still there."""
    found = "SELECT c.id, c.number, m.into_id FROM merged_ids m JOIN clients c ON c.firm_id = m.firm_id AND c.id = m.id"
    for id, number, into in uow.session.execute(text(found)):
        yield f"{number} ({id}) was merged into {into} and is still there"


_PEOPLE = ("partner_id", "manager_id")


def _names(uow: Uow, *clients: Client) -> dict[Any, str]:
    ids = {id for client in clients for id in (client.partner_id, client.manager_id) if id}
    named = select(StaffCopy.id, StaffCopy.name).where(StaffCopy.id.in_(ids))
    return {id: name for id, name in uow.session.execute(named)} if ids else {}  # noqa: C416 - rows are no pairs to mypy
