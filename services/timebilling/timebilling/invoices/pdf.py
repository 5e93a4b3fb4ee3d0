"""The invoice as a PDF/A-3b, made by the worker from frozen facts, and kept in documents."""

import hashlib
import logging
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import segno
import typst
from pypdf import PdfReader

from chassis.errors import NotFound
from chassis.uow import Uow
from praxis.documents.v1.documents_pb2 import GeneratedFile, ReadPictureRequest, StoreGeneratedRequest
from timebilling import money
from timebilling.einvoices import formats
from timebilling.einvoices import rules as einvoice
from timebilling.einvoices.formats import Refused
from timebilling.einvoices.rules import Broken
from timebilling.invoices import queries, rules
from timebilling.invoices.tables import Invoice, InvoiceLine
from timebilling.invoices.usecases import announce
from timebilling.made_files import progress
from timebilling.made_files.progress import Tell

log = logging.getLogger(__name__)

TEMPLATE = Path(__file__).with_name("invoice.typ")
# Inter first; what it lacks is set in Noto: Greek, Cyrillic, Arabic, Chinese, Japanese, Korean. A glyph no font has would break PDF/A.
FONT_PACKAGES = (
    "fontpkg_inter",
    "fontpkg_noto_sans",
    "fontpkg_noto_sans_arabic",
    "fontpkg_heebo",
    "fontpkg_hind_siliguri",
    "fontpkg_noto_sans_devanagari",
    "fontpkg_noto_sans_khmer",
    "fontpkg_noto_sans_tamil",
    "fontpkg_noto_sans_telugu",
    "fontpkg_noto_sans_thai",
    "manimgx_fonts_cjk",
)
ACCENT = "#0f766e"
CHUNK = 256 * 1024
LETTER = frozenset({"US", "CA", "MX", "PH"})
CREDIT_NOTE, HOURS = "381", "HUR"

# How a language groups thousands and marks decimals.
SEPARATORS = {"en": (",", "."), "de": (".", ","), "fr": ("\u00a0", ","), "es": (".", ",")}
LABELS = {
    "en": {
        "invoice": "Invoice", "credit_note": "Credit note", "number": "Number", "date": "Date", "due": "Due", "client": "Client", "order": "Order",
        "your_reference": "Your reference", "corrects": "Corrects", "period": "Period", "description": "Description", "hours": "Hours", "quantity": "Quantity",
        "tax": "Tax", "amount": "Amount", "lines": "Sum of lines", "discount": "Discount", "net": "Total before tax", "rounding": "Rounding",
        "total": "Total due", "credited": "Total credited", "page": "Page", "terms": "Please pay {total} by {due}, quoting {number}.",
        "of": "{label} on {taxable}", "scan": "Scan to pay with your banking app", "exchange": "Tax in {currency} at {rate}: {tax}",
        "vat_id": "VAT no.", "tax_number": "Tax no.", "registration": "Registration", "statement": "Statement of account", "balance": "Balance",
        "opening": "Brought forward", "closing": "To pay", "credit": "In your favour",
    },
    "de": {
        "invoice": "Rechnung", "credit_note": "Rechnungskorrektur", "number": "Nummer", "date": "Datum", "due": "Fällig", "client": "Mandant", "order": "Bestellung",
        "your_reference": "Ihr Zeichen", "corrects": "Zu Rechnung", "period": "Zeitraum", "description": "Leistung", "hours": "Stunden", "quantity": "Menge",
        "tax": "Steuer", "amount": "Betrag", "lines": "Summe der Positionen", "discount": "Nachlass", "net": "Summe netto", "rounding": "Rundung",
        "total": "Gesamtbetrag", "credited": "Gutschriftsbetrag", "page": "Seite", "terms": "Bitte zahlen Sie {total} bis {due} unter Angabe von {number}.",
        "of": "{label} auf {taxable}", "scan": "Zum Zahlen mit der Banking-App scannen", "exchange": "Steuer in {currency} zum Kurs {rate}: {tax}",
        "vat_id": "USt-IdNr.", "tax_number": "Steuernummer", "registration": "Register", "statement": "Kontoauszug", "balance": "Saldo",
        "opening": "Übertrag", "closing": "Zu zahlen", "credit": "Zu Ihren Gunsten",
    },
    "fr": {
        "invoice": "Facture", "credit_note": "Avoir", "number": "Numéro", "date": "Date", "due": "Échéance", "client": "Client", "order": "Commande",
        "your_reference": "Votre référence", "corrects": "Facture d’origine", "period": "Période", "description": "Prestation", "hours": "Heures", "quantity": "Quantité",
        "tax": "TVA", "amount": "Montant", "lines": "Somme des lignes", "discount": "Remise", "net": "Total HT", "rounding": "Arrondi",
        "total": "Total à payer", "credited": "Total de l’avoir", "page": "Page", "terms": "Merci de régler {total} avant le {due} en rappelant {number}.",
        "of": "{label} sur {taxable}", "scan": "Scannez pour payer avec votre application bancaire", "exchange": "TVA en {currency} au taux de {rate} : {tax}",
        "vat_id": "N° TVA", "tax_number": "N° fiscal", "registration": "Immatriculation", "statement": "Relevé de compte", "balance": "Solde",
        "opening": "Report", "closing": "À payer", "credit": "En votre faveur",
    },
    "es": {
        "invoice": "Factura", "credit_note": "Factura rectificativa", "number": "Número", "date": "Fecha", "due": "Vencimiento", "client": "Cliente", "order": "Pedido",
        "your_reference": "Su referencia", "corrects": "Factura original", "period": "Periodo", "description": "Concepto", "hours": "Horas", "quantity": "Cantidad",
        "tax": "IVA", "amount": "Importe", "lines": "Suma de líneas", "discount": "Descuento", "net": "Base imponible", "rounding": "Redondeo",
        "total": "Total a pagar", "credited": "Total abonado", "page": "Página", "terms": "Rogamos abonen {total} antes del {due} indicando {number}.",
        "of": "{label} sobre {taxable}", "scan": "Escanee para pagar con la app de su banco", "exchange": "IVA en {currency} al cambio de {rate}: {tax}",
        "vat_id": "NIF-IVA", "tax_number": "NIF", "registration": "Registro", "statement": "Extracto de cuenta", "balance": "Saldo",
        "opening": "Saldo anterior", "closing": "A pagar", "credit": "A su favor",
    },
}  # fmt: skip


def render_invoice(uow: Uow, invoice_id: str) -> None:
    """Makes the PDF of an issued invoice, has documents keep it, and tells who it is. Run again it stores nothing twice."""
    invoice = uow.get(Invoice, invoice_id, lock=True)
    if invoice.document_id is not None or invoice.state == rules.DRAFT:
        return
    assert invoice.frozen is not None
    lines = queries.lines_of(uow, invoice)
    with progress.told(uow, invoice.id) as tell:
        content, refused = made(invoice, lines, logo(uow, invoice.frozen["seller"]), tell)
        tell("storing")
        answer = uow.ask(
            "documents", "StoreGenerated", _parts(invoice, content), timeout=30.0, key=f"invoice-pdf:{invoice.id}"
        )
        invoice.document_id = UUID(answer.document.document_id)
        uow.session.flush()
        tell("kept")
    announce(uow, invoice)
    rendered = {
        "document_id": str(invoice.document_id),
        "size": len(content),
        "e_invoice": "refused" if refused else "embedded",
    }
    if refused:
        rendered["rules"] = [b.rule for b in refused]
    uow.audit("invoice.rendered", "invoice", invoice.id, after=rendered)


def logo(uow: Uow, seller: dict[str, Any]) -> bytes:
    """The picture that stands on the firm's paper, as documents keep it; nothing where there is none."""
    if not seller.get("logo_id"):
        return b""
    try:
        return bytes(
            uow.ask("documents", "ReadPicture", ReadPictureRequest(picture_id=seller["logo_id"]), timeout=10.0).content
        )
    except NotFound:
        return b""


def made(
    invoice: Invoice, lines: list[InvoiceLine], logo: bytes = b"", tell: Tell = progress.nobody
) -> tuple[bytes, list[Broken]]:
    """The PDF with the electronic invoice inside (Factur-X, ZUGFeRD); and, where that would break rules, the PDF alone and which.

    A firm that has told neither its country nor a tax number still bills: on paper's terms.
    """
    data = facts(invoice, lines)
    tell("composing", lines=len(lines))
    content = render(data, logo)
    tell("proving", pages=pages_of(content))
    try:
        xml = formats.cii(einvoice.terms(invoice, lines))
    except Refused as error:
        return content, error.broken
    assert invoice.issued_at is not None
    return formats.embedded(
        content,
        xml,
        title=data["title"],
        author=data["seller"]["name"],
        language=data["language"],
        at=invoice.issued_at,
    ), []


def pages_of(pdf: bytes) -> int:
    return len(PdfReader(BytesIO(pdf)).pages)


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


def render(data: dict[str, Any], logo: bytes = b"") -> bytes:
    """The PDF of an invoice's facts, for archives (PDF/A-3b). The same facts give the same bytes.

    Text in a script that none of the fonts has can't be archived: such an invoice is a plain PDF, so that it still goes out.
    """
    try:
        return _compile(data, logo, ["a-3b"])
    except typst.TypstError as error:
        log.warning("invoice_not_archival", extra={"title": data["title"], "reason": str(error)})
        return _compile(data, logo, [])


def _compile(data: dict[str, Any], logo: bytes, standards: list[Any]) -> bytes:
    made = typst.compile(
        TEMPLATE,
        font_paths=_fonts(),
        ignore_system_fonts=True,
        format="pdf",
        pdf_standards=standards,
        sys_inputs={"data": orjson.dumps(data | {"logo": list(logo)}).decode()},
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
    """What the template shows of an issued invoice or credit note: text, ready to be set."""
    assert invoice.frozen is not None
    assert invoice.issued_on is not None
    assert invoice.issued_at is not None
    frozen, currency = invoice.frozen, invoice.currency
    language = language_of(frozen["language"])
    labels = LABELS[language]
    credit_note = frozen.get("document_type") == CREDIT_NOTE
    total = f"{currency} {amount(invoice.total, currency, language)}"
    return {
        **frame(frozen["seller"], frozen["buyer"], language, invoice.issued_on, int(invoice.issued_at.timestamp())),
        "title": f"{labels['credit_note' if credit_note else 'invoice']} {invoice.number}",
        "facts": _facts(invoice, frozen, labels, credit_note),
        "note": "\n".join(x for x in (invoice.reason, invoice.note) if x),
        "columns": [
            labels["description"],
            labels["hours"] if all((x.unit or HOURS) == HOURS for x in lines) else labels["quantity"],
            labels["tax"],
            f"{labels['amount']} ({currency})",
        ],
        "lines": [
            [x.description, quantity(x.quantity, language), _percent(x), amount(x.net, currency, language)]
            for x in lines
        ],
        "sums": _sums(invoice, labels, language),
        "total": [labels["credited" if credit_note else "total"], total],
        "legal": _legal(invoice, frozen, labels, language),
        "terms": ""
        if credit_note or invoice.due_on is None
        else labels["terms"].format(total=total, due=day(invoice.due_on), number=invoice.number),
        "code": "" if credit_note else payment_code(frozen["seller"], invoice.total, currency, invoice.number or ""),
        "scan": labels["scan"],
    }


def frame(seller: dict[str, Any], buyer: dict[str, Any], language: str, on: date, timestamp: int) -> dict[str, Any]:
    """What all our papers share: paper, sender, receiver."""
    labels = LABELS[language]
    own = [
        seller.get("legal_name") if seller.get("legal_name") != seller["name"] else "",
        *(f"{labels[x]} {seller[x]}" for x in ("vat_id", "tax_number", "registration") if seller.get(x)),
        f"IBAN {seller['iban']}" if seller.get("iban") else "",
        f"BIC {seller['bic']}" if seller.get("bic") else "",
    ]
    address = seller["address"] or "\n".join(_address(seller))
    return {
        "language": language,
        "paper": "us-letter" if seller["country"] in LETTER else "a4",
        "date": {"year": on.year, "month": on.month, "day": on.day},
        "timestamp": timestamp,
        "labels": {"page": labels["page"]},
        "seller": {
            "name": seller["name"],
            "address": address,
            "footer": "\n".join(x for x in (seller["footer"], " · ".join(x for x in own if x)) if x),
            "accent": seller["accent"] if re.fullmatch(r"#[0-9a-fA-F]{6}", seller["accent"]) else ACCENT,
        },
        "buyer": {
            "name": buyer.get("legal_name") or buyer["name"],
            "address": _address(buyer["address"]),
            "tax_label": f"{labels['vat_id']} {buyer['vat_id']}" if buyer.get("vat_id") else buyer["tax_label"],
        },
    }


def language_of(wanted: str) -> str:
    """The language of ours that is nearest: de for de-AT, en for what we don't have."""
    language = wanted.partition("-")[0].lower()
    return language if language in LABELS else "en"


def _facts(
    invoice: Invoice, frozen: dict[str, Any], labels: dict[str, str], credit_note: bool
) -> list[list[str | None]]:
    buyer, period, corrects = frozen["buyer"], frozen.get("period"), frozen.get("corrects")
    known: list[tuple[str, str | None]] = [
        ("number", invoice.number),
        ("date", day(invoice.issued_on)),
        ("corrects", f"{corrects['number']} ({corrects['issued_on']})" if corrects else ""),
        ("due", "" if credit_note or invoice.due_on is None else day(invoice.due_on)),
        ("period", f"{period['from']} – {period['to']}" if period else ""),
        ("client", buyer["number"]),
        ("your_reference", buyer.get("reference")),
        ("order", frozen.get("order_reference")),
    ]
    return [[labels[name], value] for name, value in known if value]


def _sums(invoice: Invoice, labels: dict[str, str], language: str) -> list[list[str]]:
    def shown(value: Decimal) -> str:
        return amount(value, invoice.currency, language)

    sums = []
    if invoice.discount:
        sums += [[labels["lines"], shown(invoice.lines_net)], [labels["discount"], shown(-invoice.discount)]]
    sums.append([labels["net"], shown(invoice.net)])
    for total in invoice.taxes:
        if total["category"] != "O" or total["legal_text"]:
            label = labels["of"].format(label=total["label"], taxable=shown(Decimal(total["taxable"]["amount"])))
            sums.append([label, shown(Decimal(total["tax"]["amount"]))])
    if invoice.rounding:
        sums.append([labels["rounding"], shown(invoice.rounding)])
    return sums


def _legal(invoice: Invoice, frozen: dict[str, Any], labels: dict[str, str], language: str) -> list[str]:
    """Why there is no tax, and what the tax is in the currency it is accounted for."""
    texts = list(dict.fromkeys(t["legal_text"] for t in invoice.taxes if t["legal_text"]))
    exchange = frozen.get("exchange")
    if exchange and invoice.tax:
        own = exchange["currency"]
        tax = exchange["tax"]["amount"] if isinstance(exchange["tax"], dict) else exchange["tax"]
        texts.append(
            labels["exchange"].format(
                currency=own, rate=money.plain(Decimal(exchange["rate"])), tax=amount(Decimal(tax), own, language)
            )
        )
    return texts


def payment_code(seller: dict[str, Any], total: Decimal, currency: str, number: str) -> str:
    """The code that European banking apps read, as SVG; empty where it can't be used.

    Source: EPC069-12 v3.0, version 002: euros only, 0.01 to 999,999,999.99, at most QR version 13, error correction M.
    """
    iban = str(seller.get("iban") or "").replace(" ", "")
    if currency != "EUR" or not iban or not Decimal("0.01") <= total <= Decimal("999999999.99"):
        return ""
    holder = str(seller.get("account_holder") or seller.get("legal_name") or seller["name"])[:70]
    lines = [
        "BCD",
        "002",
        "1",
        "SCT",
        str(seller.get("bic") or ""),
        holder,
        iban,
        f"EUR{total:.2f}",
        "",
        "",
        number[:140],
    ]
    try:
        code = segno.make("\n".join(lines), error="m", encoding="utf-8", boost_error=False, micro=False)
    except segno.DataOverflowError:
        return ""
    return str(code.svg_inline(border=0)) if int(code.version) <= 13 else ""


def amount(value: Decimal, currency: str, language: str = "en") -> str:
    """1,234.50 for GBP; 1,235 for JPY; 1.234,50 in German."""
    group, mark = SEPARATORS[language]
    return f"{money.rounded(value, currency):,}".translate({ord(","): group, ord("."): mark})


def quantity(value: Decimal, language: str) -> str:
    return f"{value}".replace(".", SEPARATORS[language][1])


def day(value: Any) -> str:
    """An unambiguous day in every language: 2026-04-01."""
    return str(value)


def _percent(line: InvoiceLine) -> str:
    return f"{money.plain(line.tax_percent)} %" if line.tax_code_id else "–"


def _address(address: dict[str, str]) -> list[str]:
    """Postal lines from the parts that are there."""
    place = " ".join(p for p in (address.get("postcode"), address.get("city")) if p)
    lines = [address.get("line1"), address.get("line2"), place, address.get("region"), address.get("country")]
    return [x for x in lines if x]
