"""The invoice as a PDF/A-3b, made by the worker from frozen facts, and kept in documents."""

import hashlib
import logging
import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import typst

from chassis.uow import Uow
from praxis.documents.v1.documents_pb2 import GeneratedFile, StoreGeneratedRequest
from timebilling import money
from timebilling.invoices import queries, rules
from timebilling.invoices.tables import Invoice, InvoiceLine
from timebilling.invoices.usecases import announce
from timebilling.taxes.usecases import plain

log = logging.getLogger(__name__)

TEMPLATE = Path(__file__).with_name("invoice.typ")
# Inter first; what it lacks is set in Noto: Greek, Cyrillic, Arabic, Chinese, Japanese, Korean. A glyph no font has would break PDF/A.
FONT_PACKAGES = ("fontpkg_inter", "fontpkg_noto_sans", "fontpkg_noto_sans_arabic", "manimgx_fonts_cjk")
ACCENT = "#0f766e"
CHUNK = 256 * 1024
LETTER = frozenset({"US", "CA", "MX", "PH"})

LABELS = {
    "en": {
        "invoice": "Invoice", "number": "Number", "date": "Date", "due": "Due", "client": "Client", "description": "Description",
        "hours": "Hours", "tax": "Tax", "amount": "Amount", "net": "Total before tax", "total": "Total due", "page": "Page",
        "terms": "Please pay {total} by {due}, quoting {number}.", "of": "{label} on {taxable}",
    },
    "de": {
        "invoice": "Rechnung", "number": "Nummer", "date": "Datum", "due": "Fällig", "client": "Mandant", "description": "Leistung",
        "hours": "Stunden", "tax": "Steuer", "amount": "Betrag", "net": "Summe netto", "total": "Gesamtbetrag", "page": "Seite",
        "terms": "Bitte zahlen Sie {total} bis {due} unter Angabe von {number}.", "of": "{label} auf {taxable}",
    },
    "fr": {
        "invoice": "Facture", "number": "Numéro", "date": "Date", "due": "Échéance", "client": "Client", "description": "Prestation",
        "hours": "Heures", "tax": "TVA", "amount": "Montant", "net": "Total HT", "total": "Total à payer", "page": "Page",
        "terms": "Merci de régler {total} avant le {due} en rappelant {number}.", "of": "{label} sur {taxable}",
    },
}  # fmt: skip


def render_invoice(uow: Uow, invoice_id: str) -> None:
    """Makes the PDF of an issued invoice, has documents keep it, and tells who it is. Run again it stores nothing twice."""
    invoice = uow.get(Invoice, invoice_id, lock=True)
    if invoice.document_id is not None or invoice.state == rules.DRAFT:
        return
    content = render(facts(invoice, queries.lines_of(uow, invoice)))
    answer = uow.ask(
        "documents", "StoreGenerated", _parts(invoice, content), timeout=30.0, key=f"invoice-pdf:{invoice.id}"
    )
    invoice.document_id = UUID(answer.document.document_id)
    uow.session.flush()
    announce(uow, invoice)
    uow.audit(
        "invoice.rendered", "invoice", invoice.id, after={"document_id": str(invoice.document_id), "size": len(content)}
    )


def _parts(invoice: Invoice, content: bytes) -> Iterator[StoreGeneratedRequest]:
    yield StoreGeneratedRequest(
        file=GeneratedFile(
            kind="invoice",
            client_id=str(invoice.client_id),
            name=f"{invoice.number}.pdf",
            media_type="application/pdf",
            visibility="client_view",
            sha256=hashlib.sha256(content).hexdigest(),
            size=len(content),
            reference_id=str(invoice.id),
        )
    )
    for start in range(0, len(content), CHUNK):
        yield StoreGeneratedRequest(chunk=content[start : start + CHUNK])


def render(data: dict[str, Any]) -> bytes:
    """The PDF of an invoice's facts, for archives (PDF/A-3b). The same facts give the same bytes.

    Text in a script that none of the fonts has can't be archived: such an invoice is a plain PDF, so that it still goes out.
    """
    try:
        return _compile(data, ["a-3b"])
    except typst.TypstError as error:
        log.warning("invoice_not_archival", extra={"title": data["title"], "reason": str(error)})
        return _compile(data, [])


def _compile(data: dict[str, Any], standards: list[Any]) -> bytes:
    made = typst.compile(
        TEMPLATE,
        font_paths=_fonts(),
        ignore_system_fonts=True,
        format="pdf",
        pdf_standards=standards,
        sys_inputs={"data": orjson.dumps(data).decode()},
        timestamp=data["timestamp"],
    )
    assert isinstance(made, bytes)
    return made


@cache
def _fonts() -> typst.Fonts:
    """The fonts of the packages this service depends on; read once per process, and the same on every machine."""
    folders = [str(files(package)) for package in FONT_PACKAGES]
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)


def facts(invoice: Invoice, lines: list[InvoiceLine]) -> dict[str, Any]:
    """What the template shows of an issued invoice: text, ready to be set."""
    assert invoice.frozen is not None
    assert invoice.issued_on is not None
    assert invoice.due_on is not None
    assert invoice.issued_at is not None
    seller, buyer, currency = invoice.frozen["seller"], invoice.frozen["buyer"], invoice.currency
    language = invoice.frozen["language"].partition("-")[0].lower()
    language = language if language in LABELS else "en"
    labels = LABELS[language]
    total, due = f"{currency} {amount(invoice.total, currency)}", day(invoice.due_on)
    return {
        "title": f"{labels['invoice']} {invoice.number}",
        "language": language,
        "paper": "us-letter" if seller["country"] in LETTER else "a4",
        "date": {"year": invoice.issued_on.year, "month": invoice.issued_on.month, "day": invoice.issued_on.day},
        "timestamp": int(invoice.issued_at.timestamp()),
        "labels": {"page": labels["page"]},
        "seller": seller
        | {"accent": seller["accent"] if re.fullmatch(r"#[0-9a-fA-F]{6}", seller["accent"]) else ACCENT},
        "buyer": {"name": buyer["name"], "address": _address(buyer["address"]), "tax_label": buyer["tax_label"]},
        "facts": [
            [labels["number"], invoice.number],
            [labels["date"], day(invoice.issued_on)],
            [labels["due"], due],
            *([[labels["client"], buyer["number"]]] if buyer["number"] else []),
        ],
        "note": invoice.note,
        "columns": [labels["description"], labels["hours"], labels["tax"], f"{labels['amount']} ({currency})"],
        "lines": [[x.description, f"{x.quantity}", _percent(x), amount(x.net, currency)] for x in lines],
        "sums": [
            [labels["net"], amount(invoice.net, currency)],
            *(
                [
                    labels["of"].format(label=t["label"], taxable=amount(Decimal(t["taxable"]["amount"]), currency)),
                    _tax(t, currency),
                ]
                for t in invoice.taxes
                if t["category"] != "O" or t["legal_text"]
            ),
        ],
        "total": [labels["total"], total],
        "legal": list(dict.fromkeys(t["legal_text"] for t in invoice.taxes if t["legal_text"])),
        "terms": labels["terms"].format(total=total, due=due, number=invoice.number),
    }


def amount(value: Decimal, currency: str) -> str:
    """1,234.50 for GBP; 1,235 for JPY."""
    return f"{money.rounded(value, currency):,}"


def day(value: Any) -> str:
    """An unambiguous day in every language: 2026-04-01."""
    return str(value)


def _tax(total: dict[str, Any], currency: str) -> str:
    return amount(Decimal(total["tax"]["amount"]), currency)


def _percent(line: InvoiceLine) -> str:
    return f"{plain(line.tax_percent)} %" if line.tax_code_id else "–"


def _address(address: dict[str, str]) -> list[str]:
    """Postal lines from the parts that are there."""
    place = " ".join(p for p in (address.get("postcode"), address.get("city")) if p)
    lines = [address.get("line1"), address.get("line2"), place, address.get("region"), address.get("country")]
    return [x for x in lines if x]
