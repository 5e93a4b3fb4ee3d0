"""The rows of an export, a page at a time by key. Row-level security decides which rows there are: private clients only for those named."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from chassis.uow import Uow
from clients import codes
from clients.copies.tables import StaffCopy
from clients.custom_fields.rules import STAFF
from clients.custom_fields.tables import CustomField
from clients.imports.cells import joined
from clients.imports.mapping import CUSTOM, FIELDS
from clients.settings import fields

PAGE = 500
FIRST = UUID(int=0)
Row = list[str | None]
Reading = Callable[[], AbstractContextManager[Uow]]  # a unit of work of whoever asked


class Words:
    """What the firm's own things are called in a file: people by name where one alone is called so, else by id."""

    def __init__(self, uow: Uow) -> None:
        people = uow.session.execute(select(StaffCopy.id, StaffCopy.name, StaffCopy.active)).all()
        called = [name.casefold() for _, name, _ in people]
        self._people = {str(id): name for id, name, active in people if active and called.count(name.casefold()) == 1}
        every = select(CustomField.key, CustomField.kind).order_by(CustomField.position, CustomField.key)
        self.custom = {key: kind for key, kind in uow.session.execute(every)}  # noqa: C416 - rows are no pairs to mypy

    def person(self, id: Any) -> str | None:
        return self._people.get(str(id), str(id)) if id else None

    def value(self, key: str, value: Any) -> str | None:
        """A value of a field of the firm's own, as `custom_fields.rules.typed` reads it."""
        if value is None or isinstance(value, str):
            return self.person(value) if self.custom[key] == STAFF else value
        return f"{Decimal(repr(value)):f}"


def titles(kind: str, words: Words) -> list[str]:
    """The columns of a kind, in their order."""
    return [*FIELDS[kind], *(CUSTOM + key for key in words.custom if kind == "clients")]


def pages(reading: Reading, kind: str, words: Words) -> Iterator[list[Row]]:
    """Every row of a kind, `PAGE` things at a time, each page in a unit of work of its own."""
    after: Any = None
    while True:
        with reading() as uow:
            said, after = _READ[kind](uow, words, after)
        named = titles(kind, words)
        yield [[_text(row.get(title)) for title in named] for row in said]
        if after is None:
            return


Page = tuple[list[dict[str, Any]], Any]


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return joined(value)
    return None if value is None else str(value)


def _found(uow: Uow, statement: str, **values: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in uow.session.execute(text(statement), {"rows": PAGE, **values}).mappings()]


def _last(rows: Sequence[Mapping[str, Any]], key: str = "id") -> Any:
    return rows[-1][key] if len(rows) == PAGE else None


def _custom_fields(uow: Uow, _words: Words, _after: Any) -> Page:
    every = "SELECT key, label, kind, choices, position, active FROM custom_fields ORDER BY position, key"
    return _found(uow, every), None


# A group after the one it is part of, as an import needs them; one that is part of a hidden group stands for itself.
_GROUPS = """
    WITH RECURSIVE placed AS (
        SELECT g.id, g.name, g.kind, g.note, NULL::uuid AS parent, 0 AS depth FROM client_groups g
        WHERE NOT EXISTS (SELECT FROM client_groups above WHERE above.id = g.parent_id)
        UNION ALL
        SELECT g.id, g.name, g.kind, g.note, g.parent_id, p.depth + 1 FROM client_groups g JOIN placed p ON p.id = g.parent_id)
    SELECT * FROM placed WHERE (depth, id) > (:depth, CAST(:id AS uuid)) ORDER BY depth, id LIMIT :rows"""


def _groups(uow: Uow, _words: Words, after: Any) -> Page:
    depth, id = after or (0, FIRST)
    rows = _found(uow, _GROUPS, depth=depth, id=id)
    return rows, (rows[-1]["depth"], rows[-1]["id"]) if len(rows) == PAGE else None


_CLIENTS = """
    SELECT c.id, c.external_id, c.number, c.name, c.other_names, c.former_names, c.kind, c.status, c.currency, c.language, c.country,
           c.year_end, c.born_on, c.address, c.tags, c.partner_id, c.manager_id, c.visible_to, c.custom
    FROM clients c WHERE c.id > CAST(:id AS uuid) ORDER BY c.id LIMIT :rows"""
_TAX = "SELECT client_id, scheme, sealed FROM tax_numbers WHERE client_id = ANY (:ids)"
_MEMBERS = """
    SELECT m.client_id, m.group_id, g.bill_to_id FROM client_group_members m JOIN client_groups g ON g.firm_id = m.firm_id AND g.id = m.group_id
    WHERE m.client_id = ANY (:ids)"""


def _clients(uow: Uow, words: Words, after: Any) -> Page:
    rows = _found(uow, _CLIENTS, id=after or FIRST)
    last = _last(rows)
    by = {row["id"]: row for row in rows}
    for row in rows:
        address = row.pop("address") or {}
        row |= {part: value for part, value in address.items() if part != "country"}
        row["address_country"] = address.get("country")
        row["partner"], row["manager"] = words.person(row["partner_id"]), words.person(row["manager_id"])
        row["visible_to"] = [words.person(id) for id in row["visible_to"] or ()]
        row |= {CUSTOM + key: words.value(key, value) for key, value in row["custom"].items() if key in words.custom}
    for tax in _found(uow, _TAX, ids=list(by)):
        place = f"{uow.firm_id}/{tax['client_id']}/{tax['scheme']}"
        by[tax["client_id"]][tax["scheme"]] = fields(uow).open(bytes(tax["sealed"]), place)
    for member in _found(uow, _MEMBERS, ids=list(by)):
        row = by[member["client_id"]]
        row["group"], row["bills_group"] = member["group_id"], member["bill_to_id"] == row["id"] or None
    return rows, last


_CONTACTS = """
    SELECT k.id, k.external_id, k.name, k.former_names, k.email, k.phone, k.language, k.active, k.portal_access
    FROM contacts k WHERE k.id > CAST(:id AS uuid) ORDER BY k.id LIMIT :rows"""
_ROLES = """
    SELECT r.contact_id, c.number AS client, array_agg(r.role ORDER BY r.role) AS roles
    FROM contact_roles r JOIN clients c ON c.firm_id = r.firm_id AND c.id = r.client_id
    WHERE r.contact_id = ANY (:ids) GROUP BY r.contact_id, c.firm_id, c.id ORDER BY r.contact_id, c.id"""


def _contacts(uow: Uow, _words: Words, after: Any) -> Page:
    """A row for each client that a contact acts for, and one for a contact who acts for none."""
    found = _found(uow, _CONTACTS, id=after or FIRST)
    acts: dict[UUID, list[dict[str, Any]]] = {row["id"]: [] for row in found}
    for role in _found(uow, _ROLES, ids=list(acts)):
        acts[role.pop("contact_id")].append(role)
    return [row | role for row in found for role in acts[row["id"]] or [{}]], _last(found)


_RELATIONSHIPS = """
    SELECT r.id, c.number AS client, r.kind, o.number AS other_client, r.other_name, r.since, r.until, r.note
    FROM relationships r JOIN clients c ON c.firm_id = r.firm_id AND c.id = r.client_id
    LEFT JOIN clients o ON o.firm_id = r.firm_id AND o.id = r.other_client_id
    WHERE r.id > CAST(:id AS uuid) AND (r.other_client_id IS NULL) = (o.id IS NULL) ORDER BY r.id LIMIT :rows"""


def _relationships(uow: Uow, _words: Words, after: Any) -> Page:
    rows = _found(uow, _RELATIONSHIPS, id=after or FIRST)
    return rows, _last(rows)


_ENGAGEMENTS = """
    SELECT e.id, e.external_id, c.number AS client, e.title, e.service, e.status, e.starts_on, e.ends_on, e.fee_kind AS fee, e.fee_amount,
           e.fee_currency AS currency, e.fee_interval AS interval, e.fee_description AS description, e.fee_milestones,
           e.fee_percent AS percent, e.close_reason
    FROM engagements e JOIN clients c ON c.firm_id = e.firm_id AND c.id = e.client_id
    WHERE e.id > CAST(:id AS uuid) ORDER BY e.id LIMIT :rows"""
_PEOPLE = """
    SELECT engagement_id, job_role, staff_id FROM engagement_people WHERE engagement_id = ANY (:ids) ORDER BY engagement_id, job_role"""


def _engagements(uow: Uow, words: Words, after: Any) -> Page:
    rows = _found(uow, _ENGAGEMENTS, id=after or FIRST)
    people: dict[UUID, list[str]] = {row["id"]: [] for row in rows}
    for held in _found(uow, _PEOPLE, ids=list(people)):
        people[held["engagement_id"]].append(f"{held['job_role']}: {words.person(held['staff_id'])}")
    for row in rows:
        row["people"] = people[row["id"]]
        if row["fee_amount"] is not None:
            row["amount"] = codes.shown(row["fee_amount"], row["currency"])
        row["milestones"] = [
            f"{stage['title']}: {stage['amount']}" + (f" by {stage['due_on']}" if stage["due_on"] else "")
            for stage in row["fee_milestones"] or ()
        ]
    return rows, _last(rows)


_NOTES = """
    SELECT n.id, c.number AS client, n.said AS text, n.pinned, n.mentions, n.author_name AS author, n.author AS author_id, n.created_at
    FROM client_notes n JOIN clients c ON c.firm_id = n.firm_id AND c.id = n.client_id
    WHERE n.id > CAST(:id AS uuid) ORDER BY n.id LIMIT :rows"""


def _notes(uow: Uow, words: Words, after: Any) -> Page:
    rows = _found(uow, _NOTES, id=after or FIRST)
    for row in rows:
        row["mentions"] = [words.person(id) for id in row["mentions"]]
        row["written_at"] = row["created_at"].astimezone(UTC).isoformat()
    return rows, _last(rows)


_READ: dict[str, Callable[[Uow, Words, Any], Page]] = {
    "custom_fields": _custom_fields,
    "groups": _groups,
    "clients": _clients,
    "contacts": _contacts,
    "relationships": _relationships,
    "engagements": _engagements,
    "notes": _notes,
}
