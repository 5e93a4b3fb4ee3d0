"""What becomes of WIP: opened by approval, written up and down, carried, reserved by drafts, billed, returned, written off.

Each step leaves movements behind.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select, text

from chassis.db import new_id
from chassis.errors import Conflict, DomainError, Invalid, NotFound
from chassis.uow import Uow
from timebilling import money
from timebilling.bulk import each
from timebilling.copies.tables import StaffCopy
from timebilling.copies.usecases import firm, today
from timebilling.disbursements.queries import event as disbursement_event
from timebilling.invoices.rules import refusal_to_draft
from timebilling.time_entries.queries import event
from timebilling.wip import rules
from timebilling.wip.tables import AdjustmentLimit

_MOVE = """
INSERT INTO wip_movements (firm_id, id, item_id, job_id, currency, kind, amount, invoice_id, reason, actor, at)
SELECT m.firm_id, uuidv7(), m.id, m.job_id, m.currency, f.kind, f.amount, m.invoice_id, m.reason, :actor, :at FROM moved m,
LATERAL (VALUES ('standard', m.standard), ('billed', m.billed), ('written_down', m.written_down), ('written_up', m.written_up),
                ('written_off', m.written_off)) AS f (kind, amount)
WHERE f.amount <> 0"""

# An item is opened by approval; one whose approval was taken back is opened again.
_OPENED = """WITH moved AS (
        INSERT INTO wip_items AS w (firm_id, id, kind, client_id, job_id, staff_id, activity_id, day, seconds, billable_seconds, currency, standard,
            billed, written_down, written_up, written_off, remaining, state)
        SELECT s.firm_id, s.id, '{kind}', s.client_id, s.job_id, s.staff_id, {own}, s.currency, v.standard, 0, 0, 0, 0, v.standard, 'unbilled'
        FROM unnest(CAST(:ids AS uuid[]), CAST(:standards AS numeric[])) AS v (id, standard)
        JOIN {table} s ON s.firm_id = :firm AND s.id = v.id ORDER BY s.id
        ON CONFLICT (firm_id, id) DO UPDATE SET client_id = excluded.client_id, job_id = excluded.job_id, staff_id = excluded.staff_id,
            activity_id = excluded.activity_id, day = excluded.day, seconds = excluded.seconds, billable_seconds = excluded.billable_seconds,
            currency = excluded.currency, standard = excluded.standard, remaining = excluded.remaining, state = excluded.state
        WHERE w.state = 'withdrawn'
        RETURNING w.firm_id, w.id, w.job_id, w.currency, w.standard, 0 AS billed, 0 AS written_down, 0 AS written_up, 0 AS written_off,
                  w.invoice_id, CAST(NULL AS text) AS reason)"""
_OPEN = {
    rules.TIME: text(
        _OPENED.format(kind=rules.TIME, table="time_entries", own="s.activity_id, s.day, s.seconds, s.billable_seconds")
        + _MOVE
    ),
    rules.DISBURSEMENT: text(
        _OPENED.format(kind=rules.DISBURSEMENT, table="disbursements", own="NULL, s.day, 0, 0") + _MOVE
    ),
}
# rules.billed_at for every item of an invoice; a movement says by how much a figure went up or down. Whoever holds the draft holds what
# is reserved on it, so the items need no lock of their own first.
_BILLED = text(
    f"""WITH placed AS MATERIALIZED (
        SELECT x.item_id, x.billed, l.reason FROM invoice_items x JOIN invoice_lines l ON l.firm_id = x.firm_id AND l.id = x.line_id
        WHERE x.firm_id = :firm AND x.invoice_id = :invoice AND x.live ORDER BY x.item_id
    ), moved AS (
        UPDATE wip_items w SET state = 'billed', billed = p.billed, written_down = greatest(w.standard - p.billed, 0),
               written_up = greatest(p.billed - w.standard, 0), remaining = 0, carried_until = NULL, carry_reason = NULL
        FROM placed p WHERE w.firm_id = :firm AND w.id = p.item_id
        RETURNING w.firm_id, w.id, w.job_id, w.currency, 0 AS standard, new.billed, new.written_down - old.written_down AS written_down,
                  new.written_up - old.written_up AS written_up, 0 AS written_off, new.invoice_id, p.reason)
    {_MOVE}"""
)
# Back to the value it was drafted at.
_RETURNED = text(
    f"""WITH was AS (
        SELECT w.*, coalesce(x.standard, w.standard) AS carried FROM wip_items w
        LEFT JOIN invoice_items x ON x.firm_id = w.firm_id AND x.item_id = w.id AND x.invoice_id = w.invoice_id AND x.live
        WHERE w.firm_id = :firm AND w.invoice_id = :invoice ORDER BY w.id FOR UPDATE OF w
    ), moved AS (
        UPDATE wip_items w SET state = 'unbilled', billed = 0, written_down = greatest(w.standard - was.carried, 0),
               written_up = greatest(was.carried - w.standard, 0), remaining = was.carried, invoice_id = NULL
        FROM was WHERE w.firm_id = was.firm_id AND w.id = was.id
        RETURNING w.firm_id, w.id, w.job_id, w.currency, 0 AS standard, -was.billed AS billed, w.written_down - was.written_down AS written_down,
                  w.written_up - was.written_up AS written_up, 0 AS written_off, was.invoice_id, CAST(:reason AS text) AS reason)
    {_MOVE}"""
)
_WRITTEN_OFF = text(
    f"""WITH moved AS (
        UPDATE wip_items SET state = 'written_off', written_off = remaining, remaining = 0, carried_until = NULL, carry_reason = NULL
        WHERE firm_id = :firm AND id = ANY(:ids)
        RETURNING firm_id, id, job_id, currency, 0 AS standard, 0 AS billed, 0 AS written_down, 0 AS written_up, written_off,
                  CAST(NULL AS uuid) AS invoice_id, CAST(:reason AS text) AS reason)
    {_MOVE}"""
)
# rules.adjusted: from now on carried at another value.
_ADJUSTED = text(
    f"""WITH was AS (
        SELECT w.firm_id, w.id, w.written_down, w.written_up, v.remaining FROM wip_items w
        JOIN unnest(CAST(:ids AS uuid[]), CAST(:amounts AS numeric[])) AS v (id, remaining) ON v.id = w.id WHERE w.firm_id = :firm
    ), moved AS (
        UPDATE wip_items w SET written_down = greatest(w.standard - was.remaining, 0), written_up = greatest(was.remaining - w.standard, 0),
               remaining = was.remaining
        FROM was WHERE w.firm_id = was.firm_id AND w.id = was.id
        RETURNING w.firm_id, w.id, w.job_id, w.currency, 0 AS standard, 0 AS billed, w.written_down - was.written_down AS written_down,
                  w.written_up - was.written_up AS written_up, 0 AS written_off, w.invoice_id, CAST(:reason AS text) AS reason)
    {_MOVE}"""
)
# Another standard value for items that are carried at theirs (another rate), or none at all (their approval was taken back).
_REVALUED = text(
    f"""WITH was AS (
        SELECT w.firm_id, w.id, w.standard AS before, v.standard FROM wip_items w
        JOIN unnest(CAST(:ids AS uuid[]), CAST(:standards AS numeric[])) AS v (id, standard) ON v.id = w.id
        WHERE w.firm_id = :firm AND w.state = 'unbilled'
    ), moved AS (
        UPDATE wip_items w SET standard = was.standard, remaining = was.standard, state = CAST(:state AS text),
               carried_until = CASE CAST(:state AS text) WHEN 'unbilled' THEN w.carried_until END,
               carry_reason = CASE CAST(:state AS text) WHEN 'unbilled' THEN w.carry_reason END
        FROM was WHERE w.firm_id = was.firm_id AND w.id = was.id
        RETURNING w.firm_id, w.id, w.job_id, w.currency, w.standard - was.before AS standard, 0 AS billed, 0 AS written_down, 0 AS written_up,
                  0 AS written_off, w.invoice_id, CAST(:reason AS text) AS reason)
    {_MOVE}"""
)
# What billing makes of an entry is news to those who keep copies of it.
_COUNT_UP = text(
    "UPDATE time_entries SET version = version + 1 WHERE firm_id = :firm AND id = ANY(:ids) "
    "RETURNING id, staff_id, client_id, job_id, task_id, day, seconds, billable, version"
)
_COUNT_UP_DISBURSEMENTS = text(
    "UPDATE disbursements SET version = version + 1 WHERE firm_id = :firm AND id = ANY(:ids) "
    "RETURNING id, staff_id, client_id, job_id, day, billable, version"
)


def open_items(uow: Uow, kind: str, standards: Mapping[UUID, Decimal]) -> None:
    """What approval has made billable becomes an item of its standard value; its entry or disbursement is written already."""
    if standards:
        values = {"ids": list(standards), "standards": list(standards.values())}
        uow.session.execute(_OPEN[kind], {**_act(uow), **values})


def hold(uow: Uow, ids: Sequence[UUID]) -> dict[UUID, Row[Any]]:
    """The items of these entries or disbursements that may be seen, locked to the end of the transaction, in the order of their ids."""
    rows = uow.session.execute(
        text(
            "SELECT w.id, w.kind, w.state, w.job_id, w.standard, w.remaining, w.currency, w.carried_until FROM wip_items w "
            "JOIN client_copy c ON c.firm_id = w.firm_id AND c.id = w.client_id "
            "WHERE w.firm_id = :firm AND w.id = ANY(:ids) AND w.state <> 'withdrawn' ORDER BY w.id FOR UPDATE OF w"
        ),
        {"firm": uow.firm_id, "ids": list(ids)},
    )
    return {r.id: r for r in rows}


def unbilled_time(uow: Uow, filters: Mapping[str, Any], after: UUID | None, limit: int) -> list[UUID]:
    """The ids of unbilled time that may be seen, of a client, job, person or days; those after an id, in the order of ids."""
    columns = {
        "client_id": "w.client_id =",
        "job_id": "w.job_id =",
        "staff_id": "w.staff_id =",
        "day_from": "w.day >=",
        "day_to": "w.day <=",
    }
    conditions = [f"AND {columns[n]} :{n}" for n in filters] + (["AND w.id > :after"] if after else [])
    sql = f"""SELECT w.id FROM wip_items w JOIN client_copy c ON c.firm_id = w.firm_id AND c.id = w.client_id
        WHERE w.firm_id = :firm AND w.state = 'unbilled' AND w.kind = 'time' {" ".join(conditions)} ORDER BY w.id LIMIT :limit"""
    return list(uow.session.scalars(text(sql), {"firm": uow.firm_id, "after": after, "limit": limit, **filters}))


def refusal_to_touch(item: Row[Any] | None) -> DomainError | None:
    return None if item is None else rules.refusal_to_touch(item.state, item.remaining, item.standard)


def withdraw(uow: Uow, ids: Sequence[UUID], reason: str) -> None:
    """The approval of these was taken back: their items are worth nothing until they are approved again."""
    _revalue(uow, dict.fromkeys(ids, money.ZERO), rules.WITHDRAWN, reason)


def revalue(uow: Uow, standards: Mapping[UUID, Decimal], reason: str) -> None:
    """Unbilled items get another standard value: they were rated anew."""
    _revalue(uow, standards, rules.UNBILLED, reason)


def _revalue(uow: Uow, standards: Mapping[UUID, Decimal], state: str, reason: str) -> None:
    if standards:
        values = {"ids": list(standards), "standards": list(standards.values()), "state": state, "reason": reason}
        uow.session.execute(_REVALUED, {**_act(uow), **values})


def bill(uow: Uow, invoice_id: UUID) -> None:
    """Everything reserved on an invoice is billed at what its lines say."""
    uow.session.execute(_BILLED, {**_act(uow), "invoice": invoice_id})
    _announce(uow, _items_of(uow, invoice_id), "billed")


def give_back(uow: Uow, invoice_id: UUID, reason: str | None) -> None:
    """Everything on an invoice is unbilled again: its draft is dropped, or it is void."""
    ids = _items_of(uow, invoice_id)
    billed = uow.session.execute(
        text("SELECT state = 'billed' FROM wip_items WHERE firm_id = :firm AND invoice_id = :invoice LIMIT 1"),
        {"firm": uow.firm_id, "invoice": invoice_id},
    ).scalar()
    uow.session.execute(_RETURNED, {**_act(uow), "invoice": invoice_id, "reason": reason})
    if billed:
        _announce(uow, ids, "approved")


def write_off(uow: Uow, ids: Sequence[UUID], reason: str) -> dict[str, Any]:
    """Gives up what remains of unbilled items. Answers per item: `entry_reserved`, `entry_billed`, `entry_written_off` (409),
    `wip_item_not_found` (404). Errors: `adjustment_over_limit` (403).
    """
    found = hold(uow, ids)
    done, answer = each(ids, found, _only_open, _missing)
    for currency in {i.currency for i in done}:
        check_limit(uow, [(i, i.remaining) for i in done if i.currency == currency], currency)
    gone = [i.id for i in done]
    uow.session.execute(_WRITTEN_OFF, {**_act(uow), "ids": gone, "reason": reason})
    _announce(uow, gone, "written_off")
    for id in gone:
        uow.audit("wip.written_off", "wip_item", id, reason=reason)
    return answer


def adjust(uow: Uow, ids: Sequence[UUID], amount: dict[str, Any], reason: str, preview: bool = False) -> dict[str, Any]:
    """Values unbilled items at a fixed amount together: written down, or up, each by its share. All or nothing.

    In proportion to standard values, largest remainder; evenly where they have none. Errors: `entry_reserved`, `entry_billed`,
    `entry_written_off` (409), `wip_item_not_found` (404), `mixed_currencies`, `currency_mismatch`, `amount_precision`,
    `amount_negative` (422), `adjustment_over_limit` (403).
    """
    found = hold(uow, ids)
    items = []
    for place, id in enumerate(dict.fromkeys(ids)):
        item = found.get(id)
        refused = _missing() if item is None else _refusal(item.state)
        if refused is not None:
            raise type(refused)(refused.code, refused.message, pointer=f"/ids/{place}")
        items.append(item)
    currencies = {i.currency for i in items if i is not None}
    if len(currencies) > 1:
        raise Invalid(
            "mixed_currencies", f"This work is in {', '.join(sorted(currencies))}. Value one currency at a time."
        )
    currency = str(currencies.pop())
    total, _ = money.parse(amount, pointer="/amount", currency=currency)
    rows = sorted((i for i in items if i is not None), key=lambda i: i.id)
    targets = rules.allocate(total, [r.standard for r in rows], currency)
    check_limit(uow, [(r, r.remaining - t) for t, r in zip(targets, rows, strict=True)], currency)
    if not preview:
        values = {"ids": [r.id for r in rows], "amounts": targets, "reason": reason}
        uow.session.execute(_ADJUSTED, {**_act(uow), **values})
        for row, target in zip(rows, targets, strict=True):
            uow.audit(
                "wip.adjusted",
                "wip_item",
                row.id,
                before={"remaining": str(row.remaining)},
                after={"remaining": str(target)},
                reason=reason,
            )
    figures = [rules.adjusted(r.standard, t) for r, t in zip(rows, targets, strict=True)]
    return {
        "items": [
            {
                "id": row.id,
                "standard": money.view(row.standard, currency),
                "before": money.view(row.remaining, currency),
                "remaining": money.view(f.remaining, currency),
            }
            for row, f in zip(rows, figures, strict=True)
        ],
        "standard": money.view(sum((f.standard for f in figures), money.ZERO), currency),
        "written_down": money.view(sum((f.written_down for f in figures), money.ZERO), currency),
        "written_up": money.view(sum((f.written_up for f in figures), money.ZERO), currency),
        "remaining": money.view(total, currency),
    }


def carry(uow: Uow, ids: Sequence[UUID], until: date | None, reason: str | None) -> dict[str, Any]:
    """Leaves unbilled items out of drafts up to and including a day (None: no longer). Answers per item, as `write_off`.

    Errors: `carry_reason_missing` (422), `carry_day_past` (422).
    """
    if until is not None and until < today(uow):
        raise Invalid("carry_day_past", "Carry to a day that is still to come.", pointer="/until")
    if until is not None and not reason:
        raise Invalid("carry_reason_missing", "Say why this is not billed now.", pointer="/reason")
    found = hold(uow, ids)
    done, answer = each(ids, found, _only_open, _missing)
    uow.session.execute(
        text(
            "UPDATE wip_items SET carried_until = :until, carry_reason = :reason WHERE firm_id = :firm AND id = ANY(:ids)"
        ),
        {
            "firm": uow.firm_id,
            "ids": [i.id for i in done],
            "until": until,
            "reason": reason if until is not None else None,
        },
    )
    for item in done:
        uow.audit(
            "wip.carried",
            "wip_item",
            item.id,
            before={"carried_until": item.carried_until},
            after={"carried_until": until},
            reason=reason,
        )
    return answer


def limits(uow: Uow) -> list[AdjustmentLimit]:
    return list(uow.session.scalars(select(AdjustmentLimit).order_by(AdjustmentLimit.role, AdjustmentLimit.currency)))


def set_limits(uow: Uow, wanted: Sequence[dict[str, Any]]) -> list[AdjustmentLimit]:
    """What each role may write up, down or off at once, all of them said anew. Errors: `currency_unknown`, `amount_precision`,
    `amount_negative`, `limit_twice` (422).
    """
    uow.session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(CAST(:firm AS text), 7237004))"), {"firm": uow.firm_id}
    )
    before = limits(uow)
    made: dict[tuple[str, str], AdjustmentLimit] = {}
    for place, one in enumerate(wanted):
        amount, currency = money.parse(one["limit"], pointer=f"/limits/{place}/limit")
        if (one["role"], currency) in made:
            raise Invalid(
                "limit_twice", f"The limit of {one['role']} in {currency} is said twice.", pointer=f"/limits/{place}"
            )
        made[one["role"], currency] = AdjustmentLimit(role=one["role"], currency=currency, amount=amount)
    uow.audit(
        "limits.set",
        "settings",
        uow.firm_id,
        before={"limits": [limit_view(x) for x in before]},
        after={"limits": [limit_view(x) for x in made.values()]},
    )
    for row in before:
        uow.session.delete(row)
    uow.session.flush()
    uow.session.add_all(made.values())
    uow.session.flush()
    return limits(uow)


def limit_view(row: AdjustmentLimit) -> dict[str, Any]:
    return {"role": row.role, "limit": money.view(row.amount, row.currency)}


# What a person has taken off each item of these jobs since an instant (put on it: negative), in a currency.
_TAKEN_OFF = text(
    """SELECT job_id, item_id, sum(CASE kind WHEN 'written_up' THEN -amount ELSE amount END) AS amount FROM wip_movements
    WHERE firm_id = :firm AND actor = :actor AND job_id = ANY(:jobs) AND at >= :since AND currency = :currency
      AND invoice_id IS NULL AND kind <> 'standard' GROUP BY 1, 2"""
)


def check_limit(uow: Uow, changes: Sequence[tuple[Row[Any], Decimal]], currency: str) -> None:
    """Whether a person may take this off these items (put it on: negative): together, and with what they did to the same job this month.

    Errors: `adjustment_over_limit` (403). Partner systems have no roles: their scope decides.
    """
    limit = limit_of(uow, currency)
    if limit is None:
        return
    refused = rules.over_limit(sum((abs(c) for _, c in changes), money.ZERO), limit, currency)
    if refused is not None:
        raise refused
    # One act of a person after the other: of two at once each would count without the other.
    key = f"{uow.firm_id}|{uow.principal.actor}"
    uow.session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 7237006))"), {"key": key})
    day = today(uow).replace(day=1)
    since = datetime.combine(day, time(), ZoneInfo(firm(uow).time_zone))
    values = {"jobs": list({item.job_id for item, _ in changes}), "since": since, "currency": currency}
    net: dict[UUID, dict[UUID, Decimal]] = {}
    for row in uow.session.execute(_TAKEN_OFF, {**_act(uow), **values}):
        net.setdefault(row.job_id, {})[row.item_id] = row.amount
    for item, change in changes:
        of_job = net.setdefault(item.job_id, {})
        of_job[item.id] = of_job.get(item.id, money.ZERO) + change
    for of_job in net.values():
        refused = rules.over_limit(sum((abs(a) for a in of_job.values()), money.ZERO), limit, currency, of_month=True)
        if refused is not None:
            raise refused


def limit_of(uow: Uow, currency: str) -> Decimal | None:
    """How much the caller may write up, down or off; None: any amount."""
    if uow.principal.kind != "staff":
        return None
    person = uow.session.get(StaffCopy, (uow.firm_id, uow.principal.uuid))
    known = {(x.role, x.currency): x.amount for x in limits(uow)}
    return rules.limit_of(person.roles if person else (), known, currency)


def _act(uow: Uow) -> dict[str, Any]:
    return {"firm": uow.firm_id, "at": uow.now, "actor": uow.principal.actor}


def _only_open(item: Row[Any]) -> None:
    refused = _refusal(item.state)
    if refused is not None:
        raise refused


def _refusal(state: str) -> DomainError | None:
    refused = refusal_to_draft("approved", True, state)
    return Conflict(*refused) if refused else None


def _missing() -> NotFound:
    return NotFound("wip_item_not_found", "There is no such WIP item.")


def _items_of(uow: Uow, invoice_id: UUID) -> list[UUID]:
    return list(
        uow.session.execute(
            text("SELECT id FROM wip_items WHERE firm_id = :firm AND invoice_id = :invoice ORDER BY id"),
            {"firm": uow.firm_id, "invoice": invoice_id},
        ).scalars()
    )


# Of more than this at once the worker tells, a chunk at a time: who bills a thousand entries does not wait for a thousand events.
TELL_AT_ONCE, TELL_LATER = 100, 500
_STATES = text("SELECT id, state FROM wip_items WHERE firm_id = :firm AND id = ANY(:ids)")
_SAID = {rules.BILLED: "billed", rules.WRITTEN_OFF: "written_off"}


def _announce(uow: Uow, ids: Sequence[UUID], status: str) -> None:
    if len(ids) <= TELL_AT_ONCE:
        _tell(uow, ids, status)
        return
    for start in range(0, len(ids), TELL_LATER):
        uow.later("tell_of_work", new_id(), ids=[str(i) for i in ids[start : start + TELL_LATER]])


def tell_of_work(uow: Uow, ids: Sequence[str]) -> None:
    """In the worker: what has become of entries and disbursements, as it now is, to whoever keeps copies of them."""
    states: dict[str, list[UUID]] = {}
    for row in uow.session.execute(_STATES, {"firm": uow.firm_id, "ids": [UUID(i) for i in ids]}):
        if row.state != rules.WITHDRAWN:  # taking an approval back has announced that itself
            states.setdefault(_SAID.get(row.state, "approved"), []).append(row.id)
    for status, mine in states.items():
        _tell(uow, mine, status)


def _tell(uow: Uow, ids: Sequence[UUID], status: str) -> None:
    values = {"firm": uow.firm_id, "ids": list(ids)}
    for row in uow.session.execute(_COUNT_UP, values):
        uow.announce(event(row, status, row.version), subject=row.id, version=row.version)
    for row in uow.session.execute(_COUNT_UP_DISBURSEMENTS, values):
        uow.announce(disbursement_event(row, status, row.version), subject=row.id, version=row.version)
