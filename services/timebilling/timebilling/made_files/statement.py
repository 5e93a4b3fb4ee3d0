"""A statement of account on paper, in the client's language."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from timebilling.copies.tables import ClientCopy
from timebilling.debtors.rules import Row
from timebilling.invoices.pdf import LABELS, amount, day, frame

# What moved the account, in the client's words; what has none of its own is a correction.
KINDS = {
    "en": {"invoice_issued": "Invoice", "invoice_voided": "Invoice cancelled", "credit_note_issued": "Credit note", "payment_recorded": "Payment", "refund_made": "Refund", "chargeback_made": "Payment returned by the bank", "": "Correction"},
    "de": {"invoice_issued": "Rechnung", "invoice_voided": "Rechnung storniert", "credit_note_issued": "Rechnungskorrektur", "payment_recorded": "Zahlung", "refund_made": "Erstattung", "chargeback_made": "Rücklastschrift", "": "Korrektur"},
    "fr": {"invoice_issued": "Facture", "invoice_voided": "Facture annulée", "credit_note_issued": "Avoir", "payment_recorded": "Paiement", "refund_made": "Remboursement", "chargeback_made": "Paiement rejeté", "": "Correction"},
    "es": {"invoice_issued": "Factura", "invoice_voided": "Factura anulada", "credit_note_issued": "Factura rectificativa", "payment_recorded": "Pago", "refund_made": "Reembolso", "chargeback_made": "Pago devuelto", "": "Corrección"},
}  # fmt: skip


def facts(
    seller: dict[str, Any],
    of: ClientCopy,
    language: str,
    period: tuple[date, date],
    currency: str,
    opening: Decimal,
    rows: Sequence[Row],
    at: datetime,
) -> dict[str, Any]:
    """What the template shows of an account."""
    labels, words = LABELS[language], KINDS[language]
    closing = rows[-1].balance if rows else opening

    def shown(value: Decimal) -> str:
        return amount(value, currency, language)

    buyer = {"name": of.name, "address": of.address, "tax_label": of.tax_label}
    return {
        **frame(seller, buyer, language, period[1], int(at.timestamp())),
        "title": labels["statement"],
        "facts": [
            [labels["period"], f"{period[0]} – {period[1]}"],
            *([[labels["client"], of.number]] if of.number else []),
        ],
        "note": "",
        "columns": [labels["description"], labels["date"], f"{labels['amount']} ({currency})", labels["balance"]],
        "lines": [
            [labels["opening"], day(period[0]), "", shown(opening)],
            *(
                [
                    " ".join(x for x in (words.get(r.movement.kind, words[""]), r.movement.number) if x),
                    day(r.movement.day),
                    shown(r.movement.amount),
                    shown(r.balance),
                ]
                for r in rows
            ),
        ],
        "sums": [],
        "total": [labels["credit" if closing < 0 else "closing"], f"{currency} {shown(abs(closing))}"],
        "legal": [],
        "terms": "",
        "code": "",
        "scan": "",
    }
