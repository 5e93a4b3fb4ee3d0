"""What one can do with engagements: load, decide, save, announce."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from chassis.db import new_id
from chassis.uow import Uow
from clients import codes
from clients.copies.usecases import require_active_staff
from clients.engagements import rules
from clients.engagements.events import engagement_changed
from clients.engagements.tables import Engagement, EngagementPerson
from clients.parties.finding import find
from clients.parties.rules import tidy
from clients.timeline.usecases import record
from clients.trail import audit_change


def open_engagement(uow: Uow, body: Mapping[str, Any]) -> Engagement:
    """A new, open engagement. Errors: `client_not_found`, `client_former`, `ends_before_start`, `unknown_staff`, those of `rules.fee` and `rules.people`."""
    # Locked, so that the client can't be archived at the same moment.
    client = find(uow, body["client_id"], lock=True)
    rules.require_engageable(client.status)
    engagement = Engagement(id=new_id(), client_id=client.id, status=rules.OPEN, created_at=uow.now, updated_at=uow.now)
    _apply(uow, engagement, {"ends_on": None, "external_id": None, "people": [], **body})
    uow.add(engagement)
    _announce(uow, engagement)
    record(uow, client.id, "engagement", "opened", engagement.id, engagement.title)
    uow.audit("engagement.opened", "engagement", engagement.id, after=_shown(engagement))
    return engagement


def change_engagement(uow: Uow, engagement_id: UUID, body: Mapping[str, Any], *, if_match: int | None) -> Engagement:
    """Changes the given fields of an open engagement. Errors: `engagement_not_found`, `engagement_closed`, `version_conflict`, those of `open_engagement`."""
    engagement = uow.get(Engagement, engagement_id, lock=True, version=if_match)
    rules.require_open(engagement.status)
    before = _shown(engagement)
    _apply(uow, engagement, body)
    if _shown(engagement) != before:
        _save(uow, engagement, "engagement.changed", before)
    return engagement


def close_engagement(uow: Uow, engagement_id: UUID, ends_on: date, reason: str) -> Engagement:
    """Closes an open engagement on a day. Errors: `engagement_not_found`, `engagement_closed`, `ends_before_start`."""
    engagement = uow.get(Engagement, engagement_id, lock=True)
    rules.require_open(engagement.status)
    rules.period(engagement.starts_on, ends_on)
    before = _shown(engagement)
    engagement.status, engagement.ends_on, engagement.close_reason = rules.CLOSED, ends_on, tidy(reason)
    _save(uow, engagement, "engagement.closed", before, reason=reason)
    return engagement


def _apply(uow: Uow, engagement: Engagement, body: Mapping[str, Any]) -> None:
    """Sets the given fields; the whole must hold together."""
    for field in ("title", "external_id"):
        if field in body:
            setattr(engagement, field, body[field] and tidy(body[field]))
    if "service" in body:
        engagement.service = body["service"]
    for field in ("starts_on", "ends_on"):
        if field in body:
            setattr(engagement, field, body[field] and date.fromisoformat(body[field]))
    rules.period(engagement.starts_on, engagement.ends_on)
    if "fee" in body:
        _set_fee(engagement, rules.fee(body["fee"]))
    if "people" in body:
        _set_people(uow, engagement, body["people"])


def _set_fee(engagement: Engagement, fee: rules.Fee) -> None:
    engagement.fee_kind, engagement.fee_interval, engagement.fee_description = fee.kind, fee.interval, fee.description
    engagement.fee_amount, engagement.fee_currency, engagement.fee_percent = fee.amount, fee.currency, fee.percent
    stages = [
        {"title": stage.title, "amount": codes.shown(stage.amount, fee.currency or ""), "due_on": stage.due_on}
        for stage in fee.milestones
    ]
    engagement.fee_milestones = stages or None


def _set_people(uow: Uow, engagement: Engagement, given: Sequence[Mapping[str, str]]) -> None:
    """Replaces the people; those newly named work here (someone named earlier may have left since)."""
    wanted = {role: UUID(staff_id) for role, staff_id in rules.people(given).items()}
    held = {person.job_role: person for person in engagement.people}
    earlier = {person.staff_id for person in held.values()}
    places = {person["job_role"]: f"/people/{place}/staff_id" for place, person in enumerate(given)}
    require_active_staff(
        uow, [(places[role], staff_id) for role, staff_id in wanted.items() if staff_id not in earlier]
    )
    for role, person in held.items():
        if role not in wanted:
            engagement.people.remove(person)
    for role, staff_id in wanted.items():
        if role in held:
            held[role].staff_id = staff_id
        else:
            engagement.people.append(EngagementPerson(id=new_id(), job_role=role, staff_id=staff_id))


def _save(uow: Uow, engagement: Engagement, action: str, before: Mapping[str, Any], reason: str | None = None) -> None:
    """Writes, announces and audits a change."""
    engagement.updated_at = uow.now
    what = action.removeprefix("engagement.")
    record(uow, engagement.client_id, "engagement", what, engagement.id, engagement.title, reason=reason)
    uow.session.flush()
    _announce(uow, engagement)
    audit_change(uow, action, "engagement", engagement.id, before=before, after=_shown(engagement), reason=reason)


def _announce(uow: Uow, engagement: Engagement) -> None:
    uow.announce(engagement_changed(engagement), subject=engagement.id, version=engagement.version)


def _shown(engagement: Engagement) -> dict[str, Any]:
    """The engagement as the audit shows it."""
    amount, currency = engagement.fee_amount, engagement.fee_currency
    return {
        field: getattr(engagement, field)
        for field in ("title", "service", "status", "starts_on", "ends_on", "external_id")
    } | {
        "client_id": str(engagement.client_id),
        "people": {person.job_role: str(person.staff_id) for person in engagement.people},
        "fee": {
            "kind": engagement.fee_kind,
            "amount": f"{codes.shown(amount, currency)} {currency}" if amount is not None and currency else None,
            "interval": engagement.fee_interval,
            "description": engagement.fee_description,
            "milestones": engagement.fee_milestones,
            "percent": str(engagement.fee_percent) if engagement.fee_percent else None,
        },
    }
