"""Disbursements: what was paid for a client, and what the client is charged for it. Pure."""

from decimal import Decimal

from chassis.errors import Conflict, DomainError, Invalid
from timebilling.money import rounded, view
from timebilling.time_entries.rules import APPROVED, DRAFT, EDITABLE, RETURNED, SUBMITTED

MOST_MARKUP = Decimal(1000)


def cost(amount: Decimal, tax: Decimal, tax_recoverable: bool) -> Decimal:
    """What the firm is out of pocket: tax it gets back from the state is nobody's cost."""
    return amount - tax if tax_recoverable else amount


def value_of(amount: Decimal, tax: Decimal, tax_recoverable: bool, markup_percent: Decimal, currency: str) -> Decimal:
    """What the client is charged before tax: the firm's cost with the markup on it, rounded half up once."""
    return rounded(cost(amount, tax, tax_recoverable) * (100 + markup_percent) / 100, currency)


def why(
    amount: Decimal, tax: Decimal, tax_recoverable: bool, markup_percent: Decimal, currency: str
) -> dict[str, object]:
    """The value with its rule and inputs."""
    value = value_of(amount, tax, tax_recoverable, markup_percent, currency)
    paid, of_it = view(amount, currency)["amount"], view(tax, currency)["amount"]
    base = f"{currency} {paid}" + (f" less {of_it} tax recovered" if tax_recoverable and tax else "")
    return {
        "figure": view(value, currency)["amount"],
        "says": f"{base}, with {markup_percent.normalize():f} % on it" if markup_percent else base,
        "rule": "disbursement",
        "version": "1",
        "inputs": {
            "amount": paid,
            "tax": of_it,
            "tax_recoverable": tax_recoverable,
            "markup_percent": f"{markup_percent.normalize():f}",
            "currency": currency,
        },
    }


def check(amount: Decimal, tax: Decimal, markup_percent: Decimal) -> None:
    """Errors (422): `amount_missing` (nothing paid), `tax_over_amount`, `markup_out_of_range` (0 to 1000 %)."""
    if amount <= 0:
        raise Invalid("amount_missing", "Say what was paid: more than nothing.", pointer="/amount")
    if tax > amount:
        raise Invalid("tax_over_amount", "The tax is part of what was paid and can't be more.", pointer="/tax")
    if not 0 <= markup_percent <= MOST_MARKUP:
        raise Invalid("markup_out_of_range", "A markup is between 0 and 1000 %.", pointer="/markup_percent")


def refusal_to_edit(status: str) -> DomainError | None:
    if status in EDITABLE:
        return None
    return Conflict("disbursement_approved", "This disbursement is approved and does not change any more.")


def refusal_to_submit(status: str) -> DomainError | None:
    if status in (DRAFT, RETURNED):
        return None
    return Conflict("disbursement_not_draft", f"This is {status}; only drafts and what was returned can be submitted.")


def refusal_to_decide(status: str) -> DomainError | None:
    """Approving and returning both start from submitted."""
    if status == SUBMITTED:
        return None
    return Conflict(
        "disbursement_not_submitted", f"This is {status}; only what was submitted can be approved or returned."
    )


def refusal_to_take_back(status: str) -> DomainError | None:
    if status == APPROVED:
        return None
    return Conflict("disbursement_not_approved", f"This is {status}; only an approval can be taken back.")
