"""Electronic invoices: what leaves satisfies the official rules of EN 16931, and what breaks them says which."""

import copy
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from pypdf import PdfReader

from timebilling.einvoices import formats, rules
from timebilling.einvoices.formats import Refused
from timebilling.invoices import pdf
from timebilling.taxes.rules import Tax, totals

D = Decimal
SELLER = {
    "name": "Brook",
    "legal_name": "Brook & Partner Steuerberater mbB",
    "line1": "Lindenstraße 1",
    "city": "Berlin",
    "postcode": "10969",
    "region": "",
    "country": "DE",
    "vat_id": "DE136695976",
    "tax_number": "",
    "registration": "HRB 1234",
    "contact": "Pat Brook",
    "email": "pat@brook.example",
    "phone": "+49 30 123456",
    "iban": "DE02 1203 0000 0000 2020 51",
    "bic": "BYLADEM1001",
    "account_holder": "Brook & Partner",
    "electronic_address": {"scheme": "9930", "id": "DE136695976"},
}
BUYER = {
    "name": "Müller GmbH",
    "number": "C-1",
    "address": {"line1": "Hauptstraße 2", "city": "Bonn", "postcode": "53113", "country": "DE"},
    "country": "DE",
    "legal_name": "",
    "vat_id": "DE129273398",
    "reference": "04011000-12345-34",
    "electronic_address": {"scheme": "0204", "id": "04011000-12345-34"},
}


def invoice(
    *lines: tuple[str, str, str, str], discount: str = "0", rounding: str = "0", **more: Any
) -> tuple[Any, list[Any]]:
    """An invoice of lines (net, category, percent, line discount) as issuing would freeze it."""
    rows = [
        SimpleNamespace(
            description=f"Work {n}",
            quantity=D("1.33"),
            unit="HUR",
            amount=D(net) + D(off),
            discount=D(off),
            discount_reason=None,
            net=D(net),
            tax_category=c,
            tax_percent=D(p),
        )
        for n, (net, c, p, off) in enumerate(lines, 1)
    ]
    net = sum((r.net for r in rows), D(0))
    # One category where a discount is tested: all of it is that category's.
    grouped = totals(
        [
            (r.net - (D(discount) if n == 0 else 0), Tax(r.tax_category, r.tax_percent, "VAT", more.get("legal")))
            for n, r in enumerate(rows)
        ],
        "EUR",
    )
    taxes = [
        {
            "label": "VAT",
            "category": t.tax.category,
            "percent": f"{t.tax.percent:f}",
            "taxable": str(t.taxable),
            "tax": str(t.amount),
            "discount": discount if n == 0 else "0",
            "legal_text": t.tax.legal_text,
        }
        for n, t in enumerate(grouped)
    ]
    tax = sum((t.amount for t in grouped), D(0))
    frozen = {
        "document_type": "380",
        "seller": SELLER,
        "buyer": BUYER,
        "period": {"from": "2026-10-01", "to": "2026-10-31"},
        "order_reference": "",
        "corrects": None,
        "exchange": None,
        "tax_inclusive": False,
        "discount": None,
    }
    made = SimpleNamespace(
        number="INV-000042",
        currency="EUR",
        issued_on=date(2026, 11, 24),
        due_on=date(2026, 12, 8),
        note="Thank you",
        reason=None,
        lines_net=net,
        discount=D(discount),
        net=net - D(discount),
        tax=tax,
        rounding=D(rounding),
        total=net - D(discount) + tax + D(rounding),
        taxes=taxes,
        frozen=frozen | more.get("frozen", {}),
    )
    return made, rows


def known(*lines: tuple[str, str, str, str], **more: Any) -> dict[str, Any]:
    return rules.terms(*invoice(*lines, **more))


STANDARD = ("250.00", "S", "19", "0")


def refused(act: Any, *arguments: Any) -> list[str]:
    with pytest.raises(Refused) as error:
        act(*arguments)
    assert error.value.code == "e_invoice_refused"
    return [b.rule for b in error.value.broken]


@pytest.mark.parametrize(
    ("lines", "more"),
    [
        ([STANDARD], {}),
        ([STANDARD, ("99.99", "S", "7", "0")], {}),
        ([("240.00", "S", "19", "10.00")], {}),
        ([STANDARD], {"discount": "50.00"}),
        ([STANDARD], {"rounding": "-0.02"}),
        ([("100.00", "E", "0", "0")], {"legal": "§ 4 Nr. 11 UStG"}),
        ([("100.00", "AE", "0", "0")], {"legal": "Reverse charge"}),
        ([("100.00", "O", "0", "0")], {}),
        ([("100.00", "Z", "0", "0")], {}),
        (
            [STANDARD],
            {
                "frozen": {
                    "document_type": "381",
                    "corrects": {"id": "x", "number": "INV-000001", "issued_on": "2026-10-01"},
                }
            },
        ),
        (
            [STANDARD],
            {
                "frozen": {
                    "exchange": {"currency": "GBP", "rate": "0.85", "net": "212.50", "tax": "40.38", "total": "252.88"}
                }
            },
        ),
        ([STANDARD], {"frozen": {"period": None, "order_reference": "PO-9"}}),
    ],
    ids=[
        "standard",
        "two-rates",
        "line-discount",
        "discount",
        "rounding",
        "exempt",
        "reverse-charge",
        "outside",
        "zero",
        "credit-note",
        "foreign",
        "no-period",
    ],
)
def test_what_a_firm_issues_satisfies_en_16931_in_both_syntaxes(lines: list[Any], more: dict[str, Any]) -> None:
    terms = known(*lines, **more)
    assert formats.broken_rules(formats.cii(terms), "cii") == []
    assert formats.broken_rules(formats.ubl(terms), "ubl") == []


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 10**7), st.sampled_from(["19", "7", "5.5"])), min_size=1, max_size=8))
def test_whatever_the_amounts_the_sums_are_what_the_rules_compute(parts: list[tuple[int, str]]) -> None:
    formats.cii(known(*[(str(D(cents) / 100), "S", percent, "0") for cents, percent in parts]))


# Figures of a worked example that the maintainers of EN 16931's validation publish (ubl-tc434-example2: two rates, an exempt return,
# an allowance and a charge on the document, part of it prepaid). Parties and texts are ours.
PUBLISHED = {
    "BT-1": "TOSL108", "BT-2": date(2013, 6, 30), "BT-3": "380", "BT-5": "NOK", "BT-9": date(2013, 7, 20), "BT-10": "1", "BT-72": date(2013, 6, 15), "BT-81": "30", "BT-84": "NO9386011117947",
    "BG-4": {"name": "Seller", "country_code": "NO", "vat_identifier": "NO123456785MVA", "einvoicing_addr": "991825827", "einvoicing_addr_schemeid": "0192"},
    "BG-7": {"name": "Buyer", "country_code": "NO", "einvoicing_addr": "974760673", "einvoicing_addr_schemeid": "0192"},
    "BT-106": "1436.50", "BT-107": "100.00", "BT-108": "100.00", "BT-109": "1436.50", "BT-110": "365.28", "BT-112": "1801.78", "BT-113": "1000.00", "BT-115": "801.78",
    "BG-20": [{"amount": "100.00", "reason": "Promotion", "vat_category_code": "S", "vat_rate": "25"}],
    "BG-21": [{"amount": "100.00", "reason": "Freight", "vat_category_code": "S", "vat_rate": "25"}],
    "BG-23": [
        {"BT-116": "1460.50", "BT-117": "365.13", "BT-118": "S", "BT-119": "25"},
        {"BT-116": "1.00", "BT-117": "0.15", "BT-118": "S", "BT-119": "15"},
        {"BT-116": "-25.00", "BT-117": "0.00", "BT-118": "E", "BT-119": "0", "BT-120": "Exempt"},
    ],
    "BG-25": [
        {"BT-126": str(n), "BT-129": "-1" if net.startswith("-") else "1", "BT-130": "C62", "BT-131": net, "BT-146": net.strip("-"), "BT-151": c, "BT-152": p, "BT-153": "Item"}
        for n, (net, c, p) in enumerate([("1273.00", "S", "25"), ("-3.96", "S", "15"), ("4.96", "S", "15"), ("-25.00", "E", "0"), ("187.50", "S", "25")], 1)
    ],
}  # fmt: skip


def test_the_published_example_passes_and_our_tax_is_its_tax() -> None:
    formats.cii(PUBLISHED)
    formats.ubl(PUBLISHED)
    lines = [
        (D(x["BT-131"]), Tax(x["BT-151"], D(x["BT-152"]), "VAT", "Exempt" if x["BT-151"] == "E" else None))
        for x in PUBLISHED["BG-25"]
    ]  # type: ignore[attr-defined]
    assert {(t.tax.category, str(t.tax.percent)): (t.taxable, t.amount) for t in totals(lines, "NOK")} == {
        ("S", "25"): (D("1460.50"), D("365.13")),
        ("S", "15"): (D("1.00"), D("0.15")),
        ("E", "0"): (D("-25.00"), D("0.00")),
    }


@pytest.mark.parametrize("act", [formats.cii, formats.ubl])
@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"BT-110": "365.29", "BT-112": "1801.79", "BT-115": "801.79"}, "BR-CO-14"),
        ({"BT-112": "1801.79", "BT-115": "801.79"}, "BR-CO-15"),
        ({"BT-115": "801.79"}, "BR-CO-16"),
        ({"BT-106": "1436.51"}, "BR-CO-10"),
    ],
)
def test_a_cent_too_many_is_refused_by_the_rule_it_breaks(act: Any, change: dict[str, str], rule: str) -> None:
    assert rule in refused(act, copy.deepcopy(PUBLISHED) | change)


def test_what_is_missing_is_named() -> None:
    nowhere = SELLER | {"country": ""}
    assert "BR-09" in refused(formats.cii, known(STANDARD, frozen={"seller": nowhere}))
    nobody = SELLER | {"vat_id": "", "registration": ""}
    assert {"BR-CO-26", "BR-S-02"} & set(refused(formats.cii, known(STANDARD, frozen={"seller": nobody})))
    unaddressed = {
        "seller": SELLER | {"electronic_address": None},
        "buyer": BUYER | {"electronic_address": None, "reference": ""},
    }
    assert refused(formats.ubl, known(STANDARD, frozen=unaddressed)) == [
        "PEPPOL-EN16931-R020",
        "PEPPOL-EN16931-R010",
        "PEPPOL-EN16931-R003",
        "DE-R-015",
    ]


def test_ubl_says_that_it_is_for_peppol() -> None:
    tree = etree.fromstring(formats.ubl(known(STANDARD)))
    assert tree.findtext(f"{{{formats.CBC}}}CustomizationID") == formats.PEPPOL
    assert tree.findtext(f"{{{formats.CBC}}}ProfileID") == formats.PEPPOL_PROCESS
    assert tree.find(f"{{{formats.CBC}}}UBLVersionID") is None


def test_quantity_times_price_is_the_lines_amount_to_the_cent() -> None:
    (line,) = known(("333.33", "S", "19", "0"))["BG-25"]
    assert D(line["BT-129"]) / D(line["BT-149"]) * D(line["BT-146"]) == D(line["BT-131"])
    made, rows = invoice(STANDARD)
    rows[0].quantity = D("0.00")  # ten seconds of work are no hundredth of an hour
    formats.cii(rules.terms(made, rows))


def test_hostile_text_stays_text() -> None:
    made, rows = invoice(STANDARD)
    rows[0].description = '<x/> & ]]> "quoted" \n two'
    tree = etree.fromstring(formats.cii(rules.terms(made, rows)))
    assert (
        tree.xpath("string(//*[local-name()='SpecifiedTradeProduct']/*[local-name()='Name'])")
        == '<x/> & ]]> "quoted" two'
    )


def test_the_cii_travels_inside_the_pdf() -> None:
    from .test_pdf import facts

    xml = formats.cii(known(STANDARD))
    made = formats.embedded(
        pdf.render(facts()),
        xml,
        title="Invoice INV-000042",
        author="Brook",
        language="en",
        at=datetime(2026, 11, 24, tzinfo=UTC),
    )
    reader = PdfReader(BytesIO(made))
    assert reader.attachments["factur-x.xml"] == [xml]
    metadata = reader.xmp_metadata
    assert metadata is not None
    told = metadata.stream.get_data().decode()
    assert "EN 16931" in told
    assert "<pdfaid:part>3</pdfaid:part>" in told
