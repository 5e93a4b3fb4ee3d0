"""Who a row of a file means: clients, groups and contacts found for a whole chunk at once."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from chassis.uow import Uow
from clients.contacts.tables import Contact
from clients.copies.tables import StaffCopy
from clients.copies.usecases import firm_defaults
from clients.custom_fields.queries import as_field
from clients.custom_fields.tables import CustomField
from clients.imports.mapping import plain
from clients.imports.rules import Firm
from clients.settings import fields


def firm_of(uow: Uow) -> Firm:
    """What the firm's own words mean."""
    defaults = firm_defaults(uow)
    staff: dict[str, str | None] = {}
    for id, name, active in uow.session.execute(select(StaffCopy.id, StaffCopy.name, StaffCopy.active)):
        staff[str(id)] = str(id)  # who has left too: what was exported with them comes back with them
        if not active:
            continue
        folded = name.casefold()
        staff[folded] = None if folded in staff else str(id)
    held = uow.session.scalars(select(CustomField).order_by(CustomField.position, CustomField.key)).all()
    known, labels = {field.key: as_field(field) for field in held}, {field.key: field.label for field in held}
    return Firm(defaults.country, defaults.language, defaults.currency, staff, known, labels)


def lookups(uow: Uow, numbers: Mapping[str, str]) -> dict[str, bytes]:
    """What a client's tax numbers are found by."""
    return {scheme: fields(uow).lookup(number, str(uow.firm_id)) for scheme, number in numbers.items()}


@dataclass
class Known:
    """Keys of a chunk and the ids that have them."""

    by: dict[tuple[str, Any], set[UUID]] = field(default_factory=dict)

    def ids(self, keys: Iterable[tuple[str, Any]]) -> set[UUID]:
        """Whom the first of the keys that anybody has means."""
        for key in keys:
            if key in self.by:
                return self.by[key]
        return set()


_CLIENTS = text("""
    SELECT 'id' AS kind, c.id::text AS key, c.id FROM clients c WHERE c.id = ANY (CAST(:ids AS uuid[]))
    UNION ALL SELECT 'id', m.id::text, c.id FROM merged_ids m JOIN clients c ON c.firm_id = m.firm_id AND c.id = m.into_id
        WHERE m.id = ANY (CAST(:ids AS uuid[]))
    UNION ALL SELECT 'external_id', c.external_id, c.id FROM clients c WHERE c.external_id = ANY (:external)
    UNION ALL SELECT 'number', lower(c.number), c.id FROM clients c WHERE lower(c.number) COLLATE "C" = ANY (:numbers)
    UNION ALL SELECT 'tax', encode(t.lookup, 'hex'), t.client_id FROM tax_numbers t WHERE t.lookup = ANY (:tax)
    UNION ALL SELECT 'person', n.said || '|' || n.born, c.id
        FROM unnest(CAST(:names AS text[]), CAST(:births AS text[])) AS n (said, born)
        JOIN clients c ON c.sort_name = fold(n.said) AND c.born_on = CAST(n.born AS date)
    UNION ALL SELECT 'name', n.said, c.id FROM unnest(CAST(:called AS text[])) AS n (said) JOIN clients c ON c.sort_name = fold(n.said)
""")


def clients_known(uow: Uow, keys: Collection[tuple[str, Any]]) -> Known:
    """Which clients have these keys: (kind, value) with kind id, external_id, number, tax, person or name."""

    def of(kind: str) -> list[Any]:
        return [value for named, value in keys if named == kind]

    people = [value.rsplit("|", 1) for value in of("person")]
    found = uow.session.execute(
        _CLIENTS,
        {
            "ids": of("id"),
            "external": of("external_id"),
            "numbers": of("number"),
            "tax": [bytes.fromhex(value) for value in of("tax")],
            "names": [name for name, _ in people],
            "births": [born for _, born in people],
            "called": of("name"),
        },
    )
    known = Known()
    for kind, key, id in found:
        known.by.setdefault((kind, key), set()).add(id)
    return known


def keys_of_client(facts: Mapping[str, Any], tax: Mapping[str, bytes]) -> list[tuple[str, str]]:
    """What a row of a client can be recognised by, surest first. One with an id of its own isn't somebody else who looks like it."""
    keys = [("id", facts["id"])] if "id" in facts else []
    keys += [("external_id", facts["external_id"])] if "external_id" in facts else []
    keys += [("number", facts["number"].lower())] if "number" in facts else []
    if "id" in facts:
        return keys
    keys += [("tax", lookup.hex()) for lookup in tax.values()]
    if "born_on" in facts and "name" in facts:
        keys.append(("person", f"{facts['name']}|{facts['born_on']}"))
    return keys


def keys_of_reference(said: str) -> list[tuple[str, str]]:
    """What a cell that names a client can mean, likeliest first."""
    is_id = len(said) == 36 and said.count("-") == 4 and all(sign in "0123456789abcdef-" for sign in said)
    keys = [("id", said)] if is_id else []
    return [*keys, ("number", said.lower()), ("external_id", said), ("name", said)]


_GROUPS = text("""
    SELECT n.said, g.id FROM unnest(CAST(:said AS text[])) AS n (said)
    JOIN client_groups g ON g.id::text = n.said OR g.sort_name = fold(n.said)
""")


def groups_known(uow: Uow, said: Collection[str]) -> dict[str, set[UUID]]:
    """Which groups these names or ids mean."""
    known: dict[str, set[UUID]] = {}
    for name, id in uow.session.execute(_GROUPS, {"said": list(said)}) if said else ():
        known.setdefault(name, set()).add(id)
    return known


_CONTACTS = text("""
    SELECT 'id' AS kind, k.id::text AS key, k.id FROM contacts k WHERE k.id = ANY (CAST(:ids AS uuid[]))
    UNION ALL SELECT 'external_id', k.external_id, k.id FROM contacts k WHERE k.external_id = ANY (:external)
    UNION ALL SELECT 'person', n.said || '|' || n.email, k.id
        FROM unnest(CAST(:names AS text[]), CAST(:emails AS text[])) AS n (said, email)
        JOIN contacts k ON k.sort_name = fold(n.said) AND lower(k.email) = lower(n.email)
    UNION ALL SELECT 'acting', n.said || '|' || n.client, k.id
        FROM unnest(CAST(:acting AS text[]), CAST(:clients AS text[])) AS n (said, client)
        JOIN contacts k ON k.sort_name = fold(n.said)
        WHERE EXISTS (SELECT FROM contact_roles r WHERE r.contact_id = k.id AND r.client_id::text = n.client)
""")


def contacts_known(uow: Uow, keys: Collection[tuple[str, Any]]) -> Known:
    """Which contacts have these keys: (kind, value) with kind id, external_id, person (name|email) or acting (name|client id)."""
    people = [value.rsplit("|", 1) for kind, value in keys if kind == "person"]
    acting = [value.rsplit("|", 1) for kind, value in keys if kind == "acting"]
    found = uow.session.execute(
        _CONTACTS,
        {
            "ids": [value for kind, value in keys if kind == "id"],
            "external": [value for kind, value in keys if kind == "external_id"],
            "names": [name for name, _ in people],
            "emails": [email for _, email in people],
            "acting": [name for name, _ in acting],
            "clients": [client for _, client in acting],
        },
    )
    known = Known()
    for kind, key, id in found:
        known.by.setdefault((kind, key), set()).add(id)
    return known


def keys_of_contact(facts: Mapping[str, Any], client: Any) -> list[tuple[str, str]]:
    """What a row of a contact can be recognised by, surest first."""
    keys = [("id", facts["id"])] if "id" in facts else []
    keys += [("external_id", facts["external_id"])] if "external_id" in facts else []
    if facts.get("email") and "id" not in facts:
        keys.append(("person", f"{facts['name']}|{facts['email']}"))
    elif not keys and client is not None:
        keys.append(("acting", f"{facts['name']}|{client}"))
    return keys


_ENGAGEMENTS = text("""
    SELECT 'id' AS kind, e.id::text AS key, e.id FROM engagements e WHERE e.id = ANY (CAST(:ids AS uuid[]))
    UNION ALL SELECT 'external_id', e.external_id, e.id FROM engagements e WHERE e.external_id = ANY (:external)
    UNION ALL SELECT 'terms', n.client || '|' || n.starts_on || '|' || n.title, e.id
        FROM unnest(CAST(:clients AS text[]), CAST(:starts AS text[]), CAST(:titles AS text[])) AS n (client, starts_on, title)
        JOIN engagements e ON e.client_id = CAST(n.client AS uuid) AND e.starts_on = CAST(n.starts_on AS date) AND e.title = n.title
""")


def engagements_known(uow: Uow, keys: Collection[tuple[str, Any]]) -> Known:
    """Which engagements have these keys: (kind, value) with kind id, external_id or terms (client id|first day|title)."""
    terms = [value.split("|", 2) for kind, value in keys if kind == "terms"]
    found = uow.session.execute(
        _ENGAGEMENTS,
        {
            "ids": [value for kind, value in keys if kind == "id"],
            "external": [value for kind, value in keys if kind == "external_id"],
            "clients": [client for client, _, _ in terms],
            "starts": [starts_on for _, starts_on, _ in terms],
            "titles": [title for _, _, title in terms],
        },
    )
    known = Known()
    for kind, key, id in found:
        known.by.setdefault((kind, key), set()).add(id)
    return known


def keys_of_engagement(facts: Mapping[str, Any], client: Any) -> list[tuple[str, str]]:
    """What a row of an engagement can be recognised by, surest first; without ids, by client, first day and title."""
    keys = [(name, facts[name]) for name in ("id", "external_id") if name in facts]
    return keys or ([("terms", f"{client}|{facts['starts_on']}|{facts['title']}")] if client else [])


_NOTES = text("""
    SELECT 'id' AS kind, n.id::text AS key, n.id FROM client_notes n WHERE n.id = ANY (CAST(:ids AS uuid[]))
    UNION ALL SELECT 'said', said.client || '|' || said.text, n.id
        FROM unnest(CAST(:clients AS text[]), CAST(:texts AS text[])) AS said (client, text)
        JOIN client_notes n ON n.client_id = CAST(said.client AS uuid) AND n.said = said.text
""")


def notes_known(uow: Uow, keys: Collection[tuple[str, Any]]) -> Known:
    """Which notes have these keys: (kind, value) with kind id or said (client id|its words)."""
    said = [value.split("|", 1) for kind, value in keys if kind == "said"]
    ids = [value for kind, value in keys if kind == "id"]
    values = {"ids": ids, "clients": [client for client, _ in said], "texts": [text for _, text in said]}
    known = Known()
    for kind, key, id in uow.session.execute(_NOTES, values):
        known.by.setdefault((kind, key), set()).add(id)
    return known


def keys_of_note(facts: Mapping[str, Any], client: Any) -> list[tuple[str, str]]:
    """A note is recognised by its id; without one, by its words on the same client."""
    if "id" in facts:
        return [("id", facts["id"])]
    return [("said", f"{client}|{facts['text']}")] if client else []


def contacts_locked(uow: Uow, ids: Collection[UUID], *, lock: bool) -> dict[UUID, Contact]:
    """The contacts by id, with their roles."""
    from sqlalchemy.orm import selectinload

    wanted = select(Contact).where(Contact.id.in_(ids)).options(selectinload(Contact.roles)).order_by(Contact.id)
    if lock:
        wanted = wanted.with_for_update(of=Contact).execution_options(populate_existing=True)
    return {contact.id: contact for contact in uow.session.scalars(wanted)} if ids else {}


def name_key(name: str) -> str:
    """A name as rows of the same file refer to it."""
    return f"name:{plain(name)}"
