"""What invoices and reminders ask of interest: which lines are interest, and up to which day it was charged."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from sqlalchemy import select, text

from chassis.uow import Uow
from timebilling.reminders.tables import InterestCharge

# A charge whose draft was dropped is gone; one that is void, or credited in full, is charged no more.
_UNTIL = text(
    """SELECT max(x.last) FROM interest_charges x
    JOIN invoice_lines l ON l.firm_id = x.firm_id AND l.id = x.line_id AND (l.credited < l.net - l.discount_share OR l.net = 0)
    JOIN invoices i ON i.firm_id = l.firm_id AND i.id = l.invoice_id AND i.state <> 'void'
    WHERE x.firm_id = :firm AND x.invoice_id = :invoice"""
)
_IS_INTEREST = text(
    """SELECT EXISTS (SELECT FROM invoice_lines l JOIN interest_charges x ON x.firm_id = l.firm_id AND x.line_id = l.id
    WHERE l.firm_id = :firm AND l.invoice_id = :invoice)"""
)


def charged_until(uow: Uow, invoice_id: UUID) -> date | None:
    """The last day for which interest on an invoice was charged."""
    found: date | None = uow.session.execute(_UNTIL, {"firm": uow.firm_id, "invoice": invoice_id}).scalar()
    return found


def is_interest(uow: Uow, invoice_id: UUID) -> bool:
    """Whether an invoice charges interest itself: there is none on it again."""
    return bool(uow.session.execute(_IS_INTEREST, {"firm": uow.firm_id, "invoice": invoice_id}).scalar())


def interest_among(uow: Uow, line_ids: Collection[UUID]) -> set[UUID]:
    """Which of these lines are interest."""
    if not line_ids:
        return set()
    wanted = (InterestCharge.firm_id == uow.firm_id, InterestCharge.line_id.in_(line_ids))
    return set(uow.session.scalars(select(InterestCharge.line_id).where(*wanted)))
