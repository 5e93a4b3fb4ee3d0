"""A chunk of rows: what each would do (dry), and doing it. A chunk is one transaction; what can't be done is said of its row."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import selectinload

from chassis.db import new_id
from chassis.errors import DomainError
from chassis.uow import Uow
from clients.contacts import rules as contact_rules
from clients.contacts.events import contact_changed
from clients.contacts.tables import Contact, ContactRole
from clients.custom_fields.tables import CustomField
from clients.custom_fields.usecases import change_custom_field, create_custom_field
from clients.groups.events import group_changed
from clients.groups.rules import MOST as MOST_IN_A_GROUP
from clients.groups.tables import ClientGroup, GroupMember
from clients.groups.usecases import create_group
from clients.imports import bulk, finding
from clients.imports.mapping import plain
from clients.imports.rules import Firm, Problem, Said, unexpected
from clients.imports.tables import ImportRow
from clients.imports.trail import audit_all, entry
from clients.parties import rules as party_rules
from clients.parties.events import client_changed
from clients.parties.tables import Client, TaxNumber
from clients.parties.usecases import change_client
from clients.relationships import rules as relationship_rules
from clients.relationships.tables import Relationship
from clients.relationships.usecases import relate
from clients.settings import fields
from clients.timeline.tables import Entry

NEW, CHANGED, SAME, BAD = "new", "changed", "same", "bad"
UNDONE, KEPT = "undone", "kept"


@dataclass
class Line:
    """A row on its way: what it says and what becomes of it."""

    place: int
    said: Said
    outcome: str | None = None
    subject_id: UUID | None = None
    before: dict[str, Any] | None = None
    version: int | None = None
    tax: dict[str, bytes] = field(default_factory=dict)

    @property
    def facts(self) -> dict[str, Any]:
        return self.said.facts

    def bad(self, code: str, message: str, column: str | None = None) -> None:
        self.said.problems.append(Problem(code, message, column))
        self.outcome = BAD

    @property
    def sound(self) -> bool:
        return not self.said.problems


@dataclass
class Work:
    """What a chunk is done with. `dry`: only say what would be done."""

    uow: Uow
    import_id: UUID
    reason: str
    firm: Firm
    dry: bool


def do(work: Work, write: "Writing", lines: Sequence[Line]) -> None:
    """Decides, and unless dry does, what each line says."""
    write(work, [line for line in lines if line.sound])
    for line in lines:
        if not line.sound:
            line.outcome = BAD


Writing = Callable[[Work, Sequence[Line]], None]


def keep(row: ImportRow, code: str, message: str) -> None:
    """The row isn't taken back, for this reason."""
    row.outcome, row.problems = KEPT, [{"column": None, "code": code, "message": message}]


# --- what a file says of itself --------------------------------------------------------------------------------------

_REMEMBER = text("""
    INSERT INTO import_keys (firm_id, import_id, key, place)
    SELECT :firm, :import, k.key, k.place FROM unnest(CAST(:keys AS text[]), CAST(:places AS bigint[])) AS k (key, place)
    ON CONFLICT DO NOTHING""")
_WHO_SAID = text(
    "SELECT key, place FROM import_keys WHERE firm_id = :firm AND import_id = :import AND key = ANY (:keys)"
)


def _said_in_file(work: Work, keys: Sequence[str]) -> dict[str, int]:
    values = {"firm": work.uow.firm_id, "import": work.import_id, "keys": list(keys)}
    return {row.key: row.place for row in work.uow.session.execute(_WHO_SAID, values)} if keys else {}


def _remember(work: Work, pairs: Sequence[tuple[str, int]]) -> None:
    if pairs:
        values = {"firm": work.uow.firm_id, "import": work.import_id}
        work.uow.session.execute(_REMEMBER, values | {"keys": [k for k, _ in pairs], "places": [p for _, p in pairs]})


_TWICE = {"id": "duplicate_id", "external_id": "duplicate_external_id", "number": "duplicate_number", "tax": "duplicate_tax_number",
          "person": "duplicate_person", "terms": "duplicate_engagement", "said": "duplicate_note"}  # fmt: skip


def _refuse_twice(work: Work, lines: Sequence[Line]) -> None:
    """The first row that names a client by a key has it; further ones are refused, in whichever chunk they stand."""
    refuse_again(work, lines, "", {line.place: finding.keys_of_client(line.facts, line.tax) for line in lines})
    _remember(work, [(finding.name_key(line.facts["name"]), line.place) for line in lines if line.sound])


def refuse_again(work: Work, lines: Sequence[Line], what: str, keys: Mapping[int, Sequence[tuple[str, str]]]) -> None:
    """The first row that has a key keeps it; further ones are refused."""
    own = {place: [f"{what and what + '.'}{kind}:{key}" for kind, key in of] for place, of in keys.items()}
    earlier = _said_in_file(work, [key for of in own.values() for key in of])
    said: list[tuple[str, int]] = []
    for line in lines:
        twice = next((key for key in own[line.place] if earlier.get(key, line.place) != line.place), None)
        if twice:
            kind = twice.split(":", 1)[0].rsplit(".", 1)[-1]
            line.bad(_TWICE[kind], f"An earlier row of the file has the same {kind.replace('_', ' ')}.")
            continue
        for key in own[line.place]:
            earlier[key] = line.place
            said.append((key, line.place))
    _remember(work, said)


# --- clients ---------------------------------------------------------------------------------------------------------


def _clients(work: Work, lines: Sequence[Line]) -> None:
    uow = work.uow
    for line in lines:
        line.tax = finding.lookups(uow, line.facts.get("tax_numbers", {}))
        visible_to = line.facts.get("visible_to")
        if visible_to is not None and uow.principal.id not in visible_to:
            line.bad(
                "private_without_you",
                "Name yourself among those who may see the client, or you would lose it.",
                "visible_to",
            )
    if work.dry:
        _refuse_twice(work, [line for line in lines if line.sound])
    lines = [line for line in lines if line.sound]
    keys = {line.place: finding.keys_of_client(line.facts, line.tax) for line in lines}
    known = finding.clients_known(uow, [key for of in keys.values() for key in of])
    for line in lines:
        who = known.ids(keys[line.place])
        others = [known.by[key] for key in keys[line.place][:3] if key in known.by]
        if len(who) > 1 or any(other != who for other in others):
            line.bad("matches_two_clients", "More than one client has what this row names: id, number or tax number.")
        elif who:
            line.subject_id = next(iter(who))
    lines = [line for line in lines if line.sound]
    groups = _groups_of(work, lines)
    lines = [line for line in lines if line.sound]
    matched = _locked(uow, [line.subject_id for line in lines if line.subject_id], lock=not work.dry)
    fresh = [line for line in lines if line.subject_id is None]
    for line in lines:
        if line.subject_id is not None:
            _change(work, line, matched[line.subject_id])
    if work.dry:
        for line in fresh:
            line.outcome = NEW
    elif fresh:
        _create(work, fresh)
    if not work.dry:
        _join(work, [line for line in lines if line.sound], groups)


def _locked(uow: Uow, ids: Sequence[UUID | None], *, lock: bool) -> dict[UUID, Client]:
    wanted = select(Client).where(Client.id.in_(ids)).options(selectinload(Client.tax_numbers)).order_by(Client.id)
    if lock:
        wanted = wanted.with_for_update(of=Client).execution_options(populate_existing=True)
    return {client.id: client for client in uow.session.scalars(wanted)} if ids else {}


_NOT_SAID_OF_A_CLIENT = ("id", "group", "bills_group", "former_names")


def _body(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The row as a request to change the client would say it."""
    body = {name: value for name, value in facts.items() if name not in _NOT_SAID_OF_A_CLIENT}
    for name in ("partner", "manager"):
        if name in body:
            body[f"{name}_id"] = body.pop(name)
    return body


def _change(work: Work, line: Line, client: Client) -> None:
    body = _body(line.facts)
    if not _differs(client, body, line.tax):
        line.outcome = SAME
        return
    line.outcome = CHANGED
    if work.dry:
        return
    line.before = state(client)
    status = body.pop("status", client.status)
    try:
        with work.uow.attempt():
            if body:
                change_client(work.uow, client.id, body, if_match=None)
            if status != client.status:
                client.status, client.updated_at = status, work.uow.now
                work.uow.session.flush()
                work.uow.announce(client_changed(client), subject=client.id, version=client.version)
                work.uow.audit("client.changed", "client", client.id, after={"status": status}, reason=work.reason)
        line.version = client.version
    except DomainError as error:
        work.uow.session.refresh(client)
        problem = unexpected(error)
        line.bad(problem.code, problem.message, problem.column)


def _differs(client: Client, body: Mapping[str, Any], tax: Mapping[str, bytes]) -> bool:
    held = {row.scheme: row.lookup for row in client.tax_numbers}
    if any(held.get(scheme) != lookup for scheme, lookup in tax.items()):
        return True
    if any(client.custom.get(key) != value for key, value in body.get("custom", {}).items()):
        return True
    for name, value in party_rules.checked(
        {n: v for n, v in body.items() if n not in ("tax_numbers", "custom")}
    ).items():
        now = getattr(client, name)
        if isinstance(now, UUID):
            now = str(now)
        if name == "visible_to":
            now = [str(id) for id in now or ()]
        if now != value:
            return True
    return False


_NEXT = text(
    "INSERT INTO number_series AS s (firm_id, next) VALUES (:firm, :many + 1) "
    "ON CONFLICT (firm_id) DO UPDATE SET next = s.next + :many RETURNING s.next - :many"
)
_SKIP = text(
    "INSERT INTO number_series AS s (firm_id, next) VALUES (:firm, :beyond) "
    "ON CONFLICT (firm_id) DO UPDATE SET next = greatest(s.next, excluded.next)"
)
_OPTIONAL = ("year_end", "address", "partner_id", "manager_id", "visible_to", "external_id", "born_on")


def _create(work: Work, lines: Sequence[Line]) -> None:
    """New clients, all of a chunk at once. One whose number or id is held by a client that can't be seen is refused."""
    uow = work.uow
    _number(uow, lines)
    rows = {line.place: _row(work, line) for line in lines}
    kept = bulk.insert(uow, Client, list(rows.values()))
    numbers, entries, made = [], [], []
    for line in lines:
        row = rows[line.place]
        if row["id"] not in kept:
            line.bad("client_number_taken", "Another client has this number, external id or id.")
            continue
        line.outcome, line.subject_id, line.version = NEW, row["id"], 1
        client = Client(**row)
        held = [
            _tax_row(uow, client.id, scheme, number, line.tax[scheme])
            for scheme, number in line.facts.get("tax_numbers", {}).items()
        ]
        numbers += held
        client.tax_numbers = [TaxNumber(**number) for number in held]
        made.append(client)
        entries.append(entry(uow, client.id, "client", "created", client.id, client.name))
    bulk.insert(uow, TaxNumber, numbers)
    bulk.insert(uow, Entry, entries)
    for client in made:
        uow.announce(client_changed(client), subject=client.id, version=1)
    said = ((client.id, None, {"number": client.number, "name": client.name}) for client in made)
    audit_all(uow, "client.created", "client", said, work.reason)


def _number(uow: Uow, lines: Sequence[Line]) -> None:
    positions: list[int] = [
        party_rules.series_position(line.facts["number"]) or 0 for line in lines if "number" in line.facts
    ]
    if highest := max(positions, default=0):
        uow.session.execute(_SKIP, {"firm": uow.firm_id, "beyond": highest + 1})
    unnumbered = [line for line in lines if "number" not in line.facts]
    if unnumbered:
        first = uow.session.execute(_NEXT, {"firm": uow.firm_id, "many": len(unnumbered)}).scalar_one()
        for place, line in enumerate(unnumbered):
            line.facts["number"] = party_rules.series_number(first + place)


def _row(work: Work, line: Line) -> dict[str, Any]:
    said = party_rules.checked({n: v for n, v in _body(line.facts).items() if n not in ("tax_numbers", "custom")})
    for name in ("partner_id", "manager_id"):
        said[name] = UUID(said[name]) if said.get(name) else None
    said["visible_to"] = [UUID(id) for id in said["visible_to"]] if said.get("visible_to") else None
    uow = work.uow
    return {
        "firm_id": uow.firm_id,
        "id": UUID(line.facts["id"]) if "id" in line.facts else new_id(),
        "number": said["number"],
        "name": said["name"],
        "kind": said.get("kind") or ("person" if said.get("born_on") else "organisation"),
        "status": said.get("status", party_rules.ACTIVE),
        "currency": said.get("currency", work.firm.currency),
        "language": said.get("language", work.firm.language),
        "country": said.get("country", work.firm.country),
        "tags": said.get("tags", []),
        "other_names": said.get("other_names", []),
        "former_names": line.facts.get("former_names", []),
        "custom": line.facts.get("custom", {}),
        **{name: said.get(name) for name in _OPTIONAL},
        "created_at": uow.now,
        "updated_at": uow.now,
        "version": 1,
    }


def _tax_row(uow: Uow, client_id: UUID, scheme: str, number: str, lookup: bytes) -> dict[str, Any]:
    sealed = fields(uow).seal(number, f"{uow.firm_id}/{client_id}/{scheme}")
    return {"firm_id": uow.firm_id, "id": new_id(), "client_id": client_id, "scheme": scheme, "sealed": sealed,
            "shown": party_rules.masked(number), "lookup": lookup}  # fmt: skip


def state(client: Client) -> dict[str, Any]:
    """The client as it is before a change, so that it can be given back."""
    copied = ("number", "name", "kind", "status", "currency", "language", "country", "year_end", "address", "tags", "other_names",
             "former_names", "custom", "external_id")  # fmt: skip
    ids = {
        name: str(getattr(client, name)) if getattr(client, name) else None
        for name in ("partner_id", "manager_id", "born_on")
    }
    tax = {row.scheme: [row.sealed.hex(), row.shown, row.lookup.hex()] for row in client.tax_numbers}
    visible_to = None if client.visible_to is None else [str(id) for id in client.visible_to]
    return {name: getattr(client, name) for name in copied} | ids | {"tax_numbers": tax, "visible_to": visible_to}


def give_back(uow: Uow, client: Client, before: Mapping[str, Any], reason: str) -> None:
    """Makes the client what it was."""
    for name, value in before.items():
        if name == "tax_numbers":
            continue
        if name in ("partner_id", "manager_id"):
            value = UUID(value) if value else None
        if name == "born_on":
            value = date.fromisoformat(value) if value else None
        if name == "visible_to":
            value = None if value is None else [UUID(id) for id in value]
        setattr(client, name, value)
    client.tax_numbers.clear()
    uow.session.flush()
    client.tax_numbers.extend(
        TaxNumber(id=new_id(), scheme=scheme, sealed=bytes.fromhex(sealed), shown=shown, lookup=bytes.fromhex(lookup))
        for scheme, (sealed, shown, lookup) in before["tax_numbers"].items()
    )
    client.updated_at = uow.now
    uow.session.flush()
    uow.announce(client_changed(client), subject=client.id, version=client.version)
    uow.audit("client.change_undone", "client", client.id, after={"name": client.name}, reason=reason)


# --- clients in groups -----------------------------------------------------------------------------------------------


def _groups_of(work: Work, lines: Sequence[Line]) -> dict[int, UUID]:
    """Which group each line's client belongs to."""
    said = {line.facts["group"] for line in lines if "group" in line.facts}
    known = finding.groups_known(work.uow, said)
    in_file = _said_in_file(work, [f"group:{plain(name)}" for name in said]) if work.dry else {}
    held = _memberships(work.uow, [line.subject_id for line in lines if line.subject_id])
    found: dict[int, UUID] = {}
    for line in lines:
        name = line.facts.get("group")
        if name is None:
            continue
        groups = known.get(name, set())
        if len(groups) > 1:
            line.bad("group_ambiguous", f"More than one group is called {name}. Give its id.", "group")
        elif not groups and f"group:{plain(name)}" not in in_file:
            line.bad("group_not_found", f"There is no group {name}.", "group")
        elif groups:
            found[line.place] = next(iter(groups))
            if line.subject_id and held.get(line.subject_id, found[line.place]) != found[line.place]:
                line.bad("client_in_another_group", "The client is in another group. Take it out there first.", "group")
    return found


def _memberships(uow: Uow, ids: Sequence[UUID | None]) -> dict[UUID, UUID]:
    held = select(GroupMember.client_id, GroupMember.group_id).where(GroupMember.client_id.in_(ids))
    return {client: group for client, group in uow.session.execute(held)} if ids else {}  # noqa: C416 - rows are no pairs to mypy


def _join(work: Work, lines: Sequence[Line], groups: Mapping[int, UUID]) -> None:
    """Clients join their groups; each group counts one change."""
    wanted = [line for line in lines if line.place in groups and line.subject_id]
    if not wanted:
        return
    held = _memberships(work.uow, [line.subject_id for line in wanted])
    locked = (
        select(ClientGroup).where(ClientGroup.id.in_(set(groups.values()))).order_by(ClientGroup.id).with_for_update()
    )
    found = {group.id: group for group in work.uow.session.scalars(locked.options(selectinload(ClientGroup.members)))}
    touched = set()
    for line in wanted:
        group, client = found[groups[line.place]], line.subject_id
        assert client is not None
        if client not in held:
            if len(group.members) >= MOST_IN_A_GROUP:
                line.said.problems.append(
                    Problem("group_full", f"{group.name} has {MOST_IN_A_GROUP} clients.", "group")
                )
                continue
            group.members.append(GroupMember(id=new_id(), client_id=client))
            touched.add(group.id)
        if line.facts.get("bills_group") and group.bill_to_id != client:
            group.bill_to_id = client
            touched.add(group.id)
    tell_groups(work.uow, [found[id] for id in touched], work.reason)


def tell_groups(uow: Uow, groups: Sequence[ClientGroup], reason: str) -> None:
    for group in groups:
        group.updated_at = uow.now
    uow.session.flush()
    for group in groups:
        uow.announce(group_changed(group), subject=group.id, version=group.version)
        uow.audit("group.changed", "group", group.id, after={"clients": len(group.members)}, reason=reason)


# --- contacts --------------------------------------------------------------------------------------------------------


def references(work: Work, lines: Sequence[Line], *names: str) -> dict[tuple[int, str], UUID | None]:
    """The clients that cells name: an id, None for one that the file itself will bring (only said when dry)."""
    said = {line.facts[name] for line in lines for name in names if name in line.facts}
    keys = {name: finding.keys_of_reference(name) for name in said}
    known = finding.clients_known(work.uow, [key for of in keys.values() for key in of])
    in_file: dict[str, int] = {}
    if work.dry:
        own = [f"{kind}:{key}" for of in keys.values() for kind, key in of if kind != "name"]
        in_file = _said_in_file(work, [*own, *(finding.name_key(name) for name in said)])
    found: dict[tuple[int, str], UUID | None] = {}
    for line in lines:
        for name in names:
            cell = line.facts.get(name)
            if cell is None:
                continue
            who = known.ids(keys[cell])
            if len(who) > 1:
                line.bad("client_ambiguous", f"More than one client is called {cell}. Give the number.", name)
            elif who:
                found[line.place, name] = next(iter(who))
            elif any(f"{kind}:{key}" in in_file for kind, key in keys[cell]) or finding.name_key(cell) in in_file:
                found[line.place, name] = None
            else:
                line.bad("client_not_found", f"There is no client {cell}.", name)
    return found


def _contacts(work: Work, lines: Sequence[Line]) -> None:
    uow = work.uow
    clients = references(work, lines, "client")
    lines = [line for line in lines if line.sound]
    keys = {line.place: finding.keys_of_contact(line.facts, clients.get((line.place, "client"))) for line in lines}
    known = finding.contacts_known(uow, [key for of in keys.values() for key in of])
    ids = {line.place: known.ids(keys[line.place]) for line in lines}
    held = finding.contacts_locked(uow, {id for of in ids.values() if len(of) == 1 for id in of}, lock=not work.dry)
    mine: dict[tuple[str, Any], Contact] = {}  # new in this chunk, by their keys
    fresh: list[tuple[Contact, list[Line]]] = []
    changed: dict[UUID, tuple[Contact, dict[str, Any], list[Line]]] = {}
    for line in lines:
        if len(ids[line.place]) > 1:
            line.bad("matches_two_contacts", "More than one contact fits this row. Give the id.")
            continue
        contact = held.get(next(iter(ids[line.place]), UUID(int=0))) or next(
            (mine[k] for k in keys[line.place] if k in mine), None
        )
        client = clients.get((line.place, "client"))
        try:
            if contact is None:
                contact = _new_contact(work, line)
                fresh.append((contact, [line]))
                mine.update(dict.fromkeys(keys[line.place], contact))
                line.outcome = NEW
                _act_for(contact, client, line.facts.get("roles"))
                continue
            before = contact_state(contact)
            _say(contact, line.facts)
            _act_for(contact, client, line.facts.get("roles"))
        except DomainError as error:
            problem = unexpected(error)
            line.bad(problem.code, problem.message, problem.column)
            continue
        if contact_state(contact) == before and (client is not None or "client" not in line.facts):
            line.outcome = SAME
            continue
        line.outcome = CHANGED
        if contact.id in held:
            changed.setdefault(contact.id, (contact, before, []))[2].append(line)
        else:
            next(of for made, of in fresh if made is contact).append(line)
    if work.dry:
        for contact in held.values():
            uow.session.expunge(contact)
        return
    _write_contacts(work, fresh, changed)


def _new_contact(work: Work, line: Line) -> Contact:
    facts = line.facts
    contact = Contact(
        firm_id=work.uow.firm_id,
        id=UUID(facts["id"]) if "id" in facts else new_id(),
        name=facts["name"],
        language=facts.get("language", work.firm.language),
        portal_access=facts.get("portal_access", False),
        active=facts.get("active", True),
        former_names=facts.get("former_names", []),
        **{name: facts.get(name) for name in ("email", "phone", "external_id")},
        created_at=work.uow.now,
        updated_at=work.uow.now,
        version=1,
    )
    _require_reachable(contact)
    return contact


def _say(contact: Contact, facts: Mapping[str, Any]) -> None:
    if "name" in facts:
        from clients.parties.rules import former_names

        contact.former_names = former_names(contact.former_names, contact.name, facts["name"])
    for name in ("name", "email", "phone", "language", "portal_access", "active", "external_id"):
        if name in facts:
            setattr(contact, name, facts[name])
    _require_reachable(contact)


def _require_reachable(contact: Contact) -> None:
    contact_rules.require_reachable(portal_access=contact.portal_access, active=contact.active, email=contact.email)


def _act_for(contact: Contact, client: UUID | None, roles: Sequence[str] | None) -> None:
    """Roles are added to those the contact has at the client; none named and none held: simply a contact."""
    if client is None:
        return
    held = {row.role for row in contact.roles if row.client_id == client}
    for role in roles or ([] if held else ["contact"]):
        if role not in held:
            contact.roles.append(
                ContactRole(firm_id=contact.firm_id, id=new_id(), contact_id=contact.id, client_id=client, role=role)
            )


def contact_state(contact: Contact) -> dict[str, Any]:
    """The contact as it is before a change, so that it can be given back."""
    copied = ("name", "email", "phone", "language", "portal_access", "active", "external_id", "former_names")
    roles = sorted([str(row.client_id), row.role] for row in contact.roles)
    return {name: getattr(contact, name) for name in copied} | {"roles": roles}


_FOLLOW = text(
    "UPDATE import_rows SET subject_version = :version WHERE firm_id = :firm AND import_id = :import AND subject_id = :subject"
)


def same_subject(uow: Uow, import_id: UUID, subject: UUID, version: int) -> None:
    """Earlier rows of the file about the same contact know its newest version."""
    uow.session.execute(_FOLLOW, {"firm": uow.firm_id, "import": import_id, "subject": subject, "version": version})


def _write_contacts(
    work: Work,
    fresh: Sequence[tuple[Contact, list[Line]]],
    changed: Mapping[UUID, tuple[Contact, dict[str, Any], list[Line]]],
) -> None:
    uow = work.uow
    columns = [column.key for column in Contact.__table__.columns if column.computed is None]
    rows = [{name: getattr(contact, name) for name in columns} for contact, _ in fresh]
    kept = bulk.insert(uow, Contact, rows)
    roles = [
        {
            "firm_id": uow.firm_id,
            "id": role.id,
            "contact_id": contact.id,
            "client_id": role.client_id,
            "role": role.role,
        }
        for contact, _ in fresh
        if contact.id in kept
        for role in contact.roles
    ]
    bulk.insert(uow, ContactRole, roles)
    for contact, lines in fresh:
        for place, line in enumerate(lines):
            if contact.id not in kept:
                line.bad("external_id_taken", "Another contact has this external id or id.")
                continue
            line.outcome, line.subject_id, line.version = NEW if place == 0 else CHANGED, contact.id, 1
            line.before = None if place == 0 else {}
        if contact.id in kept:
            uow.announce(contact_changed(contact), subject=contact.id, version=1)
    said = ((contact.id, None, {"name": contact.name}) for contact, _ in fresh if contact.id in kept)
    audit_all(uow, "contact.created", "contact", said, work.reason)
    for contact, _, _ in changed.values():
        contact.updated_at = uow.now
    uow.session.flush()
    for contact, before, lines in changed.values():
        for place, line in enumerate(lines):
            line.subject_id, line.version, line.before = contact.id, contact.version, before if place == 0 else {}
        same_subject(uow, work.import_id, contact.id, contact.version)
        uow.announce(contact_changed(contact), subject=contact.id, version=contact.version)
        uow.audit(
            "contact.changed", "contact", contact.id, before=before, after=contact_state(contact), reason=work.reason
        )


# --- fields, groups, relationships: few, by their own rules ----------------------------------------------------------


def _custom_fields(work: Work, lines: Sequence[Line]) -> None:
    from clients.custom_fields.rules import key as key_of

    held = {held.key: held for held in work.uow.session.scalars(select(CustomField))}
    for line in lines:
        facts = line.facts
        key = facts.get("key") or key_of(facts["label"])
        if known := held.get(key):
            line.outcome = SAME
            if known.kind != facts["kind"]:
                line.bad("custom_field_in_use", f"The firm has a field {key} of another kind.", "kind")
            continue
        body = {name: facts[name] for name in ("label", "kind", "choices", "position") if name in facts} | {"key": key}
        _by_its_rules(
            work, line, lambda body=body, facts=facts: _custom_field(work.uow, body, facts.get("active", True))
        )


def _custom_field(uow: Uow, body: Mapping[str, Any], active: bool) -> CustomField:
    made = create_custom_field(uow, body)
    return made if active else change_custom_field(uow, made.id, {"active": False}, if_match=None)


def _groups(work: Work, lines: Sequence[Line]) -> None:
    if work.dry:
        _remember(
            work,
            [
                (f"group:{plain(line.facts[k])}", line.place)
                for line in lines
                for k in ("name", "id")
                if k in line.facts
            ],
        )
    for line in lines:
        facts = line.facts
        known = finding.groups_known(
            work.uow, {name for name in (facts.get("id"), facts["name"], facts.get("parent")) if name}
        )
        if known.get(facts.get("id", "")) or ("id" not in facts and known.get(facts["name"])):
            line.outcome = SAME
            continue
        body = {"name": facts["name"], "kind": facts.get("kind", "other"), "note": facts.get("note")}
        if parent := known.get(facts.get("parent", "")):
            body["parent_id"] = str(next(iter(parent)))
        elif "parent" in facts and not work.dry:
            line.bad("group_not_found", f"There is no group {facts['parent']}. Put it in an earlier row.", "parent")
            continue
        _by_its_rules(work, line, lambda body=body, facts=facts: create_group(work.uow, body, id=facts.get("id")))


def _relationships(work: Work, lines: Sequence[Line]) -> None:
    clients = references(work, lines, "client", "other_client")
    for line in [line for line in lines if line.sound]:
        facts = line.facts
        client, other = clients.get((line.place, "client")), clients.get((line.place, "other_client"))
        if work.dry and (client is None or ("other_client" in facts and other is None)):
            line.outcome = NEW
            continue
        body: dict[str, Any] = {
            name: facts[name] for name in ("kind", "other_name", "since", "until", "note") if name in facts
        }
        body |= {"client_id": str(client)} | ({"other_client_id": str(other)} if other else {})
        if _related(work.uow, body):
            line.outcome = SAME
            continue
        _by_its_rules(work, line, lambda body=body: relate(work.uow, body))


def _related(uow: Uow, body: Mapping[str, Any]) -> bool:
    client, kind, other = UUID(body["client_id"]), body["kind"], body.get("other_client_id")
    wanted = select(Relationship.id)
    if other:
        if UUID(other) == client:
            return False
        client, kind, with_ = relationship_rules.kept(client, kind, UUID(other))
        wanted = wanted.where(Relationship.other_client_id == with_)
    else:
        wanted = wanted.where(Relationship.other_name == body["other_name"])
    return uow.session.scalar(wanted.where(Relationship.client_id == client, Relationship.kind == kind)) is not None


class _OnlyTried(Exception):
    pass


def _by_its_rules(work: Work, line: Line, make: Any) -> None:
    """Makes one thing as a request would; dry, it is tried and taken back."""
    try:
        with work.uow.attempt():
            made = make()
            if work.dry:
                raise _OnlyTried
        line.outcome, line.subject_id, line.version = NEW, made.id, made.version
    except _OnlyTried:
        line.outcome = NEW
    except DomainError as error:
        problem = unexpected(error)
        line.bad(problem.code, problem.message, problem.column)


WRITE: dict[str, Writing] = {
    "custom_fields": _custom_fields,
    "groups": _groups,
    "clients": _clients,
    "contacts": _contacts,
    "relationships": _relationships,
}
