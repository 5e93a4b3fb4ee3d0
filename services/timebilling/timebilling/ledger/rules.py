"""The ledger's language: every money event as a balanced double entry. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from timebilling.money import ZERO

# Accounts. A further one (retainers, trust, exchange gains) is a further word here.
DEBTORS, FEES, OUTPUT_TAX, BANK, CLIENT_CREDIT = "debtors", "fees", "output_tax", "bank", "client_credit"
BAD_DEBTS, CARD_FEES, INTEREST = "bad_debts", "card_fees", "interest"
# Cash rounding; what foreign debts are worth more or less in the firm's currency, and what that gained or lost.
ROUNDING, REVALUATION, EXCHANGE_GAINS, EXCHANGE_LOSSES = "rounding", "revaluation", "exchange_gains", "exchange_losses"


@dataclass(frozen=True, slots=True)
class Entry:
    """One leg: a debit or a credit, never both, never zero."""

    account: str
    debit: Decimal = ZERO
    credit: Decimal = ZERO


def _legs(*entries: Entry) -> list[Entry]:
    return [e for e in entries if e.debit or e.credit]


def invoice_issued(net: Decimal, tax: Decimal, rounding: Decimal = ZERO, interest: Decimal = ZERO) -> list[Entry]:
    """The client owes; fees (and of the net that part which is interest) are earned, tax is owed on. Nothing to post for an invoice of nothing."""
    return _legs(
        Entry(DEBTORS, debit=net + tax + rounding),
        Entry(FEES, credit=net - interest),
        Entry(INTEREST, credit=interest),
        Entry(OUTPUT_TAX, credit=tax),
        Entry(ROUNDING, debit=max(-rounding, ZERO), credit=max(rounding, ZERO)),
    )


def credit_note_issued(net: Decimal, tax: Decimal, rounding: Decimal = ZERO, interest: Decimal = ZERO) -> list[Entry]:
    """The opposite of an invoice: the client owes less."""
    return reversed_(invoice_issued(net, tax, rounding, interest))


def exchange_difference(gained: Decimal) -> list[Entry]:
    """In the firm's currency: a foreign debt brought more than was booked at its issue, or (negative) less."""
    gain, loss = max(gained, ZERO), max(-gained, ZERO)
    return _legs(
        Entry(REVALUATION, debit=gain, credit=loss),
        Entry(EXCHANGE_GAINS, credit=gain),
        Entry(EXCHANGE_LOSSES, debit=loss),
    )


def payment_recorded(amount: Decimal, allocated: Decimal) -> list[Entry]:
    """Money in; it pays invoices, and what it doesn't pay is owed to the client until it is applied."""
    return _legs(
        Entry(BANK, debit=amount), Entry(DEBTORS, credit=allocated), Entry(CLIENT_CREDIT, credit=amount - allocated)
    )


def credit_applied(amount: Decimal) -> list[Entry]:
    """A client's unapplied credit pays invoices."""
    return _legs(Entry(CLIENT_CREDIT, debit=amount), Entry(DEBTORS, credit=amount))


def allocations_taken_back(amount: Decimal) -> list[Entry]:
    """What a payment paid is owed again; the money is the client's credit."""
    return reversed_(credit_applied(amount))


def money_returned(amount: Decimal) -> list[Entry]:
    """A refund or a chargeback: the client's credit leaves by the bank."""
    return _legs(Entry(CLIENT_CREDIT, debit=amount), Entry(BANK, credit=amount))


def card_fee(amount: Decimal) -> list[Entry]:
    """What the card provider keeps for itself of what it pays out. The client has paid all the same."""
    return _legs(Entry(CARD_FEES, debit=amount), Entry(BANK, credit=amount))


def bad_debt(amount: Decimal) -> list[Entry]:
    """What will not be paid is a loss. Fees and tax stay as they were invoiced."""
    return _legs(Entry(BAD_DEBTS, debit=amount), Entry(DEBTORS, credit=amount))


def reversed_(entries: Sequence[Entry]) -> list[Entry]:
    """The correction of a posting: the same with sides changed."""
    return [Entry(e.account, debit=e.credit, credit=e.debit) for e in entries]


def balanced(entries: Sequence[Entry]) -> bool:
    return sum((e.debit for e in entries), ZERO) == sum((e.credit for e in entries), ZERO)
