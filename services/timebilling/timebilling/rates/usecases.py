"""Setting rates, and finding the one that holds for a piece of work."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import Range

from chassis.errors import Conflict, Invalid, NotFound
from chassis.uow import Uow
from timebilling import money
from timebilling.activities.tables import Activity
from timebilling.copies.tables import EngagementCopy, JobCopy, StaffCopy
from timebilling.copies.usecases import client
from timebilling.rates import queries, rules
from timebilling.rates.rules import KEYS, Rate, Work
from timebilling.rates.tables import RateRow
from timebilling.taxes.usecases import last_day

MOST_RAISED = 1000


def create(uow: Uow, body: dict[str, Any]) -> RateRow:
    """Errors: `rate_key_incomplete`, `rate_key_superfluous`, `rate_level_unknown`, `rate_ends_before_it_starts`, `currency_unknown`,
    `amount_precision` (422), `…_not_found` (404) for what the key names, `rate_overlap` (409).
    """
    first = date.fromisoformat(body["from"])
    last = date.fromisoformat(body["until"]) if body.get("until") else None
    if last is not None and last < first:
        raise Invalid("rate_ends_before_it_starts", "The last day lies before the first.", pointer="/until")
    end = None if last is None or last == date.max else last + timedelta(days=1)
    row = _new(uow, body, first, end, pointer="/rate")
    uow.audit("rate.created", "rate", row.id, after=_facts(row))
    return row


def set_many(uow: Uow, first: date, bodies: Sequence[dict[str, Any]]) -> list[RateRow]:
    """Each key's rate from a day on, up to where a later one starts. The one in force ends the day before; one that began that
    very day is replaced. Errors: those of `create`, with the place in the list.
    """
    return [_set(uow, first, body, f"/rates/{i}/rate") for i, body in enumerate(bodies)]


def _set(uow: Uow, first: date, body: dict[str, Any], pointer: str) -> RateRow:
    amount, currency = money.parse(body["rate"], pointer=pointer)
    key = rules.check_key(body["kind"], body["level"], body)
    rows = uow.session.scalars(
        select(RateRow)
        .where(RateRow.kind == body["kind"], RateRow.key == key, RateRow.currency == currency)
        .where(RateRow.valid.overlaps(Range(first, None)))
        .order_by(func.lower(RateRow.valid))
        .with_for_update()
    ).all()
    running = next((r for r in rows if _first(r) <= first), None)
    following = next((_first(r) for r in rows if _first(r) > first), None)
    if running is not None and _first(running) == first:
        before = _facts(running)
        running.amount = amount
        uow.session.flush()
        uow.audit("rate.changed", "rate", running.id, before=before, after=_facts(running))
        return running
    if running is not None:
        running.valid = Range(_first(running), first)
        uow.session.flush()
    row = _new(uow, body, first, following, pointer=pointer)
    uow.audit("rate.set", "rate", row.id, after=_facts(row))
    return row


def _new(uow: Uow, body: dict[str, Any], first: date, end: date | None, *, pointer: str) -> RateRow:
    amount, currency = money.parse(body["rate"], pointer=pointer)
    key = rules.check_key(body["kind"], body["level"], body)
    values: dict[str, Any] = {k: body.get(k) for k in KEYS}
    ids = {k: UUID(v) if v and k != "grade" else v for k, v in values.items()}
    _check_exists(uow, ids)
    return uow.add(
        RateRow(
            kind=body["kind"],
            level=body["level"],
            key=key,
            amount=amount,
            currency=currency,
            valid=Range(first, end),
            **ids,
        )
    )


def _check_exists(uow: Uow, ids: Mapping[str, Any]) -> None:
    """Nobody sets a rate for what isn't there, is another firm's, or may not be seen."""
    if ids["client_id"]:
        client(uow, ids["client_id"])
    if ids["job_id"]:
        client(uow, uow.get(JobCopy, ids["job_id"]).client_id)
    if ids["engagement_id"]:
        found = uow.session.get(EngagementCopy, (uow.firm_id, ids["engagement_id"]))
        if found is None:
            raise NotFound("engagement_not_found", "There is no such engagement.")
        client(uow, found.client_id)
    if ids["staff_id"]:
        uow.get(StaffCopy, ids["staff_id"])
    if ids["activity_id"]:
        uow.get(Activity, ids["activity_id"])


def delete(uow: Uow, rate_id: str, if_match: int | None) -> None:
    """Errors: `rate_not_found` (404), `version_conflict` (412)."""
    row = uow.get(RateRow, rate_id, lock=True, version=if_match)
    _check_exists(uow, {k: getattr(row, k) for k in KEYS})
    uow.audit("rate.deleted", "rate", row.id, before=_facts(row))
    uow.session.delete(row)


def for_work(uow: Uow, works: Iterable[Work]) -> dict[str, dict[str, list[Rate]]]:
    """All rates that could hold for any of these pieces of work, by kind and key: one question for a whole batch."""
    works = list(works)
    found: dict[str, dict[str, list[Rate]]] = {"bill": {}, "cost": {}}
    if not works:
        return found
    keys = {key for w in works for _, key in rules.candidates(w)}
    span = Range(min(w.day for w in works), max(w.day for w in works), bounds="[]")
    rows = uow.session.execute(
        select(
            RateRow.kind, RateRow.id, RateRow.level, RateRow.key, RateRow.amount, RateRow.currency, RateRow.valid
        ).where(RateRow.key.in_(keys), RateRow.valid.overlaps(span))
    )
    for kind, id, level, key, amount, currency, valid in rows:
        rate = Rate(id, level, key, amount, currency, valid.lower or date.min, last_day(valid))
        found[kind].setdefault(key, []).append(rate)
    return found


def ended(uow: Uow, work: Work, currency: str) -> Rate | None:
    """The rate that held for such work before, where none does now."""
    keys = [key for _, key in rules.candidates(work)]
    rows = uow.session.execute(
        select(RateRow.id, RateRow.level, RateRow.key, RateRow.amount, RateRow.currency, RateRow.valid).where(
            RateRow.kind == "bill", RateRow.key.in_(keys), RateRow.currency == currency
        )
    )
    found: dict[str, list[Rate]] = {}
    for id, level, key, amount, code, valid in rows:
        rate = Rate(id, level, key, amount, code, valid.lower or date.min, last_day(valid))
        found.setdefault(key, []).append(rate)
    return rules.last_ended(work, found, currency)


def raise_all(uow: Uow, body: dict[str, Any]) -> dict[str, Any]:
    """Changes all rates in force on a day by a percentage from that day on; `preview` only says what would become of each.

    Rates that begin later stay as they were set; so does what approved time froze. Errors (422): `percent_out_of_range`,
    `step_impossible`, `too_many_rates`; `rates_unchanged` (409: no rate is in force that day, or none changes).
    """
    first, percent, step = (
        date.fromisoformat(body["from"]),
        Decimal(body["percent"]),
        Decimal(body.get("round_to", "0.01")),
    )
    rules.check_raise(percent, step)
    seen = queries.in_force(uow, first, body, limit=MOST_RAISED + 1)
    if len(seen) > MOST_RAISED:
        raise Invalid(
            "too_many_rates", f"Change up to {MOST_RAISED} rates at once: choose a kind, a level or a client."
        )
    after = {r["id"]: rules.raised(r["amount"], percent, step, r["currency"]) for r in seen}
    changing = [r for r in seen if after[r["id"]] != r["amount"]]
    if not changing:
        raise Conflict("rates_unchanged", f"No rate that is in force on {first} would change.")
    if not body.get("preview", False):
        wanted = select(RateRow).where(RateRow.id.in_([r["id"] for r in changing])).order_by(RateRow.id)
        locked = {row.id: row for row in uow.session.scalars(wanted.with_for_update())}
        for one in changing:
            row = locked.get(one["id"])
            # (The driver and the mapping have a type of range each.)
            seen_span = (one["valid"].lower, one["valid"].upper)
            if row is None or row.amount != one["amount"] or (row.valid.lower, row.valid.upper) != seen_span:
                raise Conflict("rates_changed", "Somebody is changing these rates. Look at them again.")
            _raise(uow, row, first, after[row.id])
    return {
        "from": first,
        "changed": len(changing),
        "items": [
            {
                "rate_id": r["id"],
                "kind": r["kind"],
                "level": r["level"],
                "names": r["names"] or "everyone",
                "before": money.view(r["amount"], r["currency"]),
                "after": money.view(after[r["id"]], r["currency"]),
            }
            for r in changing
        ],
    }


def _raise(uow: Uow, row: RateRow, first: date, amount: Decimal) -> None:
    """One rate from a day on: changed in place if it begins that day, else ended the day before and set anew."""
    before = _facts(row)
    if _first(row) == first:
        row.amount = amount
        uow.session.flush()
        uow.audit("rate.changed", "rate", row.id, before=before, after=_facts(row))
        return
    end = row.valid.upper
    row.valid = Range(_first(row), first)
    uow.session.flush()
    values = {k: getattr(row, k) for k in ("kind", "level", "key", "currency", *KEYS)}
    new = uow.add(RateRow(amount=amount, valid=Range(first, end), **values))
    uow.audit("rate.set", "rate", new.id, before=before, after=_facts(new))


def why(
    uow: Uow, job_id: UUID, staff_id: UUID, activity_id: UUID | None, day: date, cost_currency: str
) -> dict[str, Any]:
    """What a person's work on a job would be charged and cost on a day, and each level that was looked at.

    Errors: `job_not_found`, `staff_member_not_found`, `activity_not_found` (404).
    """
    job = uow.get(JobCopy, job_id)
    currency = client(uow, job.client_id).currency
    staff = uow.get(StaffCopy, staff_id)
    if activity_id is not None:
        uow.get(Activity, activity_id)
    work = Work(day, staff_id, job_id, job.client_id, staff.grade, job.engagement_id, activity_id)
    rates = for_work(uow, [work])
    bill = rules.choose(work, rates["bill"], currency)
    levels = rules.looked_at(work, rates["bill"], currency)
    winner = next((level for level, rate in levels if rate is not None), None)
    return {
        "bill": figure(bill),
        "cost": figure(rules.choose(work, rates["cost"], cost_currency, "cost")),
        "looked_at": [
            {
                "level": level,
                "rate": money.view(rate.amount, rate.currency) if rate else None,
                "from": rate.first if rate else None,
                "chosen": level == winner,
            }
            for level, rate in levels
        ],
    }


def figure(chosen: rules.Chosen | None) -> dict[str, Any] | None:
    """A rate as a figure that says why."""
    return None if chosen is None else {"figure": money.view(chosen.amount, chosen.currency)["amount"], **chosen.rule}


def _first(row: RateRow) -> date:
    assert row.valid.lower is not None
    return row.valid.lower


def _facts(row: RateRow) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "key": row.key,
        "rate": money.view(Decimal(row.amount), row.currency),
        "from": _first(row),
        "until": last_day(row.valid),
    }


OVERLAP = Conflict(
    "rate_overlap",
    "A rate of this key is in force on some of these days already. End it first, or set the new one from a day on.",
)
