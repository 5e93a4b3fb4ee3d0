"""The invoice's PDF: archivable, in every script, from facts alone."""

import struct
import time
import zlib
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
import segno
from pypdf import PdfReader

from chassis.db import new_id
from timebilling.invoices import pdf
from timebilling.invoices.tables import Invoice, InvoiceLine

D = Decimal


def facts(
    name: str = "Smith Ltd", note: str = "", language: str = "en-GB", accent: str = "#0f766e", lines: int = 2
) -> dict[str, Any]:
    seller = {
        "name": "Brook & Partners",
        "accent": accent,
        "address": "1 Quay Street\nBristol",
        "footer": "Registered 01234567",
        "country": "GB",
    }
    buyer = {
        "name": name,
        "number": "C-1",
        "address": {"line1": "2 High Street", "city": "Bath", "postcode": "BA1 1AA"},
        "tax_label": "",
        "country": "GB",
    }
    tax = {
        "label": "VAT 20 %",
        "category": "S",
        "percent": "20",
        "taxable": {"amount": "2500.00", "currency": "GBP"},
        "tax": {"amount": "500.00", "currency": "GBP"},
        "legal_text": None,
    }
    invoice = Invoice(
        id=new_id(),
        client_id=new_id(),
        state="issued",
        number="INV-000042",
        currency="GBP",
        issued_on=date(2026, 11, 24),
        due_on=date(2026, 12, 8),
        issued_at=datetime(2026, 11, 24, 9, tzinfo=UTC),
        net=D("2500.00"),
        tax=D("500.00"),
        total=D("3000.00"),
        paid=D(0),
        note=note,
        taxes=[tax],
        frozen={"seller": seller, "buyer": buyer, "language": language},
    )
    made = [
        InvoiceLine(
            description=f"Review {n}", quantity=D("1.50"), net=D("1250.00"), tax_percent=D(20), tax_code_id=new_id()
        )
        for n in range(lines)
    ]
    return pdf.facts(invoice, made)


def read(content: bytes) -> tuple[str, str]:
    """Text and metadata of a PDF."""
    reader = PdfReader(BytesIO(content))
    metadata = reader.xmp_metadata
    assert metadata is not None
    return "\n".join(p.extract_text() for p in reader.pages), metadata.stream.get_data().decode()


def test_an_invoice_says_what_it_must() -> None:
    text, metadata = read(pdf.render(facts(note="Thank you.")))
    for said in (
        "INV-000042",
        "Smith Ltd",
        "BA1 1AA Bath",
        "2026-12-08",
        "1,250.00",
        "VAT 20 % on 2,500.00",
        "500.00",
        "GBP 3,000.00",
        "Thank you.",
    ):
        assert said in text
    assert "<pdfaid:part>3</pdfaid:part>" in metadata
    assert "<pdfaid:conformance>B</pdfaid:conformance>" in metadata


@pytest.mark.parametrize(
    "name",
    [
        *["王小明有限公司", "Παπαδόπουλος ΑΕ", "Иванов и партнёры", "شركة النور", "株式会社カタカナ", "한국 주식회사"],
        *["חברת האור", "बारह प्रकाश", "আলো কোম্পানি", "ஒளி நிறுவனம்", "వెలుగు సంస్థ", "บริษัท แสง", "ក្រុមហ៊ុន ពន្លឺ"],
    ],
)
def test_a_name_in_any_of_these_scripts_is_archivable(name: str) -> None:
    _, metadata = read(pdf.render(facts(name)))
    assert "<pdfaid:part>3</pdfaid:part>" in metadata


def picture(mode: str = "RGBA", size: tuple[int, int] = (60, 30)) -> bytes:
    """A PNG as the portal makes them, without a library: a diagonal, half of it clear."""
    width, height = size
    channels = len(mode)
    rows = b"".join(
        b"\0" + b"".join(bytes([122, 31, 92, 255 if x > y else 0][:channels]) for x in range(width))
        for y in range(height)
    )

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 6 if mode == "RGBA" else 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("typed", "leftmost"), [("مراجعة (Q3)", "("), ("בדיקה (Q3)", "("), ("Q3 בדיקה", "Q"), ("Review בדר", "R")]
)
def test_what_was_typed_runs_the_way_its_first_letter_does(typed: str, leftmost: str) -> None:
    data = facts()
    data["lines"][0][0] = typed
    drawn, _ = read(pdf.render(data))
    assert drawn.partition("Amount (GBP)\n")[2].startswith(leftmost)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("size", [(1200, 120), (400, 400), (40, 32)])
def test_the_logo_stands_on_the_paper_which_stays_archivable(mode: str, size: tuple[int, int]) -> None:
    content = pdf.render(facts(), picture(mode, size))
    _, metadata = read(content)
    assert "<pdfaid:part>3</pdfaid:part>" in metadata
    (page,) = PdfReader(BytesIO(content)).pages
    (shown,) = [
        x.get_object() for x in page["/Resources"]["/XObject"].values() if x.get_object()["/Subtype"] == "/Image"
    ]
    assert (shown["/Width"], shown["/Height"]) == size
    assert "<pdfaid:part>3</pdfaid:part>" in read(pdf.made(*issued(), picture(mode, size))[0])[1]


def test_a_script_no_font_has_still_goes_out() -> None:
    content = pdf.render(facts("Smith 😀 Ltd"))
    assert content.startswith(b"%PDF-")
    assert "INV-000042" in PdfReader(BytesIO(content)).pages[0].extract_text()


def test_the_same_facts_give_the_same_bytes() -> None:
    data = facts()
    assert pdf.render(data) == pdf.render(data)


def test_nothing_typed_is_read_as_markup() -> None:
    typed = '*bold* #panic("x") $x^2$ @ref <a> \\ "quote" {json} [b]'
    text, _ = read(pdf.render(facts(typed, note=typed)))
    assert text.count('#panic("x")') == 2


def test_labels_follow_the_clients_language() -> None:
    assert "Rechnung INV-000042" in read(pdf.render(facts(language="de-AT")))[0]
    assert "Invoice INV-000042" in read(pdf.render(facts(language="xx")))[0]


def test_an_impossible_accent_colour_is_replaced() -> None:
    assert facts(accent="red; drop")["seller"]["accent"] == pdf.ACCENT


def test_many_lines_flow_over_pages() -> None:
    reader = PdfReader(BytesIO(pdf.render(facts(lines=120))))
    assert len(reader.pages) > 3
    assert "Review 119" in "".join(p.extract_text() for p in reader.pages)


@pytest.mark.parametrize(
    ("value", "currency", "shown"), [("1234.5", "GBP", "1,234.50"), ("1234.5", "JPY", "1,235"), ("0", "KWD", "0.000")]
)
def test_amounts_have_the_currencys_decimals(value: str, currency: str, shown: str) -> None:
    assert pdf.amount(D(value), currency) == shown


EURO = {
    "iban": "DE02 1203 0000 0000 2020 51",
    "bic": "BYLADEM1001",
    "account_holder": "Brook & Partner",
    "name": "Brook",
    "legal_name": "",
}


def test_the_payment_code_says_who_is_paid_what_and_for_which_invoice() -> None:
    """EPC069-12: read back as a banking app would, line by line."""
    svg = pdf.payment_code(EURO, D("1234.50"), "EUR", "INV-000042")
    assert svg.startswith("<svg")
    text = "BCD\n002\n1\nSCT\nBYLADEM1001\nBrook & Partner\nDE02120300000000202051\nEUR1234.50\n\n\nINV-000042"
    assert svg == segno.make(text, error="m", encoding="utf-8", boost_error=False, micro=False).svg_inline(border=0)


@pytest.mark.parametrize(
    ("change", "total", "currency"),
    [({}, "10.00", "GBP"), ({"iban": ""}, "10.00", "EUR"), ({}, "0.00", "EUR"), ({}, "1000000000.00", "EUR")],
)
def test_there_is_no_code_where_it_could_not_be_used(change: dict[str, str], total: str, currency: str) -> None:
    assert pdf.payment_code(EURO | change, D(total), currency, "INV-1") == ""


def issued(**more: Any) -> tuple[Invoice, list[InvoiceLine]]:
    """An invoice in euros as issuing freezes it, of a firm that has told everything an electronic invoice needs."""
    seller = EURO | {
        "accent": "#123456", "address": "", "footer": "", "country": "DE", "line1": "Lindenstraße 1", "city": "Berlin", "postcode": "10969", "region": "", "line2": "",
        "vat_id": "DE136695976", "tax_number": "", "registration": "HRB 1", "contact": "", "email": "", "phone": "", "electronic_address": None,
    }  # fmt: skip
    buyer = {
        "name": "Müller GmbH",
        "number": "C-1",
        "address": {"line1": "Weg 2", "city": "Bonn", "postcode": "53113"},
        "country": "DE",
        "tax_label": "",
        "legal_name": "",
        "vat_id": "",
        "reference": "",
        "electronic_address": None,
    }
    euro = {"currency": "EUR"}
    taxes = [
        {
            "label": "USt 19 %",
            "category": "S",
            "percent": "19",
            "taxable": euro | {"amount": "1000.00"},
            "tax": euro | {"amount": "190.00"},
            "discount": euro | {"amount": "100.00"},
            "legal_text": None,
        }
    ]
    frozen = {
        "document_type": "380",
        "seller": seller,
        "buyer": buyer,
        "language": "de",
        "corrects": None,
        "period": {"from": "2026-10-01", "to": "2026-10-31"},
        "order_reference": "PO-7",
        "exchange": None,
        "tax_inclusive": False,
        "discount": {"kind": "amount", "value": "100.00", "reason": "Treue"},
    }
    invoice = Invoice(
        id=new_id(), client_id=new_id(), state="issued", number="INV-000042", currency="EUR", issued_on=date(2026, 11, 24), due_on=date(2026, 12, 8), issued_at=datetime(2026, 11, 24, 9, tzinfo=UTC),
        lines_net=D("1100.00"), discount=D("100.00"), net=D("1000.00"), tax=D("190.00"), rounding=D(0), total=D("1190.00"), paid=D(0), note="", taxes=taxes, frozen=frozen | more,
    )  # fmt: skip
    line = InvoiceLine(
        description="Beratung", quantity=D("5.50"), unit="HUR", amount=D("1100.00"), discount=D(0), net=D("1100.00"), tax_percent=D(19), tax_category="S", tax_code_id=new_id()
    )  # fmt: skip
    return invoice, [line]


def test_what_leaves_is_an_archivable_pdf_with_the_electronic_invoice_inside() -> None:
    content, refused = pdf.made(*issued())
    assert refused == []
    reader = PdfReader(BytesIO(content))
    (xml,) = reader.attachments["factur-x.xml"]
    assert b"<ram:GrandTotalAmount>1190.00" in xml
    text, metadata = read(content)
    for said in (
        "Rechnung INV-000042",
        "Nachlass",
        "-100,00",
        "1.000,00",
        "EUR 1.190,00",
        "PO-7",
        "2026-10-01 – 2026-10-31",
        "Banking-App",
        "USt-IdNr. DE136695976",
    ):
        assert said in text
    assert "<pdfaid:part>3</pdfaid:part>" in metadata
    assert "EN 16931" in metadata


def test_the_same_invoice_gives_the_same_bytes_with_the_electronic_one_inside() -> None:
    invoice, lines = issued()
    first = pdf.made(invoice, lines)
    time.sleep(1.1)  # stamps count seconds
    assert pdf.made(invoice, lines) == first


def test_a_firm_that_tells_too_little_still_bills_and_hears_which_rules_stand_against_it() -> None:
    invoice, lines = issued()
    assert invoice.frozen is not None
    invoice.frozen["seller"]["country"] = ""
    content, refused = pdf.made(invoice, lines)
    assert "BR-09" in [b.rule for b in refused]
    assert PdfReader(BytesIO(content)).attachments == {}
    assert "INV-000042" in read(content)[0]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("Credit note", "Total credited")),
        ("de", ("Rechnungskorrektur", "Gutschriftsbetrag")),
        ("fr-CH", ("Avoir", "1 190,00")),
        ("es", ("Factura rectificativa", "Total abonado")),
    ],
)
def test_a_credit_note_names_what_it_corrects_in_the_clients_language(language: str, said: tuple[str, str]) -> None:
    corrects = {"id": "x", "number": "INV-000007", "issued_on": "2026-10-01"}
    invoice, lines = issued(document_type="381", corrects=corrects, language=language)
    invoice.reason = "Doppelt berechnet"
    text = read(pdf.made(invoice, lines)[0])[0].replace("\u00a0", " ")
    for part in (*said, "INV-000007 (2026-10-01)", "Doppelt berechnet"):
        assert part in text
    assert "Banking" not in text


def test_every_language_has_every_label() -> None:
    assert len({frozenset(labels) for labels in pdf.LABELS.values()}) == 1
    assert {"en", "de", "fr", "es"} <= set(pdf.LABELS) == set(pdf.SEPARATORS)
