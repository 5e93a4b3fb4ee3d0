"""Where the money stands today: WIP, debtors, billed, received; by currency, without private clients of others."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text

from chassis.uow import Uow
from timebilling import money
from timebilling.copies.usecases import firm, today
from timebilling.wip import queries as wip
from timebilling.wip.rules import BUCKETS

DEBTOR_BUCKETS = ("not_due", "days_1_30", "days_31_60", "days_61_90", "days_over_90")
_SEEN = "JOIN client_copy c ON c.firm_id = x.firm_id AND c.id = x.client_id WHERE x.firm_id = :firm"
# Invoices with something still to be paid.
UNPAID = "x.state = 'issued' AND x.kind = 'invoice' AND x.paid + x.bad_debt + x.credited < x.total"
AGES = """
  sum(x.total - x.paid - x.bad_debt - x.credited) AS owed,
  sum(x.total - x.paid - x.bad_debt - x.credited) FILTER (WHERE :today <= x.due_on) AS not_due,
  sum(x.total - x.paid - x.bad_debt - x.credited) FILTER (WHERE :today - x.due_on BETWEEN 1 AND 30) AS days_1_30,
  sum(x.total - x.paid - x.bad_debt - x.credited) FILTER (WHERE :today - x.due_on BETWEEN 31 AND 60) AS days_31_60,
  sum(x.total - x.paid - x.bad_debt - x.credited) FILTER (WHERE :today - x.due_on BETWEEN 61 AND 90) AS days_61_90,
  sum(x.total - x.paid - x.bad_debt - x.credited) FILTER (WHERE :today - x.due_on > 90) AS days_over_90"""
_DEBTORS = f"""
SELECT x.currency, {AGES}
FROM invoices x {_SEEN} AND {UNPAID} GROUP BY x.currency"""
_BILLED = f"""
SELECT x.currency, sum(CASE x.kind WHEN 'credit_note' THEN -x.net ELSE x.net END) AS amount
FROM invoices x {_SEEN} AND x.state = 'issued' AND x.issued_on >= :month GROUP BY x.currency"""
# What came in this month less what went back this month.
_RECEIVED = f"""
SELECT currency, sum(amount) AS amount FROM (
  SELECT x.currency, x.amount FROM payments x {_SEEN} AND x.received_on >= :month AND x.reversed_at IS NULL
  UNION ALL
  SELECT x.currency, -r.amount FROM refunds r JOIN payments x ON x.firm_id = r.firm_id AND x.id = r.payment_id
  {_SEEN} AND r.returned_on >= :month
) moved GROUP BY currency"""

# Recurring fees whose bills can't go out by themselves as things stand.
_HELD = f"""
SELECT count(*) FROM arrangements x LEFT JOIN invoices i ON i.firm_id = x.firm_id AND i.id = (x.problem->>'invoice_id')::uuid
{_SEEN} AND x.problem IS NOT NULL AND (x.problem->>'invoice_id' IS NULL OR i.state = 'draft')"""


def overview(uow: Uow) -> dict[str, Any]:
    day = today(uow)
    month = day.replace(day=1)
    values = {"firm": uow.firm_id, "today": day, "month": month}
    work = wip.totals(uow, day)
    debtors = {r["currency"]: r for r in uow.session.execute(text(_DEBTORS), values).mappings()}
    billed = {r.currency: r.amount for r in uow.session.execute(text(_BILLED), values)}
    received = {r.currency: r.amount for r in uow.session.execute(text(_RECEIVED), values)}
    own = firm(uow).currency
    currencies = [own, *sorted({*work, *debtors, *billed, *received} - {own})]
    return {
        "today": day,
        "month_from": month,
        "bills_held": uow.session.execute(text(_HELD), values).scalar_one(),
        "currencies": [
            {
                "currency": c,
                **(work.get(c) or {"wip": money.view(0, c), "wip_ageing": {b: money.view(0, c) for b in BUCKETS}}),
                **_debtors(debtors.get(c, {}), c),
                "billed_this_month": money.view(billed.get(c, 0), c),
                "received_this_month": money.view(received.get(c, 0), c),
            }
            for c in currencies
        ],
    }


def _debtors(row: Mapping[Any, Any], currency: str) -> dict[str, Any]:
    ages = {b: money.view(row.get(b) or 0, currency) for b in DEBTOR_BUCKETS}
    return {"debtors": money.view(row.get("owed") or 0, currency), "debtors_ageing": ages}
