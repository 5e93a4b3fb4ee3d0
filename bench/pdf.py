"""An invoice of 12 lines as PDF/A with the electronic invoice inside: what the worker does per invoice, in this process.

The bound is what the type setter alone takes for the bare page, without archival form, attachment and proof.
"""

import argparse
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
import typst

from bench.report import Figure, Report
from timebilling.einvoices import formats
from timebilling.einvoices import rules as einvoice
from timebilling.invoices import pdf
from timebilling.invoices.tables import Invoice, InvoiceLine

REACH = "<= 50 ms for 12 lines"
ID = UUID(int=1)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="./praxis bench pdf", description=__doc__)
    parser.add_argument("--lines", type=int, nargs="+", default=[12, 300])
    parser.add_argument("--rounds", type=int, default=50)
    wanted = parser.parse_args(arguments)
    report = Report("pdf")
    for lines in wanted.lines:
        _measure(report, lines, wanted.rounds)
    report.keep()


def _measure(report: Report, lines: int, rounds: int) -> None:
    invoice, rows = example(lines)
    data = pdf.facts(invoice, rows)
    known = einvoice.terms(invoice, rows)

    def whole_of(n: int) -> None:
        invoice.note = f"Note {n}"
        pdf.made(invoice, rows)

    # The type setter remembers what it has set: every round sets another text.
    bare = median(lambda n: page(data | {"note": f"Page {n}"}), rounds)
    archival = median(lambda n: pdf.render(data | {"note": f"Archive {n}"}), rounds)
    proof = median(lambda _: formats.cii(known), rounds)
    whole = median(whole_of, rounds)
    report.add(Figure(f"PDF/A of {lines} lines", archival, bare, "ms", REACH if lines == 12 else ""))
    report.add(Figure(f"electronic invoice of {lines} lines, made and proven", proof, None, "ms"))
    report.add(Figure(f"all that leaves for {lines} lines", whole, bare, "ms"))


def median(act: Callable[[int], Any], rounds: int) -> float:
    """Milliseconds that half the rounds stay below; one before them reads fonts and rules."""
    act(0)
    taken = []
    for n in range(1, rounds + 1):
        started = time.perf_counter()
        act(n)
        taken.append((time.perf_counter() - started) * 1000)
    return sorted(taken)[len(taken) // 2]


def page(data: dict[str, Any]) -> bytes:
    """The page alone."""
    made = typst.compile(
        pdf.TEMPLATE,
        font_paths=pdf._fonts(),
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"data": orjson.dumps(data).decode()},
    )
    assert isinstance(made, bytes)
    return made


def example(count: int) -> tuple[Invoice, list[InvoiceLine]]:
    """An invoice in euros of lines over 100.00, as issuing freezes it."""
    net = Decimal(100 * count)
    tax = (net * 19 / 100).quantize(Decimal("0.01"))
    euro = {"currency": "EUR"}
    seller = {
        "name": "Brook", "legal_name": "Brook mbB", "accent": "#0f766e", "address": "", "footer": "", "country": "DE", "line1": "Lindenstraße 1", "city": "Berlin",
        "postcode": "10969", "vat_id": "DE136695976", "iban": "DE02120300000000202051", "bic": "BYLADEM1001",
    }  # fmt: skip
    buyer = {
        "name": "Müller GmbH",
        "number": "C-1",
        "address": {"line1": "Weg 2", "city": "Bonn", "postcode": "53113"},
        "country": "DE",
        "tax_label": "",
    }
    total = {
        "label": "USt 19 %",
        "category": "S",
        "percent": "19",
        "taxable": euro | {"amount": f"{net:.2f}"},
        "tax": euro | {"amount": f"{tax:.2f}"},
        "legal_text": None,
    }
    invoice = Invoice(
        id=ID, client_id=ID, state="issued", number="INV-000042", currency="EUR", issued_on=date(2026, 11, 24), due_on=date(2026, 12, 8),
        issued_at=datetime(2026, 11, 24, tzinfo=UTC), lines_net=net, discount=Decimal(0), net=net, tax=tax, rounding=Decimal(0), total=net + tax, note="",
        taxes=[total], frozen={"document_type": "380", "seller": seller, "buyer": buyer, "language": "de"},
    )  # fmt: skip
    lines = [
        InvoiceLine(
            description=f"Beratung zum Jahresabschluss, Teil {n}", quantity=Decimal("1.25"), unit="HUR", amount=Decimal(100), discount=Decimal(0), net=Decimal(100),
            tax_percent=Decimal(19), tax_category="S", tax_code_id=ID,
        )
        for n in range(1, count + 1)
    ]  # fmt: skip
    return invoice, lines
