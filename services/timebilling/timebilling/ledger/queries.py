"""What must always hold of the ledger (`check`)."""

from collections.abc import Iterator

from sqlalchemy import text

from chassis.uow import Uow


def unbalanced(uow: Uow) -> Iterator[str]:
    """Postings whose debits and credits differ, or that have fewer than two entries."""
    rows = uow.session.execute(
        text(
            "SELECT p.id FROM ledger_postings p LEFT JOIN ledger_entries e ON e.firm_id = p.firm_id AND e.posting_id = p.id "
            "GROUP BY p.firm_id, p.id HAVING count(e.id) < 2 OR sum(e.debit) <> sum(e.credit)"
        )
    )
    for row in rows:
        yield f"posting {row.id}"


def strays(uow: Uow) -> Iterator[str]:
    """Clients whose debtors or credit in the ledger are not what their invoices and payments say."""
    rows = uow.session.execute(
        text(
            """WITH ledger AS (
                SELECT p.client_id, p.currency, sum(e.debit - e.credit) FILTER (WHERE e.account = 'debtors') AS debtors,
                       sum(e.credit - e.debit) FILTER (WHERE e.account = 'client_credit') AS credit
                FROM ledger_postings p JOIN ledger_entries e ON e.firm_id = p.firm_id AND e.posting_id = p.id GROUP BY 1, 2
            ), owed AS (SELECT client_id, currency, sum(total - paid - bad_debt - credited) AS debtors FROM invoices
                     WHERE state = 'issued' AND kind = 'invoice' GROUP BY 1, 2
            ), unapplied AS (
                SELECT client_id, currency, sum(amount - allocated - refunded) AS credit FROM payments WHERE reversed_at IS NULL GROUP BY 1, 2)
            SELECT client_id, currency FROM ledger FULL JOIN owed USING (client_id, currency) FULL JOIN unapplied USING (client_id, currency)
            WHERE coalesce(ledger.debtors, 0) <> coalesce(owed.debtors, 0) OR coalesce(ledger.credit, 0) <> coalesce(unapplied.credit, 0)"""
        )
    )
    for row in rows:
        yield f"client {row.client_id} ({row.currency})"


def lost_money(uow: Uow) -> Iterator[str]:
    """Payments whose bank entries, provider's fees apart, are not what came in less what went back (nothing, for one reversed)."""
    rows = uow.session.execute(
        text(
            """SELECT p.id FROM payments p LEFT JOIN (
                SELECT x.firm_id, x.payment_id, sum(e.debit - e.credit) AS bank FROM ledger_postings x
                JOIN ledger_entries e ON e.firm_id = x.firm_id AND e.posting_id = x.id AND e.account = 'bank'
                WHERE x.kind NOT IN ('card_fee', 'dispute_fee') GROUP BY 1, 2
            ) b ON b.firm_id = p.firm_id AND b.payment_id = p.id
            WHERE coalesce(b.bank, 0) <> CASE WHEN p.reversed_at IS NULL THEN p.amount - p.refunded ELSE 0 END"""
        )
    )
    for row in rows:
        yield f"payment {row.id}"
