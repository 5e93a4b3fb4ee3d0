"""An issued invoice in the terms of EN 16931-1 (BT-n, BG-n), from what was frozen at issue. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from timebilling.money import ZERO, rounded

OUTSIDE = "O"
# Why no tax, where the invoice has no text of its own (codes of the CEF list VATEX).
EXEMPTION_CODES = {"AE": "VATEX-EU-AE", OUTSIDE: "VATEX-EU-O"}
ALLOWANCE = "95"  # UNCL5189: discount
CREDIT_NOTE = "381"  # UNCL1001
TRANSFER, SEPA, UNDEFINED = "30", "58", "1"  # UNCL4461


class Invoice(Protocol):
    """What is read of an issued invoice or credit note (invoices.tables says what each is)."""

    number: str | None
    currency: str
    issued_on: date | None
    due_on: date | None
    note: str
    reason: str | None
    lines_net: Decimal
    discount: Decimal
    net: Decimal
    tax: Decimal
    rounding: Decimal
    total: Decimal
    taxes: list[dict[str, Any]]
    frozen: dict[str, Any] | None


class Line(Protocol):
    description: str
    quantity: Decimal
    unit: str
    amount: Decimal
    discount: Decimal
    discount_reason: str | None
    net: Decimal
    tax_category: str
    tax_percent: Decimal


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that a file breaks."""

    rule: str  # e.g. "BR-CO-14"
    says: str


def terms(invoice: Invoice, lines: Sequence[Line]) -> dict[str, Any]:
    """The invoice by business terms. Amounts are strings with the currency's decimals; what is not there is left out."""
    assert invoice.frozen is not None
    frozen, currency = invoice.frozen, invoice.currency
    outside = any(x.tax_category == OUTSIDE for x in lines)
    seller, buyer, period = frozen["seller"], frozen["buyer"], frozen.get("period")
    discount = (frozen.get("discount") or {}).get("reason") or "Discount"

    def amount(value: Decimal | str) -> str:
        return str(rounded(Decimal(value), currency))

    return _present(
        {
            "BT-1": invoice.number,
            "BT-2": invoice.issued_on,
            "BT-3": frozen.get("document_type", "380"),
            "BT-5": currency,
            "BT-9": invoice.due_on,
            "BT-10": buyer.get("reference"),
            "BT-13": frozen.get("order_reference"),
            "BG-1": [{"BT-22": text} for text in (invoice.note, invoice.reason) if text],
            "BG-3": _corrected(frozen.get("corrects")),
            "BG-4": _seller(seller, vat=not outside),
            "BG-7": _buyer(buyer, vat=not outside),
            # Services are delivered when the period of the work ends.
            "BT-72": _day(period["to"]) if period else invoice.issued_on,
            "BT-73": _day(period["from"]) if period else None,
            "BT-74": _day(period["to"]) if period else None,
            **_payment(seller, invoice),
            **_exchange(frozen.get("exchange")),
            "BT-106": amount(invoice.lines_net),
            "BT-107": amount(invoice.discount) if invoice.discount else None,
            "BG-20": [
                _present(
                    {
                        "amount": amount(_of(t["discount"])),
                        "reason": discount,
                        "reason_code": ALLOWANCE,
                        "vat_category_code": t["category"],
                        "vat_rate": None if t["category"] == OUTSIDE else t["percent"],
                    }
                )
                for t in invoice.taxes
                if Decimal(_of(t.get("discount")))
            ]
            if invoice.discount
            else None,
            "BT-109": amount(invoice.net),
            "BT-110": amount(invoice.tax),
            "BT-112": amount(invoice.net + invoice.tax),
            "BT-114": amount(invoice.rounding) if invoice.rounding else None,
            "BT-115": amount(invoice.total),
            "BG-23": [_tax(t) for t in invoice.taxes],
            "BG-25": [_line(n, x, bool(frozen.get("tax_inclusive")), amount) for n, x in enumerate(lines, 1)],
        }
    )


def _of(kept: Any) -> str:
    """An amount as it is kept: a decimal string, or a Money."""
    if isinstance(kept, Mapping):
        return str(kept["amount"])
    return str(kept or "0")


def _tax(total: Mapping[str, Any]) -> dict[str, Any]:
    category = total["category"]
    legal = total.get("legal_text")
    return _present(
        {
            "BT-116": _of(total["taxable"]),
            "BT-117": _of(total["tax"]),
            "BT-118": category,
            "BT-119": None if category == OUTSIDE else total["percent"],
            "BT-120": legal,
            "BT-121": None if legal else EXEMPTION_CODES.get(category),
        }
    )


def _line(place: int, line: Line, tax_inclusive: bool, amount: Any) -> dict[str, Any]:
    """A line. Its price is that of its whole quantity (BT-149): so quantity × price is the amount to the cent, though hours
    are shown with two decimals and were priced to the second.
    """
    # A discount off a price with tax in it can't be told apart from the tax: such a line states what is left.
    discount = ZERO if tax_inclusive else line.discount
    price = line.net + discount
    quantity, unit = (line.quantity, line.unit) if line.quantity > 0 else (Decimal(1), "C62")
    return _present(
        {
            "BT-126": str(place),
            "BT-129": f"{quantity.normalize():f}",
            "BT-130": unit,
            "BT-131": amount(line.net),
            "BT-146": amount(price),
            "BT-149": f"{quantity.normalize():f}",
            "BG-27": [
                {"amount": amount(discount), "reason": line.discount_reason or "Discount", "reason_code": ALLOWANCE}
            ]
            if discount
            else None,
            "BT-151": line.tax_category,
            "BT-152": None if line.tax_category == OUTSIDE else f"{line.tax_percent.normalize():f}",
            "BT-153": " ".join(line.description.split()) or "-",
        }
    )


def _payment(seller: Mapping[str, Any], invoice: Invoice) -> dict[str, Any]:
    """How to pay: a transfer to the seller's account, where it has told one."""
    iban = str(seller.get("iban") or "").replace(" ", "")
    if not iban:
        return {"BT-81": UNDEFINED, "BT-83": invoice.number}
    return {
        "BT-81": SEPA if invoice.currency == "EUR" else TRANSFER,
        "BT-83": invoice.number,
        "BT-84": iban,
        "BT-85": seller.get("account_holder"),
        "BT-86": seller.get("bic"),
    }


def _exchange(exchange: Mapping[str, Any] | None) -> dict[str, Any]:
    """Tax in the currency that the seller accounts for it in."""
    return (
        {"BT-6": exchange["currency"], "BT-111": str(rounded(Decimal(_of(exchange["tax"])), exchange["currency"]))}
        if exchange
        else {}
    )


def _corrected(corrects: Mapping[str, Any] | None) -> list[dict[str, Any]] | None:
    return [{"BT-25": corrects["number"], "BT-26": _day(corrects["issued_on"])}] if corrects else None


def _seller(seller: Mapping[str, Any], *, vat: bool) -> dict[str, Any]:
    """The seller. An invoice outside the scope of tax names no tax number (BR-O-02)."""
    name = seller.get("legal_name") or seller["name"]
    return _present(
        {
            "name": name,
            "biz_name": seller["name"] if seller["name"] != name else None,
            "vat_identifier": seller.get("vat_id") if vat else None,
            "tax_identifier": seller.get("tax_number") if vat else None,
            "legal_identifier": seller.get("registration"),
            "legal_identifier_schemeid": _register(seller),
            "contacts": [
                _present({"name": seller.get("contact"), "phone": seller.get("phone"), "email": seller.get("email")})
            ]
            if any(seller.get(x) for x in ("contact", "phone", "email"))
            else None,
            **_electronic(seller),
            **_address(seller, seller.get("country")),
        }
    )


def _register(seller: Mapping[str, Any]) -> str | None:
    """Which register a Dutch number is of (ISO 6523): KVK has eight digits, OIN twenty. Others say it in their own words."""
    number = str(seller.get("registration") or "")
    if seller.get("country") != "NL" or not number.isdigit():
        return None
    return {8: "0106", 20: "0190"}.get(len(number))


def _buyer(buyer: Mapping[str, Any], *, vat: bool) -> dict[str, Any]:
    address = buyer.get("address") or {}
    name = buyer.get("legal_name") or buyer["name"]
    return _present(
        {
            "name": name,
            "biz_name": buyer["name"] if buyer["name"] != name else None,
            "identifiers": {None: buyer["number"]} if buyer.get("number") else None,
            "vat_identifier": buyer.get("vat_id") if vat else None,
            **_electronic(buyer),
            **_address(address, buyer.get("country") or address.get("country")),
        }
    )


def _electronic(party: Mapping[str, Any]) -> dict[str, Any]:
    known = party.get("electronic_address")
    return {"einvoicing_addr": known["id"], "einvoicing_addr_schemeid": known["scheme"]} if known else {}


def _address(parts: Mapping[str, Any], country: str | None) -> dict[str, Any]:
    return {
        "addr_l1": parts.get("line1"),
        "addr_l2": parts.get("line2"),
        "city": parts.get("city"),
        "postcode": parts.get("postcode"),
        "country_subdivision": parts.get("region"),
        "country_code": country,
    }


def _day(text: Any) -> date:
    return text if isinstance(text, date) else date.fromisoformat(text)


def _present(values: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in values.items() if v not in (None, "", [], {})}
