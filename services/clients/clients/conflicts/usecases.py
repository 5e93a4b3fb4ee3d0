"""Checking for conflicts, and deciding what was found."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis.db import new_id
from chassis.uow import Uow
from clients.conflicts import rules
from clients.conflicts.tables import ConflictCheck, ConflictMatch
from clients.parties.finding import find
from clients.parties.rules import names
from clients.timeline.usecases import record

_LIKE = text("SELECT * FROM parties_like(CAST(:core AS text), CAST(:words AS text[]), CAST(:enough AS real), :most)")
_FOLD = text("SELECT fold(said) FROM unnest(CAST(:names AS text[])) WITH ORDINALITY AS n(said, place) ORDER BY place")


def check(uow: Uow, body: Mapping[str, Any]) -> ConflictCheck:
    """Compares the names with everybody ever recorded and keeps what was found. Errors: `client_not_found`."""
    client = find(uow, body["client_id"]) if body.get("client_id") else None
    asked = names(body["names"])
    matches = _matches(uow, asked, but=client.id if client else None)
    made = ConflictCheck(
        id=new_id(),
        names=asked,
        client_id=client.id if client else None,
        at=uow.now,
        by_actor=uow.principal.actor,
        by_name=uow.principal.name,
        found=len(matches),
    )
    uow.add(made)
    uow.session.add_all(ConflictMatch(id=new_id(), check_id=made.id, **match._mapping) for match in matches)
    uow.session.flush()
    if client:
        record(uow, client.id, "conflict_check", "made", made.id, ", ".join(asked))
    uow.audit("conflict_check.made", "conflict_check", made.id, after={"names": asked})
    return made


def decide(uow: Uow, check_id: UUID, body: Mapping[str, Any]) -> None:
    """Says what the matches mean. Errors: `conflict_check_not_found`, `conflict_check_decided`."""
    made = uow.get(ConflictCheck, check_id, lock=True)
    rules.require_undecided(made.decision)
    made.decision, made.reason = body["decision"], body["reason"]
    made.decided_at, made.decided_by = uow.now, uow.principal.name
    uow.session.flush()
    if made.client_id:
        record(uow, made.client_id, "conflict_check", made.decision, made.id, ", ".join(made.names), reason=made.reason)
    uow.audit(
        "conflict_check.decided",
        "conflict_check",
        made.id,
        before={"decision": None},
        after={"decision": made.decision},
        reason=made.reason,
    )


def _matches(uow: Uow, asked: list[str], *, but: UUID | None) -> list[Any]:
    """Everybody alike, each once, best first, at most as many as are kept; without the client it is all about."""
    found: list[Any] = []
    for folded in uow.session.execute(_FOLD, {"names": asked}).scalars():
        words = rules.words(folded)
        values = {"core": " ".join(words), "words": words, "enough": rules.ENOUGH, "most": rules.MOST}
        found += uow.session.execute(_LIKE, values).all()
    best: dict[Any, Any] = {}
    for match in sorted(found, key=lambda match: -match.likeness):
        if but is None or match.client_id != but:
            best.setdefault((match.kind, match.client_id, match.contact_id, match.name), match)
    return list(best.values())[: rules.MOST]
