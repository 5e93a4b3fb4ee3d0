"""Posting to the ledger."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select

from chassis.uow import Uow
from timebilling.ledger import rules
from timebilling.ledger.rules import Entry
from timebilling.ledger.tables import LedgerEntry, LedgerPosting


def post(
    uow: Uow,
    kind: str,
    entries: Sequence[Entry],
    *,
    posted_on: date,
    currency: str,
    client_id: UUID,
    invoice_id: UUID | None = None,
    payment_id: UUID | None = None,
    reverses_id: UUID | None = None,
) -> None:
    """One money event as a posting. An event of nothing (an invoice over zero) posts nothing."""
    if not entries:
        return
    posting = uow.add(
        LedgerPosting(
            kind=kind,
            posted_on=posted_on,
            currency=currency,
            client_id=client_id,
            invoice_id=invoice_id,
            payment_id=payment_id,
            reverses_id=reverses_id,
            at=uow.now,
        )
    )
    uow.session.add_all(
        [LedgerEntry(posting_id=posting.id, account=e.account, debit=e.debit, credit=e.credit) for e in entries]
    )
    uow.session.flush()


def reverse_issue(uow: Uow, invoice_id: UUID, posted_on: date) -> None:
    """Posts the opposite of an invoice's issue, linked to it."""
    posting = uow.session.scalars(
        select(LedgerPosting).where(LedgerPosting.invoice_id == invoice_id, LedgerPosting.kind == "invoice_issued")
    ).first()
    if posting is None:
        return
    rows = uow.session.scalars(select(LedgerEntry).where(LedgerEntry.posting_id == posting.id)).all()
    post(
        uow,
        "invoice_voided",
        rules.reversed_([Entry(r.account, r.debit, r.credit) for r in rows]),
        posted_on=posted_on,
        currency=posting.currency,
        client_id=posting.client_id,
        invoice_id=invoice_id,
        reverses_id=posting.id,
    )
