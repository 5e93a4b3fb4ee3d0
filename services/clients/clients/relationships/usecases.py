"""What one can do with relationships: load, decide, save, announce."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from chassis.db import new_id
from chassis.errors import Invalid
from chassis.uow import Uow
from clients.parties.finding import find
from clients.parties.rules import tidy
from clients.relationships import rules
from clients.relationships.events import relationship_changed
from clients.relationships.tables import Relationship
from clients.trail import audit_change

_FACTS = ("client_id", "kind", "other_client_id", "other_name", "since", "until", "note")


def relate(uow: Uow, body: Mapping[str, Any]) -> Relationship:
    """Two parties are related from now on. Errors: `client_not_found`, `other_side_required`, `related_to_itself`, `already_related`, `ends_before_start`."""
    client, kind, other = find(uow, body["client_id"]).id, body["kind"], None
    if ("other_client_id" in body) == ("other_name" in body):
        raise Invalid("other_side_required", "Name the other side: a client by its id, or anybody else by name.")
    if "other_client_id" in body:
        other = find(uow, body["other_client_id"]).id
        client, kind, other = rules.kept(client, kind, other)
    related = Relationship(
        id=new_id(),
        client_id=client,
        kind=kind,
        other_client_id=other,
        other_name=tidy(body["other_name"]) if other is None else None,
        created_at=uow.now,
    )
    _apply(related, {"since": None, "until": None, "note": None, **body})
    related.updated_at = uow.now
    uow.add(related)
    uow.announce(relationship_changed(related), subject=related.id, version=related.version)
    uow.audit("relationship.created", "relationship", related.id, after=_shown(related))
    return related


def change_relationship(uow: Uow, relationship_id: UUID, body: Mapping[str, Any], *, if_match: int | None) -> None:
    """Changes since when, until when, and what is noted. Errors: `relationship_not_found`, `version_conflict`, `ends_before_start`."""
    related = uow.get(Relationship, relationship_id, lock=True, version=if_match)
    before = _shown(related)
    _apply(related, body)
    if _shown(related) == before:
        return
    related.updated_at = uow.now
    uow.session.flush()
    uow.announce(relationship_changed(related), subject=related.id, version=related.version)
    audit_change(uow, "relationship.changed", "relationship", related.id, before=before, after=_shown(related))


def remove_relationship(uow: Uow, relationship_id: UUID, *, if_match: int | None) -> None:
    """It never was; one that has ended keeps its end instead. Errors: `relationship_not_found`, `version_conflict`."""
    related = uow.get(Relationship, relationship_id, lock=True, version=if_match)
    gone = relationship_changed(related)
    gone.removed, gone.version = True, related.version + 1
    uow.session.delete(related)
    uow.session.flush()
    uow.announce(gone, subject=relationship_id, version=gone.version)
    uow.audit("relationship.removed", "relationship", relationship_id, before=_shown(related))


def _apply(related: Relationship, body: Mapping[str, Any]) -> None:
    for day in ("since", "until"):
        if day in body:
            setattr(related, day, body[day] and date.fromisoformat(body[day]))
    if "note" in body:
        related.note = body["note"] and body["note"].strip()
    rules.period(related.since, related.until)


def _shown(related: Relationship) -> dict[str, Any]:
    return {fact: getattr(related, fact) for fact in _FACTS}
