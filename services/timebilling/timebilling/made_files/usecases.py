"""Asking for a file, and making it in the worker. What breaks a rule is refused, saying which; nothing of it leaves."""

import hashlib
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from chassis.errors import Conflict, Invalid
from chassis.uow import Uow
from praxis.common.v1.types_pb2 import Money
from praxis.documents.v1.documents_pb2 import GeneratedFile, StoreGeneratedRequest
from praxis.timebilling.v1.events_pb2 import StatementSent
from timebilling import money
from timebilling.copies.usecases import client, firm
from timebilling.debtors import queries as debtors
from timebilling.debtors import rules as debtor_rules
from timebilling.einvoices import formats, ledes
from timebilling.einvoices import rules as einvoice
from timebilling.invoices import pdf
from timebilling.invoices import queries as invoices
from timebilling.invoices import usecases as invoicing
from timebilling.invoices.rules import CREDIT_NOTE
from timebilling.invoices.tables import Invoice
from timebilling.made_files import progress, queries, statement
from timebilling.made_files.tables import MadeFile

TYPES = {
    "cii": ("xml", "application/xml"),
    "ubl": ("xml", "application/xml"),
    "ledes": ("txt", "text/plain"),
    "statement": ("pdf", "application/pdf"),
}
CHUNK = 256 * 1024


def of_invoice(uow: Uow, invoice_id: UUID, kind: str) -> MadeFile:
    """Asks for an issued invoice as CII, UBL or LEDES. Errors: `invoice_not_found` (404), `invoice_not_issued`,
    `ledes_no_credit_notes` (409).
    """
    invoice = invoicing.locked(uow, invoice_id)
    if invoice.state == "draft":
        raise Conflict("invoice_not_issued", "A draft is no invoice yet. Issue it first.")
    if kind == "ledes" and invoice.kind == CREDIT_NOTE:
        raise Conflict("ledes_no_credit_notes", "LEDES 1998B knows no credit notes.")
    name = f"{invoice.number}{'' if kind == 'ledes' else '-' + kind}.{TYPES[kind][0]}"
    return _ask(uow, kind, name, client_id=invoice.client_id, invoice_id=invoice.id, currency=invoice.currency)


def of_account(uow: Uow, client_id: UUID, first: date, last: date, currency: str | None) -> MadeFile:
    """Asks for a client's statement of account as PDF. Errors: those of `debtors.queries.account`."""
    debtor_rules.check_period(first, last)
    of = client(uow, client_id)
    currency = currency or of.currency
    money.exponent(currency)
    name = f"statement-{of.number}-{last}.pdf"
    return _ask(uow, "statement", name, client_id=of.id, currency=currency, first=first, last=last)


def _ask(uow: Uow, kind: str, name: str, **of: Any) -> MadeFile:
    made = uow.add(
        MadeFile(kind=kind, name=name, state="waiting", requested_by=uow.principal.name, created_at=uow.now, **of)
    )
    uow.later("make_file", made.id, file_id=str(made.id))
    uow.audit("file.requested", "file", made.id, after={"kind": kind, "name": name})
    return made


def make(uow: Uow, file_id: str) -> None:
    """Makes a file that waits and has documents keep it. Run again it makes nothing twice."""
    file = uow.get(MadeFile, file_id, lock=True)
    if file.state != "waiting":
        return
    with progress.told(uow, file.id) as tell:
        try:
            content = _content(uow, file, tell)
        except (Invalid, Conflict) as refused:
            file.state, file.problem, file.done_at = "refused", refused.problem(), uow.now
        else:
            tell("storing")
            answer = uow.ask(
                "documents", "StoreGenerated", _parts(file, content), timeout=30.0, key=f"made-file:{file.id}"
            )
            file.state, file.document_id, file.done_at = "kept", UUID(answer.document.document_id), uow.now
        uow.session.flush()
        tell(file.state)
    uow.audit(f"file.{file.state}", "file", file.id, after={"kind": file.kind, "name": file.name})


def _content(uow: Uow, file: MadeFile, tell: progress.Tell) -> bytes:
    if file.kind == "statement":
        assert file.first is not None
        assert file.last is not None
        of, currency, opening, rows = debtors.account(uow, file.client_id, file.first, file.last, file.currency)
        tell("composing", lines=len(rows))
        seller = invoicing.seller(uow)
        language = pdf.language_of(of.language or firm(uow).language)
        made = pdf.render(
            statement.facts(seller, of, language, (file.first, file.last), currency, opening, rows, file.created_at),
            pdf.logo(uow, seller),
        )
        tell("storing", pages=pdf.pages_of(made))
        return made
    invoice = uow.get(Invoice, str(file.invoice_id))
    lines = invoices.lines_of(uow, invoice)
    tell("composing", lines=len(lines))
    if file.kind == "ledes":
        return _ledes(uow, invoice)
    tell("proving")
    make = {"cii": formats.cii, "ubl": formats.ubl}[file.kind]
    return make(einvoice.terms(invoice, lines))


def _ledes(uow: Uow, invoice: Invoice) -> bytes:
    """The invoice by LEDES 1998B: its work and expenses one by one, what else was charged, discounts, tax."""
    assert invoice.frozen is not None
    assert invoice.issued_on is not None
    items = queries.ledes_items(uow, invoice)
    billed = sum((i.total for i in items), Decimal(0))
    first = items[0] if items else None

    def whole(kind: str, total: Decimal, text: str, **more: Any) -> list[ledes.Item]:
        """A line for what concerns the whole invoice; none for nothing."""
        if not total:
            return []
        matter = (first.matter, first.client_matter) if first else (str(invoice.number), "")
        assert invoice.issued_on is not None
        return [ledes.Item(kind, *matter, Decimal(1), total, total, invoice.issued_on, text, **more)]

    items += whole("IF", invoice.net - billed, "Adjustment of fees")
    items += whole("E", invoice.tax, "Tax", expense_code=ledes.OTHER_EXPENSE)
    items += whole("IE", invoice.rounding, "Rounding")
    period = invoice.frozen.get("period")
    start, end = (date.fromisoformat(period[x]) for x in ("from", "to")) if period else (invoice.issued_on,) * 2
    seller = invoice.frozen["seller"]
    head = ledes.Head(
        invoice.issued_on,
        str(invoice.number),
        invoice.frozen["buyer"]["number"] or str(invoice.client_id)[:20],
        start,
        end,
        invoice.note or "For services rendered",
        seller.get("tax_number") or seller.get("vat_id") or seller["name"],
    )
    return ledes.write(head, items)


def _parts(file: MadeFile, content: bytes) -> Iterator[StoreGeneratedRequest]:
    yield StoreGeneratedRequest(
        file=GeneratedFile(
            kind="statement" if file.kind == "statement" else "e_invoice",
            client_id=str(file.client_id),
            name=file.name,
            media_type=TYPES[file.kind][1],
            visibility="client_view",
            sha256=hashlib.sha256(content).hexdigest(),
            size=len(content),
            reference_id=str(file.id),
        )
    )
    for start in range(0, len(content), CHUNK):
        yield StoreGeneratedRequest(chunk=content[start : start + CHUNK])


def send(uow: Uow, file: MadeFile, message: str) -> None:
    """Announces that a statement that is kept goes to the client: the portal mails whoever acts for it."""
    assert file.first is not None
    assert file.last is not None
    _, currency, opening, rows = debtors.account(uow, file.client_id, file.first, file.last, file.currency)
    closing = rows[-1].balance if rows else opening
    file.sent_at = uow.now
    uow.announce(
        StatementSent(
            file_id=str(file.id),
            client_id=str(file.client_id),
            document_id=str(file.document_id),
            first=str(file.first),
            last=str(file.last),
            balance=Money(amount=str(money.rounded(closing, currency)), currency=currency),
            message=message,
        ),
        subject=file.id,
    )
    uow.audit("file.sent", "file", file.id, after={"kind": file.kind, "name": file.name})
