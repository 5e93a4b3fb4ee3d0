"""The invoice's PDF: archivable, in every script, from facts alone."""

from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
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
    ["王小明有限公司", "Παπαδόπουλος ΑΕ", "Иванов и партнёры", "شركة النور", "株式会社カタカナ", "한국 주식회사"],
)
def test_a_name_in_any_of_these_scripts_is_archivable(name: str) -> None:
    _, metadata = read(pdf.render(facts(name)))
    assert "<pdfaid:part>3</pdfaid:part>" in metadata


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
