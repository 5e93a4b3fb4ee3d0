"""Importing time: rows matched to people, jobs and activities; a dry run says what would happen; undo takes it back."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from chassis import paging
from chassis.errors import Conflict, DomainError, NotFound
from chassis.uow import Uow
from timebilling.bulk import answered, summed
from timebilling.copies.usecases import today
from timebilling.firm_settings.usecases import hold_lock_date, override_lock
from timebilling.imports import rules
from timebilling.imports.rules import Row, Wrong
from timebilling.imports.tables import ImportedEntry, TimeImport
from timebilling.time_entries import queries
from timebilling.time_entries import rules as time
from timebilling.time_entries import usecases as entries
from timebilling.time_entries.tables import TimeEntry
from timebilling.work import check_period

SHOWN_ERRORS = 500


def run(uow: Uow, body: dict[str, Any]) -> dict[str, Any]:
    """Imports the good rows of a file as drafts; says of each other why not. `dry_run` changes nothing.

    A row that was imported before is a duplicate and passed over. People, jobs (by "client / project") and activities are found by their
    names here, or as `people`, `jobs` and `activities` say. Per row: `person_unmatched`, `job_unmatched`, `job_ambiguous`,
    `period_locked`, `day_out_of_range`, and those of `rules.read`.
    """
    source = body["source"]
    rows, wrong = rules.read(source, body["csv"], body.get("date_order"))
    total = len(rows) + len(wrong)
    uow.session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(CAST(:firm AS text), 7237006))"), {"firm": uow.firm_id}
    )
    known = set(
        uow.session.scalars(
            select(ImportedEntry.source_key).where(
                ImportedEntry.source == source, ImportedEntry.source_key.in_([r.key for r in rows])
            )
        )
    )
    fresh = [r for r in rows if r.key not in known]
    ready, unmatched = _matched(uow, fresh, body, wrong)
    done = TimeImport(
        source=source,
        rows=total,
        imported=len(ready),
        duplicates=len(rows) - len(fresh),
        refused=len(wrong),
        created_at=uow.now,
        created_by=uow.principal.actor,
    )
    if not body.get("dry_run", False) and ready:
        _keep(uow, done, ready, body.get("lock_override_reason"))
    return {
        "id": done.id if done.id and not body.get("dry_run", False) else None,
        **{n: getattr(done, n) for n in ("source", "rows", "imported", "duplicates", "refused")},
        "unmatched": unmatched,
        "errors": [
            {"line": w.line, "column": w.column, "code": w.code, "message": w.message}
            for w in sorted(wrong, key=lambda w: w.line)[:SHOWN_ERRORS]
        ],
    }


def undo(uow: Uow, import_id: UUID) -> dict[str, Any]:
    """Deletes what an import logged, but what has since been changed, submitted or locked. Answers per entry.

    Errors: `time_import_not_found` (404), `import_undone` (409). Per entry: `entry_changed`, `entry_approved`, `period_locked`.
    """
    found = uow.get(TimeImport, import_id, lock=True)
    if found.undone_at is not None:
        raise Conflict("import_undone", "This import was undone already.")
    settings = hold_lock_date(uow)
    sources = {s.id: s for s in uow.session.scalars(select(ImportedEntry).where(ImportedEntry.import_id == found.id))}
    loaded = entries.load(uow, list(sources))
    items = []
    for id, source in sources.items():
        try:
            if id not in loaded:
                gone = uow.session.get(TimeEntry, (uow.firm_id, id)) is None
                if not gone:
                    raise entries.not_found()
            else:
                _undo_one(uow, loaded[id].TimeEntry, settings)
            uow.session.delete(source)
            items.append(answered(id, None))
        except DomainError as refused:
            items.append(answered(id, refused))
    uow.session.flush()
    answer = summed(items)
    found.undone_at = uow.now if not answer["failed"] else None
    uow.session.flush()
    uow.audit("time.import_undone", "time_import", found.id, after={"done": answer["done"], "failed": answer["failed"]})
    return answer


def _undo_one(uow: Uow, entry: TimeEntry, settings: Any) -> None:
    check_period(entry.day, settings, False)
    if entry.status != time.DRAFT or entry.version != 1:
        raise Conflict("entry_changed", "This was changed or handed in since it was imported, and is kept.")
    uow.session.delete(entry)
    uow.announce(queries.event(entry, "deleted", 2), subject=entry.id, version=2)


def listed(uow: Uow, limit: int, cursor: str | None) -> dict[str, Any]:
    after, values = paging.keyset(["id"], cursor, descending=True)
    rows = uow.session.execute(
        text(f"SELECT * FROM time_imports WHERE firm_id = :firm {after} ORDER BY id DESC LIMIT :limit"),
        {"firm": uow.firm_id, "limit": limit + 1, **values},
    ).mappings()
    names = ("id", "source", "rows", "imported", "duplicates", "refused", "created_at", "undone_at")
    return paging.page([{n: r[n] for n in names} for r in rows], limit, lambda r: (r["id"],))


# --- matching ---------------------------------------------------------------------------------------------------------


def _matched(
    uow: Uow, rows: Sequence[Row], body: dict[str, Any], wrong: list[Wrong]
) -> tuple[list[tuple[Row, TimeEntry]], dict[str, list[str]]]:
    """Each row as an entry, and the names nobody here goes by; what can't be matched is added to `wrong`."""
    people = _named(_said(body, "people"), _people(uow), "people")
    jobs, clients = _jobs(uow, rows, _said(body, "jobs"))
    activities = _named(_said(body, "activities"), _activities(uow), "activities")
    settings = hold_lock_date(uow)
    overridden = override_lock(uow, body.get("lock_override_reason"))
    now = today(uow)
    ready = []
    unmatched: dict[str, dict[str, None]] = {"people": {}, "jobs": {}}
    for row in rows:
        name = f"{row.client} / {row.project}"
        staff, found = people.get(row.person.casefold(), []), jobs.get(name.casefold(), [])
        try:
            if len(staff) != 1:
                unmatched["people"][row.person] = None
                raise Conflict(
                    "person_unmatched", f"Nobody, or more than one, is called {row.person!r} here.", pointer="person"
                )
            if len(found) != 1:
                unmatched["jobs"][name] = None
                code = "job_ambiguous" if found else "job_unmatched"
                raise Conflict(code, f"{len(found) or 'No'} jobs are called {name!r} here.", pointer="project")
            time.check_day(row.day, now)
            check_period(row.day, settings, overridden)
        except DomainError as refused:
            wrong.append(Wrong(row.line, (refused.pointer or "day").lstrip("/"), refused.code, refused.message))
            continue
        activity = activities.get(row.activity.casefold(), [None])[0] if row.activity else None
        notes = row.notes if activity or not row.activity else f"{row.activity}: {row.notes}".removesuffix(": ")
        entry = TimeEntry(
            staff_id=staff[0],
            client_id=clients[found[0]],
            job_id=found[0],
            activity_id=activity,
            day=row.day,
            seconds=row.seconds,
            billable=True if row.billable is None else row.billable,
            narrative=notes[:2000],
            status=time.DRAFT,
            created_at=uow.now,
        )
        ready.append((row, entry))
    return ready, {kind: sorted(names) for kind, names in unmatched.items()}


def _keep(uow: Uow, done: TimeImport, ready: Sequence[tuple[Row, TimeEntry]], reason: str | None) -> None:
    uow.add(done)
    uow.session.add_all([entry for _, entry in ready])
    uow.session.flush()
    uow.session.add_all(
        [
            ImportedEntry(id=entry.id, import_id=done.id, source=done.source, source_key=row.key, line=row.line)
            for row, entry in ready
        ]
    )
    uow.session.flush()
    for _, entry in ready:
        entries.announce(uow, entry)
    facts = {n: getattr(done, n) for n in ("source", "rows", "imported", "duplicates", "refused")}
    uow.audit(
        "time.imported",
        "time_import",
        done.id,
        after=facts | {"entries": [str(entry.id) for _, entry in ready]},
        reason=reason,
    )


def _said(body: dict[str, Any], kind: str) -> dict[str, str]:
    return {one["name"]: one["id"] for one in body.get(kind, [])}


def _named(said: Mapping[str, str], known: Sequence[tuple[str, UUID]], kind: str) -> dict[str, list[UUID]]:
    """Who or what goes by a name: as the caller says, else by the name here."""
    found: dict[str, list[UUID]] = {}
    for name, id in known:
        found.setdefault(name.casefold(), []).append(id)
    ids = {id for _, id in known}
    for name, text_id in said.items():
        if UUID(text_id) not in ids:
            raise NotFound("mapping_unknown", f"What {name!r} is to stand for is not there.", pointer=f"/{kind}")
        found[name.casefold()] = [UUID(text_id)]
    return found


def _people(uow: Uow) -> list[tuple[str, UUID]]:
    rows = uow.session.execute(text("SELECT name, id FROM staff_copy WHERE firm_id = :f"), {"f": uow.firm_id})
    return [(r.name, r.id) for r in rows]


def _activities(uow: Uow) -> list[tuple[str, UUID]]:
    rows = uow.session.execute(
        text("SELECT name, id FROM activities WHERE firm_id = :f AND active"), {"f": uow.firm_id}
    )
    return [(r.name, r.id) for r in rows]


def _jobs(uow: Uow, rows: Sequence[Row], said: Mapping[str, str]) -> tuple[dict[str, list[UUID]], dict[UUID, UUID]]:
    """Jobs that may be seen by "client / title" and as the caller says, and each one's client."""
    wanted = {
        "firm": uow.firm_id,
        "clients": sorted({r.client.lower() for r in rows}),
        "ids": [UUID(i) for i in said.values()],
    }
    found: dict[str, list[UUID]] = {}
    clients: dict[UUID, UUID] = {}
    for row in uow.session.execute(
        text(
            "SELECT j.id, j.title, c.id AS client_id, c.name FROM job_copy j "
            "JOIN client_copy c ON c.firm_id = j.firm_id AND c.id = j.client_id "
            "WHERE j.firm_id = :firm AND (lower(c.name) = ANY(:clients) OR j.id = ANY(:ids))"
        ),
        wanted,
    ):
        found.setdefault(f"{row.name} / {row.title}".casefold(), []).append(row.id)
        clients[row.id] = row.client_id
    for name, id in said.items():
        if UUID(id) not in clients:
            raise NotFound("mapping_unknown", f"The job that {name!r} is to stand for is not there.", pointer="/jobs")
        found[name.casefold()] = [UUID(id)]
    return found, clients
