"""Peppol BIS Billing 3.0: each rule is broken by what it is about, and by nothing else. Source of ids and meanings: docs.peppol.eu/poacc/billing/3.0."""

from typing import Any

import pytest
from lxml import etree

from timebilling.einvoices import formats, peppol_rules

from .test_einvoice_rules import BUYER, SELLER, STANDARD, known, refused

CONTACT = {"contact": "Eva Roth", "phone": "+49 30 1234567", "email": "eva@brook.example"}
GERMAN = {"line1": "Lindenstraße 1", "city": "Berlin", "postcode": "10969", "country": "DE", "vat_id": "DE136695976"}
DUTCH = {"line1": "Kade 1", "city": "Utrecht", "postcode": "3511 AA", "country": "NL", "vat_id": "NL810433941B01", "registration": "12345678"}  # fmt: skip
AT_HOME = {"line1": "Weg 2", "city": "Bonn", "postcode": "53113"}


def stated(seller: Any = None, buyer: Any = None, **more: Any) -> Any:
    sides = {
        "seller": SELLER | {"country": "FR", "vat_id": "FR40303265045"} | (seller or {}),
        "buyer": BUYER | (buyer or {}),
    }
    return known(STANDARD, frozen=sides) | more


def german(seller: Any = None, buyer: Any = None, **more: Any) -> Any:
    buyer = {"country": "DE", "vat_id": "", "address": AT_HOME, "reference": "04011000-12345-67"} | (buyer or {})
    return stated(GERMAN | CONTACT | (seller or {}), buyer, **more)


def dutch(seller: Any = None, buyer: Any = None, **more: Any) -> Any:
    buyer = {"country": "NL", "vat_id": "", "address": AT_HOME} | (buyer or {})
    return stated(DUTCH | (seller or {}), buyer, **more)


def broken(terms: Any) -> list[str]:
    return [b.rule for b in peppol_rules.broken(terms)]


def test_what_is_right_breaks_nothing() -> None:
    assert broken(stated()) == broken(german()) == broken(dutch()) == []


@pytest.mark.parametrize(
    ("scheme", "right", "wrong", "rule"),
    [
        ("0088", "7300010000001", "7300010000002", "PEPPOL-COMMON-R040"),
        ("0192", "991825827", "991825828", "PEPPOL-COMMON-R041"),
        ("0184", "DK13585628", "13585628", "PEPPOL-COMMON-R042"),
        ("0208", "0403019261", "0403019262", "PEPPOL-COMMON-R043"),
        ("0007", "2021005489", "202100-5489", "PEPPOL-COMMON-R049"),
        ("0151", "51824753556", "51824753557", "PEPPOL-COMMON-R050"),
    ],
)
def test_identifiers_are_those_of_their_scheme(scheme: str, right: str, wrong: str, rule: str) -> None:
    for side in ("seller", "buyer"):
        assert broken(stated(**{side: {"electronic_address": {"scheme": scheme, "id": right}}})) == []
        assert broken(stated(**{side: {"electronic_address": {"scheme": scheme, "id": wrong}}})) == [rule]


def test_mail_is_no_address_that_peppol_delivers_to() -> None:
    assert broken(stated(buyer={"electronic_address": {"scheme": "EM", "id": "a@b.example"}})) == [
        "PEPPOL-EN16931-CL008"
    ]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"buyer": {"electronic_address": {"scheme": "1234", "id": "5"}}}, "BR-CL-25"),
        ({"seller": {"vat_id": "123456789"}}, "BR-CO-09"),
        ({"BT-81": "999"}, "BR-CL-16"),
        ({"BT-81": "30", "BT-84": None}, "BR-50"),
        ({"BT-5": "EUR", "BT-6": "EUR", "BT-111": "1.00"}, "PEPPOL-EN16931-R005"),
    ],
)
def test_what_en_16931_asks_is_refused_too(change: Any, rule: str) -> None:
    terms = {k: v for k, v in stated(**change).items() if v is not None}
    found = refused(formats.ubl, terms)
    assert rule in found or (rule == "BR-50" and "BR-61" in found), found


@pytest.mark.parametrize(
    ("seller", "buyer", "more", "rule"),
    [
        (dict.fromkeys(CONTACT, ""), {}, {}, "DE-R-002"),
        ({"city": ""}, {}, {}, "DE-R-003"),
        ({"postcode": ""}, {}, {}, "DE-R-004"),
        ({"contact": ""}, {}, {}, "DE-R-005"),
        ({"phone": ""}, {}, {}, "DE-R-006"),
        ({"email": ""}, {}, {}, "DE-R-007"),
        ({}, {"address": AT_HOME | {"city": ""}}, {}, "DE-R-008"),
        ({}, {"address": AT_HOME | {"postcode": ""}}, {}, "DE-R-009"),
        ({}, {"reference": ""}, {"BT-13": "PO-1"}, "DE-R-015"),
        ({"vat_id": "", "tax_number": ""}, {}, {}, "DE-R-016"),
        ({}, {}, {"BT-81": "58", "BT-84": None}, "DE-R-023-1"),
    ],
)
def test_between_germans(seller: Any, buyer: Any, more: Any, rule: str) -> None:
    assert broken(german(seller, buyer, **more)) == [rule]
    abroad = {"country": "AT", "reference": "x"}
    assert rule not in broken(german(seller, buyer | abroad, **more)), "asked of Germans only"


@pytest.mark.parametrize(
    ("seller", "buyer", "more", "rule"),
    [
        ({}, {}, {"BT-3": "381", "BG-3": None}, "NL-R-001"),
        ({"line1": ""}, {}, {}, "NL-R-002"),
        ({"registration": "in Utrecht"}, {}, {}, "NL-R-003"),
        ({}, {"address": AT_HOME | {"postcode": ""}}, {}, "NL-R-004"),
        ({}, {}, {"BT-81": "1"}, "NL-R-008"),
    ],
)
def test_of_dutch_sellers(seller: Any, buyer: Any, more: Any, rule: str) -> None:
    assert broken(dutch(seller, buyer, **more)) == [rule]


def test_a_dutch_register_number_names_its_register_and_the_file_passes() -> None:
    tree = etree.fromstring(formats.ubl(dutch()))
    (number,) = tree.xpath("//*[local-name()='AccountingSupplierParty']//*[local-name()='PartyLegalEntity']/*[local-name()='CompanyID']")  # fmt: skip
    assert (number.text, number.get("schemeID")) == ("12345678", "0106")


def test_what_is_to_be_said_is_one_note() -> None:
    tree = etree.fromstring(formats.ubl(stated(**{"BG-1": [{"BT-22": "Thank you."}, {"BT-22": "Billed twice"}]})))
    assert [n.text for n in tree.findall(f"{{{formats.CBC}}}Note")] == ["Thank you.\nBilled twice"]
