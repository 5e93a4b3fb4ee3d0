"""What one can do with clients: load, decide, save, announce."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from chassis.db import new_id
from chassis.uow import Uow
from clients.copies.usecases import firm_defaults, require_active_staff
from clients.custom_fields.usecases import values
from clients.engagements.tables import Engagement
from clients.parties import rules
from clients.parties.events import client_changed, client_removed
from clients.parties.finding import find
from clients.parties.tables import Client, TaxNumber
from clients.settings import fields
from clients.timeline.usecases import record
from clients.trail import audit_change

_STAFF_FIELDS = ("partner_id", "manager_id")
_DEFAULTED = ("currency", "language", "country")
_OPTIONAL = ("year_end", "born_on", "address", *_STAFF_FIELDS, "visible_to", "external_id")
_APART = ("tax_numbers", "custom")
_AUDITED = ("number", "name", "other_names", "kind", "status", *_DEFAULTED, "tags", *_OPTIONAL, "custom")


def create_client(uow: Uow, body: Mapping[str, Any]) -> Client:
    """A new client. Errors: those of its fields, `unknown_staff`, `private_without_you`, `client_number_taken`, `external_id_taken`."""
    facts = _facts(body)
    _check_people(uow, facts, before={})
    defaults = firm_defaults(uow)
    client = Client(
        id=new_id(),
        number=_number(uow, facts.get("number")),
        name=facts["name"],
        kind=facts["kind"],
        status=facts.get("status", rules.ACTIVE),
        **{field: facts.get(field, getattr(defaults, field)) for field in _DEFAULTED},
        tags=facts.get("tags", []),
        other_names=facts.get("other_names", []),
        former_names=[],
        custom=values(uow, body.get("custom", {}), {}),
        **{field: facts.get(field) for field in _OPTIONAL},
        created_at=uow.now,
        updated_at=uow.now,
    )
    _set_tax_numbers(uow, client, body.get("tax_numbers", {}))
    uow.add(client)
    _announce(uow, client)
    record(uow, client.id, "client", "created", client.id, client.name)
    uow.audit("client.created", "client", client.id, after=_shown(client))
    return client


def change_client(uow: Uow, client_id: UUID, body: Mapping[str, Any], *, if_match: int | None) -> Client:
    """Changes the given fields. Errors: `client_not_found`, `version_conflict`, and those of `create_client`."""
    facts = _facts(body)
    client = find(uow, client_id, lock=True, version=if_match)
    before = _shown(client)
    _check_people(uow, facts, before={field: getattr(client, field) for field in (*_STAFF_FIELDS, "visible_to")})
    if "number" in facts:
        _number(uow, facts["number"])
    called = [facts.get("name", client.name), *facts.get("other_names", client.other_names)]
    client.former_names = rules.no_longer_called(client.former_names, [client.name, *client.other_names], called)
    for field, value in facts.items():
        setattr(client, field, value)
    client.custom = values(uow, body.get("custom", {}), client.custom)
    _set_tax_numbers(uow, client, body.get("tax_numbers", {}))
    if (after := _shown(client)) == before:
        return client
    _save(uow, client, "client.changed", before=before, after=after)
    return client


def activate_client(uow: Uow, client_id: UUID) -> Client:
    """A prospect or former client becomes active. Errors: `client_not_found`, `client_already_active`."""
    client = find(uow, client_id, lock=True)
    rules.require_activatable(client.status)
    return _move(uow, client, rules.ACTIVE, "client.activated")


def archive_client(uow: Uow, client_id: UUID, reason: str) -> Client:
    """The client becomes former. Errors: `client_not_found`, `client_already_former`, `client_has_open_engagements`."""
    client = find(uow, client_id, lock=True)
    titles = select(Engagement.title).where(Engagement.client_id == client.id, Engagement.status == "open")
    rules.require_archivable(client.status, uow.session.scalars(titles.order_by(Engagement.title)).all())
    return _move(uow, client, rules.FORMER, "client.archived", reason)


def remove_client(uow: Uow, client_id: UUID, *, if_match: int | None) -> None:
    """Takes back a client entered by mistake. Errors: `client_not_found`, `version_conflict`, `client_in_use`."""
    client = find(uow, client_id, lock=True, version=if_match)
    rules.require_removable(uow.session.execute(_HOLDS, {"client": client.id}).scalars().all())
    before = _shown(client)
    for own in _OWN:
        uow.session.execute(text(f"DELETE FROM {own} WHERE client_id = :client"), {"client": client.id})
    uow.session.delete(client)
    uow.session.flush()
    uow.announce(client_removed(client.id), subject=client.id)
    uow.audit("client.removed", "client", client.id, before=before)


# What was done for a client, by its name in the plural; what is merely said of it goes with it.
_HOLDS = text("""
    SELECT what FROM (
        SELECT DISTINCT kind || 's' AS what FROM client_uses WHERE client_id = :client AND live
        UNION ALL SELECT 'engagements' WHERE EXISTS (SELECT FROM engagements WHERE client_id = :client)
        UNION ALL SELECT 'contacts' WHERE EXISTS (SELECT FROM contact_roles WHERE client_id = :client)
        UNION ALL SELECT 'a group' WHERE EXISTS (SELECT FROM client_group_members WHERE client_id = :client)
        UNION ALL SELECT 'relationships' WHERE EXISTS (
            SELECT FROM relationships WHERE client_id = :client OR other_client_id = :client)
        UNION ALL SELECT 'clients merged into it' WHERE EXISTS (SELECT FROM merged_ids WHERE into_id = :client)
    ) held ORDER BY what""")
_OWN = ("client_notes", "timeline", "client_uses")


def _move(uow: Uow, client: Client, status: str, action: str, reason: str | None = None) -> Client:
    before = {"status": client.status}
    client.status = status
    _save(uow, client, action, before=before, after={"status": status}, reason=reason)
    return client


def _save(
    uow: Uow,
    client: Client,
    action: str,
    *,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    reason: str | None = None,
) -> None:
    """Writes, announces and audits a change."""
    client.updated_at = uow.now
    fields_changed = [field for field in after if after[field] != before[field] and field != "status"]
    renamed = {"formerly": before["name"]} if "name" in fields_changed else {}
    what = action.removeprefix("client.")
    record(uow, client.id, "client", what, client.id, client.name, fields=fields_changed, reason=reason, **renamed)
    uow.session.flush()
    _announce(uow, client)
    audit_change(uow, action, "client", client.id, before=before, after=after, reason=reason)


def _announce(uow: Uow, client: Client) -> None:
    uow.announce(client_changed(client), subject=client.id, version=client.version)


def _facts(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body's fields in their kept form, ids as UUIDs, without what has rules of its own."""
    facts = rules.checked({field: value for field, value in body.items() if field not in _APART})
    for field in _STAFF_FIELDS:
        if facts.get(field):
            facts[field] = UUID(facts[field])
    if facts.get("visible_to") is not None:
        facts["visible_to"] = list(dict.fromkeys(UUID(staff_id) for staff_id in facts["visible_to"]))
    return facts


def _check_people(uow: Uow, facts: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    """Those newly named work here (someone named earlier may have left since), and nobody locks themselves out."""
    named = [
        (f"/{field}", facts[field]) for field in _STAFF_FIELDS if facts.get(field) and facts[field] != before.get(field)
    ]
    visible_to, earlier = facts.get("visible_to"), before.get("visible_to") or ()
    if visible_to is not None and visible_to != earlier:
        rules.require_named(visible_to, uow.principal.uuid)
        named += [
            (f"/visible_to/{place}", staff_id) for place, staff_id in enumerate(visible_to) if staff_id not in earlier
        ]
    require_active_staff(uow, named)


def _set_tax_numbers(uow: Uow, client: Client, given: Mapping[str, str | None]) -> None:
    """Sets the given schemes, removes those given as null, leaves the others."""
    rows = {row.scheme: row for row in client.tax_numbers} if given else {}
    for scheme, number in rules.tax_numbers(given, client.country).items():
        row = rows.get(scheme)
        if number is None:
            if row:
                client.tax_numbers.remove(row)
            continue
        lookup = fields(uow).lookup(number, str(uow.firm_id))
        if row and row.lookup == lookup:
            continue
        if row is None:
            row = TaxNumber(id=new_id(), scheme=scheme)
            client.tax_numbers.append(row)
        row.lookup, row.shown = lookup, rules.masked(number)
        row.sealed = fields(uow).seal(number, f"{uow.firm_id}/{client.id}/{scheme}")


def _number(uow: Uow, given: str | None) -> str:
    """The number given, or the next of the firm's series, which never gives out one that was typed by hand."""
    if given is None:
        return rules.series_number(uow.session.execute(_NEXT, {"firm": uow.firm_id}).scalar_one())
    if position := rules.series_position(given):
        uow.session.execute(_SKIP, {"firm": uow.firm_id, "beyond": position + 1})
    return given


_NEXT = text(
    "INSERT INTO number_series AS s (firm_id, next) VALUES (:firm, 2) "
    "ON CONFLICT (firm_id) DO UPDATE SET next = s.next + 1 RETURNING s.next - 1"
)
_SKIP = text(
    "INSERT INTO number_series AS s (firm_id, next) VALUES (:firm, :beyond) "
    "ON CONFLICT (firm_id) DO UPDATE SET next = greatest(s.next, excluded.next)"
)


def _shown(client: Client) -> dict[str, Any]:
    """The client as the audit shows it. A tax number stands masked, with the start of its index: that tells two with one ending apart."""
    tax_numbers = {row.scheme: f"{row.shown} ({row.lookup.hex()[:8]})" for row in client.tax_numbers}
    return {field: getattr(client, field) for field in _AUDITED} | {"tax_numbers": tax_numbers}
