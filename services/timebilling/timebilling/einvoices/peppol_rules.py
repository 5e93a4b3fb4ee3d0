"""What Peppol BIS Billing 3.0 asks beyond EN 16931 and what we say can break: identifiers, references, and what sellers of some countries owe. Pure.

Each rule has the id and the meaning that OpenPeppol publishes (docs.peppol.eu/poacc/billing/3.0), fatal ones only. Those that our files keep
by how they are made (R001, R007, R040 to R046, R120, R130, P0100, F001 and so on) are not asked again; those of EN 16931 itself (BR-CO-09 for the
prefix of a tax number, BR-CL-16 for the means of payment, BR-CL-25 for the scheme of an address) are asked by its own XSLT, which every file passes.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from stdnum import ean
from stdnum.au import abn
from stdnum.be import vat as be
from stdnum.dk import cvr
from stdnum.no import orgnr as no
from stdnum.se import orgnr as se

from timebilling.einvoices.rules import CREDIT_NOTE, Broken


def _digits(length: int, valid: Callable[[str], bool]) -> Callable[[str], bool]:
    return lambda value: len(value) == length and value.isascii() and value.isdigit() and valid(value)


# scheme of an identifier -> the rule, what it is an identifier of, whether one is right
IDENTIFIERS: dict[str, tuple[str, str, Callable[[str], bool]]] = {
    "0088": ("PEPPOL-COMMON-R040", "a GLN of GS1", lambda v: v.isascii() and v.isdigit() and ean.is_valid(v.zfill(13))),
    "0192": ("PEPPOL-COMMON-R041", "a Norwegian organisation number", _digits(9, no.is_valid)),
    "0184": (
        "PEPPOL-COMMON-R042",
        "a Danish CVR number with DK before it",
        lambda v: v.startswith("DK") and _digits(8, cvr.is_valid)(v[2:]),
    ),
    "0208": ("PEPPOL-COMMON-R043", "a Belgian enterprise number", _digits(10, be.is_valid)),
    "0007": ("PEPPOL-COMMON-R049", "a Swedish organisation number", _digits(10, se.is_valid)),
    "0151": ("PEPPOL-COMMON-R050", "an Australian business number", _digits(11, abn.is_valid)),
}
TRANSFERS = ("30", "58")
DUTCH_MEANS = ("30", "48", "49", "57", "58", "59", "97")
DUTCH_IDENTIFIERS = ("0106", "0190")
TAXED = frozenset({"S", "Z", "E", "AE", "K", "G", "L", "M"})


def broken(known: Mapping[str, Any]) -> list[Broken]:
    """The rules that an invoice's terms (see `einvoices.rules.terms`) break."""
    return [Broken(rule, says) for rule, fine, says in _asked(known) if not fine]


def _asked(known: Mapping[str, Any]) -> Iterator[tuple[str, Any, str]]:
    seller, buyer = known["BG-4"], known["BG-7"]
    yield "PEPPOL-EN16931-R020", "einvoicing_addr" in seller, "The seller's electronic address is missing."
    yield "PEPPOL-EN16931-R010", "einvoicing_addr" in buyer, "The buyer's electronic address is missing."
    yield (
        "PEPPOL-EN16931-R003",
        "BT-10" in known or "BT-13" in known,
        "A buyer reference or an order reference is missing.",
    )
    yield (
        "PEPPOL-EN16931-R005",
        known.get("BT-6") != known["BT-5"],
        "The currency of tax is named though it is that of the invoice.",
    )
    for who, party in (("seller", seller), ("buyer", buyer)):
        yield from _identifiers(who, party)
    if _is(seller, "DE") and _is(buyer, "DE"):
        yield from _german(known, seller, buyer)
    if _is(seller, "NL"):
        yield from _dutch(known, seller, buyer)


def _identifiers(who: str, party: Mapping[str, Any]) -> Iterator[tuple[str, Any, str]]:
    scheme, address = party.get("einvoicing_addr_schemeid"), str(party.get("einvoicing_addr", ""))
    if scheme is not None:
        # EN 16931 also knows addresses of mail and X.400 (EM, AS …), which Peppol does not deliver to.
        yield (
            "PEPPOL-EN16931-CL008",
            len(scheme) == 4 and scheme.isdigit(),
            f"The scheme {scheme} of the {who}'s electronic address is none that Peppol delivers to.",
        )
    stated = [(scheme, address), (party.get("legal_identifier_schemeid"), str(party.get("legal_identifier", "")))]
    for of, value in stated:
        if of in IDENTIFIERS:
            rule, what, valid = IDENTIFIERS[of]
            yield rule, valid(value), f"{value} of the {who} is not {what} (scheme {of})."


def _german(
    known: Mapping[str, Any], seller: Mapping[str, Any], buyer: Mapping[str, Any]
) -> Iterator[tuple[str, Any, str]]:
    """Between Germans."""
    contact = (seller.get("contacts") or [{}])[0]
    yield "DE-R-002", contact, "The seller names nobody to turn to."
    yield "DE-R-003", seller.get("city"), "The seller's city is missing."
    yield "DE-R-004", seller.get("postcode"), "The seller's post code is missing."
    if contact:
        yield "DE-R-005", contact.get("name"), "The name of the seller's contact is missing."
        yield "DE-R-006", contact.get("phone"), "The telephone number of the seller's contact is missing."
        yield "DE-R-007", contact.get("email"), "The mail address of the seller's contact is missing."
    yield "DE-R-008", buyer.get("city"), "The buyer's city is missing."
    yield "DE-R-009", buyer.get("postcode"), "The buyer's post code is missing."
    yield "DE-R-015", known.get("BT-10"), "The buyer reference (Leitweg-ID) is missing."
    taxed = any(t["BT-118"] in TAXED for t in known["BG-23"])
    yield (
        "DE-R-016",
        not taxed or seller.get("vat_identifier") or seller.get("tax_identifier"),
        "The seller's tax number is missing.",
    )
    yield (
        "DE-R-023-1",
        known["BT-81"] not in TRANSFERS or known.get("BT-84"),
        "The account that is to be paid into is missing.",
    )


def _dutch(
    known: Mapping[str, Any], seller: Mapping[str, Any], buyer: Mapping[str, Any]
) -> Iterator[tuple[str, Any, str]]:
    """Of a Dutch seller, some only towards a Dutch buyer."""
    yield "NL-R-001", known["BT-3"] != CREDIT_NOTE or known.get("BG-3"), "The invoice that is corrected is missing."
    yield "NL-R-002", _addressed(seller), "The seller's street, city or post code is missing."
    yield (
        "NL-R-003",
        seller.get("legal_identifier") and seller.get("legal_identifier_schemeid") in DUTCH_IDENTIFIERS,
        "The seller's number in the trade register (KVK, eight digits, or OIN, twenty) is missing.",
    )
    if _is(buyer, "NL"):
        yield "NL-R-004", _addressed(buyer), "The buyer's street, city or post code is missing."
        yield (
            "NL-R-008",
            known["BT-3"] == CREDIT_NOTE or known["BT-81"] in DUTCH_MEANS,
            "How to pay is missing: state the account in the firm's settings.",
        )


def _is(party: Mapping[str, Any], country: str) -> bool:
    return str(party.get("vat_identifier") or party.get("country_code") or "").upper().startswith(country)


def _addressed(party: Mapping[str, Any]) -> bool:
    return all(party.get(x) for x in ("addr_l1", "city", "postcode"))
