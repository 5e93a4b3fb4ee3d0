"""What invoices ask of arrangements: what a cap leaves, what a void invoice no longer bills, what a final bill has drawn on."""

from collections.abc import Collection, Sequence
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select, text, update

from chassis.errors import Conflict
from chassis.uow import Uow
from timebilling.arrangements import rules
from timebilling.arrangements.tables import Arrangement, ArrangementBill, Milestone
from timebilling.invoices import lines as parts
from timebilling.invoices import rules as invoice_rules
from timebilling.invoices.tables import Invoice, InvoiceLine
from timebilling.money import ZERO


def cap(uow: Uow, invoice: Invoice, lines: Sequence[InvoiceLine]) -> None:
    """Prices the lines of capped engagements at what is left under their caps; says so as the reason."""
    for found, mine in _capped(uow, invoice, lines):
        assert found.amount is not None
        left = rules.cap_left(found.amount, _under_cap(uow, found, invoice.id))
        if sum((x.amount for x in mine), ZERO) > left:
            parts.price(
                mine, left, f"Fee cap of {found.currency} {found.amount}", invoice.currency, invoice.tax_inclusive
            )


def check_caps(uow: Uow, invoice: Invoice, lines: Sequence[InvoiceLine]) -> None:
    """Errors: `fee_cap_exceeded` (409)."""
    for found, mine in _capped(uow, invoice, lines):
        assert found.amount is not None
        left = rules.cap_left(found.amount, _under_cap(uow, found, invoice.id, issued=True))
        if sum((x.taxable for x in mine), ZERO) > left:
            raise Conflict(
                "fee_cap_exceeded", f"{found.title} is capped: {left} {found.currency} are left of {found.amount}."
            )


def release(uow: Uow, line_ids: Collection[UUID]) -> None:
    """Lines that are void, or credited in full, bill their arrangements no more."""
    uow.session.execute(
        update(ArrangementBill)
        .where(ArrangementBill.firm_id == uow.firm_id, ArrangementBill.line_id.in_(line_ids))
        .values(live=False)
    )


def check_drawn(uow: Uow, invoice: Invoice) -> None:
    """What a final bill has drawn on stays. Errors: `progress_drawn` (409)."""
    final = uow.session.execute(
        text(
            "SELECT i.number FROM arrangement_bills b JOIN arrangement_bills f ON f.firm_id = b.firm_id AND f.arrangement_id = b.arrangement_id "
            "AND f.kind = 'final' AND f.live AND f.invoice_id <> b.invoice_id JOIN invoices i ON i.firm_id = f.firm_id AND i.id = f.invoice_id "
            "WHERE b.firm_id = :firm AND b.invoice_id = :invoice AND b.live LIMIT 1"
        ),
        {"firm": uow.firm_id, "invoice": invoice.id},
    ).first()
    if final is not None:
        raise Conflict(
            "progress_drawn",
            f"The final bill {final.number or '(a draft)'} counts on this one. Correct that one first.",
        )


def bills(uow: Uow, arrangement_id: UUID) -> list[ArrangementBill]:
    return list(
        uow.session.scalars(
            select(ArrangementBill)
            .where(
                ArrangementBill.firm_id == uow.firm_id,
                ArrangementBill.arrangement_id == arrangement_id,
                ArrangementBill.live,
            )
            .order_by(ArrangementBill.id)
        )
    )


def milestones(uow: Uow, arrangement_id: UUID) -> list[Milestone]:
    return list(
        uow.session.scalars(
            select(Milestone)
            .where(Milestone.firm_id == uow.firm_id, Milestone.arrangement_id == arrangement_id)
            .order_by(Milestone.id)
        )
    )


def _capped(uow: Uow, invoice: Invoice, lines: Sequence[InvoiceLine]) -> list[tuple[Arrangement, list[InvoiceLine]]]:
    """Capped engagements on a draft, locked in the order of their ids, each with its lines."""
    ids = {x.arrangement_id for x in lines if x.arrangement_id and x.kind == invoice_rules.WORK}
    if not ids:
        return []
    found = uow.session.scalars(
        select(Arrangement)
        .where(
            Arrangement.firm_id == uow.firm_id,
            Arrangement.id.in_(ids),
            Arrangement.kind == rules.CAPPED,
            Arrangement.amount.is_not(None),
            Arrangement.currency == invoice.currency,
        )
        .order_by(Arrangement.id)
        .with_for_update()
    ).all()
    return [(a, [x for x in lines if x.arrangement_id == a.id and x.kind == invoice_rules.WORK]) for a in found]


def _under_cap(uow: Uow, of: Arrangement, but: UUID, *, issued: bool = False) -> Decimal:
    """What invoices (and drafts, unless only the issued count) but this one bill of a capped engagement's time, less what was credited."""
    total: Decimal = uow.session.execute(
        text(
            "SELECT coalesce(sum(l.net - l.discount_share - l.credited), 0) FROM invoice_lines l "
            "JOIN invoices i ON i.firm_id = l.firm_id AND i.id = l.invoice_id AND i.state = ANY(:states) AND i.kind = 'invoice' "
            "WHERE l.firm_id = :firm AND l.arrangement_id = :id AND l.kind = 'work' AND l.invoice_id <> :but"
        ),
        {"firm": uow.firm_id, "id": of.id, "but": but, "states": ["issued"] if issued else ["issued", "draft"]},
    ).scalar_one()
    return total
