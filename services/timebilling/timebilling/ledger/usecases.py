"""Posting to the ledger."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import aliased

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
) -> UUID | None:
    """One money event as a posting: its id. An event of nothing (an invoice over zero) posts nothing."""
    if not entries:
        return None
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
    return posting.id


def reverse_issue(uow: Uow, invoice_id: UUID, posted_on: date) -> None:
    """Posts the opposite of an invoice's issue, linked to it."""
    condition = (LedgerPosting.invoice_id == invoice_id) & (LedgerPosting.kind == "invoice_issued")
    for posting in uow.session.scalars(select(LedgerPosting).where(condition)).all():
        reverse(uow, posting, "invoice_voided", posted_on)


def reverse_payment(uow: Uow, payment_id: UUID, posted_on: date) -> None:
    """Posts the opposite of everything a payment ever posted, each linked to what it reverses."""
    for posting in uow.session.scalars(select(LedgerPosting).where(LedgerPosting.payment_id == payment_id)).all():
        reverse(uow, posting, "payment_reversed", posted_on)


def reverse_bad_debts(uow: Uow, invoice_id: UUID, posted_on: date) -> None:
    """Posts the opposite of what was given up of an invoice and not yet taken back."""
    again = aliased(LedgerPosting)
    found = (
        select(LedgerPosting)
        .outerjoin(again, (again.firm_id == LedgerPosting.firm_id) & (again.reverses_id == LedgerPosting.id))
        .where(LedgerPosting.invoice_id == invoice_id, LedgerPosting.kind == "bad_debt", again.id.is_(None))
    )
    for posting in uow.session.scalars(found).all():
        reverse(uow, posting, "bad_debt_taken_back", posted_on)


def reverse(uow: Uow, posting: LedgerPosting, kind: str, posted_on: date) -> None:
    """The opposite of a posting, linked to it. A second one is refused by the database."""
    rows = uow.session.scalars(select(LedgerEntry).where(LedgerEntry.posting_id == posting.id)).all()
    post(
        uow,
        kind,
        rules.reversed_([Entry(r.account, r.debit, r.credit) for r in rows]),
        posted_on=posted_on,
        currency=posting.currency,
        client_id=posting.client_id,
        invoice_id=posting.invoice_id,
        payment_id=posting.payment_id,
        reverses_id=posting.id,
    )
