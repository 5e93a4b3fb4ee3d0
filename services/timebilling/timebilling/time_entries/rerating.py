"""Choosing the rates of approved, unbilled time anew: an act of its own, never a side effect of a changed rate card."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from chassis.errors import DomainError
from chassis.uow import Uow
from timebilling import money
from timebilling.bulk import answered
from timebilling.copies.usecases import firm
from timebilling.firm_settings.usecases import hold_lock_date, override_lock
from timebilling.rates import rules as rate_rules
from timebilling.rates.usecases import for_work
from timebilling.time_entries import rules
from timebilling.time_entries.tables import TimeEntry
from timebilling.time_entries.usecases import announce, bill_rate, load, not_found, refuse, work_of
from timebilling.wip import usecases as wip
from timebilling.work import check_period

AT_ONCE = 500


def re_rate(uow: Uow, body: dict[str, Any]) -> dict[str, Any]:
    """Gives the named entries, or the unbilled ones of a client, job, person or span of days, the rates that hold for them now.

    An entry's own override stays. `preview` changes nothing. Answers per entry that changes or is refused: `entry_not_approved`,
    `entry_reserved`, `entry_billed`, `entry_written_off`, `entry_adjusted`, `period_locked`, `rate_missing`, `rate_gap` (409),
    `time_entry_not_found` (404); up to 500 at once, with a cursor to go on from.
    """
    named = "ids" in body
    ids = [UUID(i) for i in body["ids"]] if named else _unbilled(uow, body)
    more, ids = len(ids) > AT_ONCE and not named, ids[:AT_ONCE] if not named else ids
    settings = hold_lock_date(uow)
    overridden = override_lock(uow, body.get("lock_override_reason"))
    # The items first: billing locks them before the entries behind them, too.
    items = wip.hold(uow, ids)
    loaded = load(uow, ids)
    rates = for_work(uow, [work_of(row) for row in loaded.values()])
    cost_currency = firm(uow).currency
    answers: list[dict[str, Any]] = []
    standards: dict[UUID, Decimal] = {}
    changed: list[TimeEntry] = []
    for id in dict.fromkeys(ids):
        try:
            if id not in loaded:
                raise not_found()
            row = loaded[id]
            entry: TimeEntry = row.TimeEntry
            refuse(rules.refusal_to_take_back(entry.status))
            refuse(wip.refusal_to_touch(items.get(id)))
            check_period(entry.day, settings, overridden)
            answer = _one(uow, row, rates, cost_currency, standards, preview=body.get("preview", False))
        except DomainError as refused:
            answers.append(answered(id, refused) | dict.fromkeys(_FIGURES))
            continue
        if answer is not None:
            answers.append(answered(id, None) | answer)
            changed.append(entry)
    if not body.get("preview", False):
        _keep(uow, changed, answers, standards, body["reason"])
    return {
        "done": len(changed),
        "failed": len(answers) - len(changed),
        "unchanged": len(dict.fromkeys(ids)) - len(answers),
        "items": answers,
        "next_cursor": str(ids[-1]) if more else None,
    }


_FIGURES = ("rate_before", "rate_after", "value_before", "value_after", "why")


def _one(
    uow: Uow,
    row: Row[Any],
    rates: dict[str, Any],
    cost_currency: str,
    standards: dict[UUID, Decimal],
    *,
    preview: bool,
) -> dict[str, Any] | None:
    """What becomes of an entry, or None if its rates stay what they are. Errors: `rate_missing`, `rate_gap` (409)."""
    entry: TimeEntry = row.TimeEntry
    work, currency = work_of(row), str(entry.currency)
    bill = bill_rate(uow, entry, work, currency, rates["bill"])
    cost = rate_rules.choose(work, rates["cost"], cost_currency, "cost")
    before = (entry.bill_rate, entry.cost_rate, entry.cost_currency)
    after = (bill.amount if bill else None, cost.amount if cost else None, cost.currency if cost else None)
    if before == after:
        return None
    seconds = entry.billable_seconds or 0
    values = [None if r is None else rate_rules.value_of(seconds, r, currency) for r in (before[0], after[0])]
    if not preview:
        if bill is not None:
            entry.bill_rate, entry.bill_rule = bill.amount, bill.rule
            standards[entry.id] = rate_rules.value_of(seconds, bill.amount, currency)
        entry.cost_rate, entry.cost_currency, entry.cost_rule = (
            (cost.amount, cost.currency, cost.rule) if cost else (None, None, None)
        )
    shown = [None if v is None else money.view(v, currency) for v in (before[0], after[0], *values)]
    return dict(zip(_FIGURES, [*shown, bill.rule["says"] if bill else None], strict=True))


def _keep(
    uow: Uow, changed: list[TimeEntry], answers: list[dict[str, Any]], standards: dict[UUID, Decimal], reason: str
) -> None:
    uow.session.flush()
    wip.revalue(uow, standards, reason)
    figures = {a["id"]: a for a in answers}
    for entry in changed:
        announce(uow, entry)
        was, now = (
            {"rate": figures[entry.id][f"rate_{w}"], "value": figures[entry.id][f"value_{w}"]}
            for w in ("before", "after")
        )
        uow.audit("time.re_rated", "time_entry", entry.id, before=was, after=now, reason=reason)


def _unbilled(uow: Uow, body: dict[str, Any]) -> list[UUID]:
    filters: dict[str, Any] = {n: UUID(body[n]) for n in ("client_id", "job_id", "staff_id") if body.get(n)}
    filters |= {n: date.fromisoformat(body[n]) for n in ("day_from", "day_to") if body.get(n)}
    after = UUID(body["cursor"]) if body.get("cursor") else None
    return wip.unbilled_time(uow, filters, after, AT_ONCE + 1)
