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
            ), owed AS (SELECT client_id, currency, sum(total - paid) AS debtors FROM invoices WHERE state = 'issued' GROUP BY 1, 2
            ), unapplied AS (SELECT client_id, currency, sum(amount - allocated) AS credit FROM payments GROUP BY 1, 2)
            SELECT client_id, currency FROM ledger FULL JOIN owed USING (client_id, currency) FULL JOIN unapplied USING (client_id, currency)
            WHERE coalesce(ledger.debtors, 0) <> coalesce(owed.debtors, 0) OR coalesce(ledger.credit, 0) <> coalesce(unapplied.credit, 0)"""
        )
    )
    for row in rows:
        yield f"client {row.client_id} ({row.currency})"
