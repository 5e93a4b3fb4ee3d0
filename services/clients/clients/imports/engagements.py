"""A chunk of rows of engagements: what each would do (dry), doing it, and taking it back."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.orm import selectinload

from chassis.db import new_id
from chassis.errors import DomainError
from chassis.uow import Uow
from clients import codes
from clients.engagements import rules
from clients.engagements.events import engagement_changed, engagement_removed
from clients.engagements.tables import Engagement, EngagementPerson
from clients.engagements.usecases import change_engagement, close_engagement
from clients.imports import bulk, finding, trail
from clients.imports.rules import unexpected
from clients.imports.tables import ImportRow
from clients.imports.writing import CHANGED, NEW, SAME, UNDONE, Line, Work, keep, references, refuse_again
from clients.parties.rules import FORMER
from clients.parties.tables import Client
from clients.timeline.tables import Entry


def write(work: Work, lines: Sequence[Line]) -> None:
    """Decides, and unless dry does, what each line says of an engagement."""
    uow = work.uow
    clients = references(work, lines, "client")
    lines = [line for line in lines if line.sound]
    if work.dry:
        refuse_again(work, lines, "engagement", {
            line.place: finding.keys_of_engagement(line.facts, line.facts["client"]) for line in lines
        })  # fmt: skip
        lines = [line for line in lines if line.sound]
    keys = {line.place: finding.keys_of_engagement(line.facts, clients.get((line.place, "client"))) for line in lines}
    known = finding.engagements_known(uow, [key for of in keys.values() for key in of])
    ids = {line.place: known.ids(keys[line.place]) for line in lines}
    held = _held(uow, {id for of in ids.values() if len(of) == 1 for id in of}, lock=not work.dry)
    statuses = _statuses(uow, {id for id in clients.values() if id}, lock=not work.dry)
    fresh: list[Line] = []
    for line in lines:
        client = clients[line.place, "client"]
        if len(ids[line.place]) > 1:
            line.bad("matches_two_engagements", "More than one engagement fits this row. Give the id.")
        elif engagement := held.get(next(iter(ids[line.place]), UUID(int=0))):
            _change(work, line, engagement, client)
        elif line.facts.get("status", rules.OPEN) == rules.OPEN and client and statuses.get(client) == FORMER:
            line.bad(
                "client_former", "This is a former client. Make it active first, or close the engagement.", "client"
            )
        else:
            line.outcome = NEW
            fresh.append(line)
    if fresh and not work.dry:
        _create(work, fresh, clients)


def _held(uow: Uow, ids: set[UUID], *, lock: bool) -> dict[UUID, Engagement]:
    wanted = select(Engagement).where(Engagement.id.in_(ids)).options(selectinload(Engagement.people))
    if lock:
        wanted = wanted.with_for_update(of=Engagement).execution_options(populate_existing=True)
    return {one.id: one for one in uow.session.scalars(wanted.order_by(Engagement.id))} if ids else {}


def _statuses(uow: Uow, ids: set[UUID], *, lock: bool) -> dict[UUID, str]:
    """Of the clients; locked, so that none is archived at the same moment."""
    wanted = select(Client.id, Client.status).where(Client.id.in_(ids)).order_by(Client.id)
    wanted = wanted.with_for_update(read=True) if lock else wanted
    return {id: status for id, status in uow.session.execute(wanted)} if ids else {}  # noqa: C416 - rows are no pairs to mypy


# --- what is there already -------------------------------------------------------------------------------------------


def _change(work: Work, line: Line, engagement: Engagement, client: UUID | None) -> None:
    """What the row says otherwise is changed by the usual rules."""
    if client != engagement.client_id:
        line.bad("engagement_of_another_client", "This engagement is another client's.", "client")
        return
    wanted = _columns(line.facts)
    differing = {name for name, value in wanted.items() if value != getattr(engagement, name)}
    if "people" in line.facts:
        people = {person["job_role"]: person["staff_id"] for person in line.facts["people"]}
        if people != {held.job_role: str(held.staff_id) for held in engagement.people}:
            differing.add("people")
    if not differing:
        line.outcome = SAME
        return
    if engagement.status == rules.CLOSED:
        line.bad("engagement_closed", "This engagement is closed, and stays as it was closed.")
        return
    line.outcome = CHANGED
    if work.dry:
        return
    line.before = state(engagement)
    said = ("title", "service", "starts_on", "people", "fee", "external_id")
    body = {name: line.facts[name] for name in said if name in line.facts}
    closes = wanted.get("status") == rules.CLOSED
    if "ends_on" in line.facts and not closes:
        body["ends_on"] = line.facts["ends_on"]
    try:
        with work.uow.attempt():
            change_engagement(work.uow, engagement.id, body, if_match=None)
            if closes:
                reason = line.facts.get("close_reason", work.reason)
                close_engagement(work.uow, engagement.id, date.fromisoformat(line.facts["ends_on"]), reason)
        line.subject_id, line.version = engagement.id, engagement.version
    except DomainError as error:
        work.uow.session.refresh(engagement)
        problem = unexpected(error)
        line.bad(problem.code, problem.message, problem.column)


def _columns(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What the row says, as it is kept."""
    fee = rules.fee(facts["fee"])
    stages = [
        {"title": stage.title, "amount": codes.shown(stage.amount, fee.currency or ""), "due_on": stage.due_on}
        for stage in fee.milestones
    ]
    row = {name: facts[name] for name in ("title", "service", "status", "external_id", "close_reason") if name in facts}
    row |= {name: date.fromisoformat(facts[name]) for name in ("starts_on", "ends_on") if name in facts}
    return row | {
        "fee_kind": fee.kind,
        "fee_amount": fee.amount,
        "fee_currency": fee.currency,
        "fee_interval": fee.interval,
        "fee_description": fee.description,
        "fee_percent": fee.percent,
        "fee_milestones": stages or None,
    }


_KEPT = (
    "title", "service", "status", "external_id", "close_reason", "fee_kind", "fee_currency", "fee_interval", "fee_description", "fee_milestones"
)  # fmt: skip
_DAYS, _NUMBERS = ("starts_on", "ends_on"), ("fee_amount", "fee_percent")


def state(engagement: Engagement) -> dict[str, Any]:
    """The engagement as it is before a change, so that it can be given back."""
    texts = {name: value and str(value) for name in (*_DAYS, *_NUMBERS) for value in [getattr(engagement, name)]}
    people = [[person.job_role, str(person.staff_id)] for person in engagement.people]
    return {name: getattr(engagement, name) for name in _KEPT} | texts | {"people": people}


# --- what is new -----------------------------------------------------------------------------------------------------


def _create(work: Work, lines: Sequence[Line], clients: Mapping[tuple[int, str], UUID | None]) -> None:
    """New engagements, all of a chunk at once. One whose id is held by an engagement that can't be seen is refused."""
    uow = work.uow
    given = [column.key for column in Engagement.__table__.columns]
    rows = {}
    for line in lines:
        said = {"status": rules.OPEN} | _columns(line.facts)
        said |= {"firm_id": uow.firm_id, "id": UUID(line.facts["id"]) if "id" in line.facts else new_id()}
        said |= {"client_id": clients[line.place, "client"], "created_at": uow.now, "updated_at": uow.now, "version": 1}
        rows[line.place] = {name: said.get(name) for name in given}
    kept = bulk.insert(uow, Engagement, list(rows.values()))
    made: list[Engagement] = []
    for line in lines:
        row = rows[line.place]
        if row["id"] not in kept:
            line.bad("external_id_taken", "Another engagement has this external id or id.")
            continue
        line.subject_id, line.version = row["id"], 1
        engagement = Engagement(**row)
        engagement.people = [
            EngagementPerson(
                firm_id=uow.firm_id,
                id=new_id(),
                engagement_id=row["id"],
                job_role=person["job_role"],
                staff_id=UUID(person["staff_id"]),
            )
            for person in line.facts.get("people", ())
        ]
        made.append(engagement)
    people = [
        {name: getattr(person, name) for name in ("firm_id", "id", "engagement_id", "job_role", "staff_id")}
        for engagement in made
        for person in engagement.people
    ]
    bulk.insert(uow, EngagementPerson, people)
    entries = [trail.entry(uow, one.client_id, "engagement", "opened", one.id, one.title) for one in made]
    bulk.insert(uow, Entry, entries)
    for engagement in made:
        uow.announce(engagement_changed(engagement), subject=engagement.id, version=1)
    said_of = ((one.id, None, {"title": one.title, "client_id": str(one.client_id)}) for one in made)
    trail.audit_all(uow, "engagement.opened", "engagement", said_of, work.reason)


# --- taking it back --------------------------------------------------------------------------------------------------

# An invoice that is younger than the import may bill the engagement.
_BUILT_ON = text("""
    SELECT e.id, 'has_' || u.kind AS code, u.label FROM engagements e JOIN client_uses u ON u.client_id = e.client_id
    WHERE e.id = ANY (:ids) AND u.live
      AND (u.kind = 'job' AND u.engagement_id = e.id OR u.kind = 'invoice' AND u.id > CAST(:import AS uuid))
    ORDER BY u.kind DESC""")


def take_back(uow: Uow, rows: Sequence[ImportRow], reason: str) -> None:
    """Undoes these rows: what others have built on is named and kept."""
    if not rows:
        return
    held = _held(uow, {row.subject_id for row in rows if row.subject_id}, lock=True)
    built_on = {
        id: (code, label)
        for id, code, label in uow.session.execute(_BUILT_ON, {"ids": list(held), "import": rows[0].import_id})
    }
    gone: list[Engagement] = []
    for row in rows:
        engagement = held.get(row.subject_id) if row.subject_id else None
        if engagement is None:
            row.outcome = UNDONE
        elif row.outcome == NEW and engagement.id in built_on:
            code, label = built_on[engagement.id]
            keep(row, code, f"“{engagement.title}” has {code.removeprefix('has_')} “{label}” since.")
        elif engagement.version != row.subject_version:
            keep(row, "changed_since", f"“{engagement.title}” was changed since.")
        elif row.outcome == NEW:
            gone.append(engagement)
            row.outcome = UNDONE
        else:
            _give_back(uow, engagement, row.before or {}, reason)
            row.outcome = UNDONE
    _remove(uow, gone, reason)


def _give_back(uow: Uow, engagement: Engagement, before: Mapping[str, Any], reason: str) -> None:
    for name in _KEPT:
        setattr(engagement, name, before[name])
    for name in _DAYS:
        setattr(engagement, name, before[name] and date.fromisoformat(before[name]))
    for name in _NUMBERS:
        setattr(engagement, name, before[name] and Decimal(before[name]))
    engagement.people.clear()
    uow.session.flush()
    engagement.people.extend(
        EngagementPerson(id=new_id(), job_role=job_role, staff_id=UUID(staff_id))
        for job_role, staff_id in before["people"]
    )
    engagement.updated_at = uow.now
    uow.session.flush()
    uow.announce(engagement_changed(engagement), subject=engagement.id, version=engagement.version)
    uow.audit("engagement.change_undone", "engagement", engagement.id, after={"title": engagement.title}, reason=reason)


def _remove(uow: Uow, gone: Sequence[Engagement], reason: str) -> None:
    if not gone:
        return
    ids = [engagement.id for engagement in gone]
    for engagement in gone:
        uow.announce(engagement_removed(engagement), subject=engagement.id, version=engagement.version + 1)
        uow.session.expunge(engagement)
    told = delete(Entry).where(
        Entry.firm_id == uow.firm_id,
        Entry.client_id.in_({engagement.client_id for engagement in gone}),
        Entry.subject_id.in_(ids),
    )
    uow.session.execute(told)
    people = delete(EngagementPerson).where(
        EngagementPerson.firm_id == uow.firm_id, EngagementPerson.engagement_id.in_(ids)
    )
    uow.session.execute(people)
    uow.session.execute(delete(Engagement).where(Engagement.firm_id == uow.firm_id, Engagement.id.in_(ids)))
    said = ((one.id, {"title": one.title, "client_id": str(one.client_id)}, None) for one in gone)
    trail.audit_all(uow, "engagement.removed", "engagement", said, reason)
