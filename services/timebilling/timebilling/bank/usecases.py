"""Importing bank statements and turning their lines into payments."""

import base64
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from chassis.db import new_id
from chassis.errors import Conflict, DomainError, Invalid, NotFound
from chassis.uow import Uow
from timebilling import money
from timebilling.bank import queries, rules
from timebilling.bank.tables import BankImport, BankLine
from timebilling.copies.usecases import firm
from timebilling.payments import usecases as payments
from timebilling.payments.tables import Payment

_INSERT = text(
    "INSERT INTO bank_lines (firm_id, id, import_id, account, fingerprint, booked_on, amount, currency, counterparty, reference, state, version) "
    "VALUES (:firm, :id, :import, :account, :fingerprint, :booked_on, :amount, :currency, :counterparty, :reference, :state, 1) "
    "ON CONFLICT (firm_id, fingerprint) DO NOTHING"
)


def import_statement(uow: Uow, body: dict[str, Any]) -> BankImport:
    """Reads a bank's CSV file; lines that are known already are left as they are. All of the file or nothing.

    Errors: `statement_not_base64` and those of `rules.read` (422).
    """
    try:
        content = base64.b64decode(body["content"], validate=True)
    except ValueError as error:
        raise Invalid("statement_not_base64", "The content is not base64.", pointer="/content") from error
    currency = body.get("currency") or firm(uow).currency
    money.exponent(currency)
    lines = rules.read(content, rules.Format(**body.get("format", {})), currency)
    account = " ".join(body["account"].split())
    made = BankImport(
        id=new_id(),
        account=account,
        file_name=body["file_name"],
        lines=len(lines),
        new=0,
        imported_by=uow.principal.name,
        at=uow.now,
    )
    rows = [
        {
            "firm": uow.firm_id,
            "id": new_id(),
            "import": made.id,
            "account": account,
            "fingerprint": mark,
            "booked_on": line.booked_on,
            "amount": line.amount,
            "currency": line.currency,
            "counterparty": line.counterparty,
            "reference": line.reference,
            "state": "open" if line.amount > 0 else "outgoing",
        }
        for line, mark in zip(lines, rules.fingerprints(account, lines), strict=True)
    ]
    # Of two who import one file at once, the second waits here and then knows every line.
    uow.session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 7237003))"), {"key": f"{uow.firm_id}|{account}"}
    )
    known = set(
        uow.session.execute(
            text("SELECT fingerprint FROM bank_lines WHERE firm_id = :firm AND fingerprint = ANY(:marks)"),
            {"firm": uow.firm_id, "marks": [r["fingerprint"] for r in rows]},
        ).scalars()
    )
    fresh = [r for r in rows if r["fingerprint"] not in {bytes(k) for k in known}]
    made.new = len({r["fingerprint"] for r in fresh})
    uow.add(made)
    if fresh:
        uow.session.execute(_INSERT, fresh)
    uow.audit(
        "bank.imported", "bank_import", made.id, after={"file": made.file_name, "lines": made.lines, "new": made.new}
    )
    return made


def match(uow: Uow, line_id: UUID, body: dict[str, Any]) -> BankLine:
    """Makes a line a payment of a client, with what it pays.

    Errors: `bank_line_not_found` (404), `bank_line_not_open` (409), and those of `payments.record`.
    """
    line = _open(uow, line_id)
    payment = payments.record(
        uow,
        {
            "client_id": body["client_id"],
            "amount": money.view(line.amount, line.currency),
            "received_on": str(line.booked_on),
            "method": "bank_transfer",
            "reference": (line.reference or line.counterparty)[:200],
            "allocations": body.get("allocations", []),
        },
    )
    return _matched(uow, line, payment)


def link(uow: Uow, line_id: UUID, payment_id: UUID) -> BankLine:
    """Says that a line is a payment that was recorded by hand already.

    Errors: `bank_line_not_found`, `payment_not_found` (404); `bank_line_not_open`, `payment_reversed`, `bank_line_amount_differs`,
    `payment_has_bank_line` (409).
    """
    line = _open(uow, line_id)
    payment = payments.locked(uow, payment_id)
    if payment.reversed_at:
        raise Conflict("payment_reversed", "This payment was entered wrongly and is reversed.")
    if (payment.amount, payment.currency) != (line.amount, line.currency):
        raise Conflict("bank_line_amount_differs", "The payment is over another amount than the bank's line.")
    return _matched(uow, line, payment)


def ignore(uow: Uow, line_id: UUID, reason: str) -> BankLine:
    """Sets a line aside that pays nobody's invoice. Errors: `bank_line_not_found` (404), `bank_line_not_open` (409)."""
    line = _open(uow, line_id)
    line.state, line.reason = "ignored", reason
    uow.session.flush()
    uow.audit("bank_line.ignored", "bank_line", line.id, reason=reason)
    return line


def reopen(uow: Uow, line_id: UUID) -> BankLine:
    """Opens a line again that was ignored, or whose payment was reversed. Errors: `bank_line_not_found` (404),
    `bank_line_in_use` (409) while its payment stands, `bank_line_not_closed` (409).
    """
    line = _locked(uow, line_id)
    if line.state not in ("ignored", "matched"):
        raise Conflict("bank_line_not_closed", "This line is neither matched nor ignored.")
    if line.payment_id and not uow.get(Payment, line.payment_id, lock=True).reversed_at:
        raise Conflict("bank_line_in_use", "This line is a payment. Reverse the payment first.")
    line.state, line.reason, line.payment_id = "open", None, None
    uow.session.flush()
    uow.audit("bank_line.reopened", "bank_line", line.id)
    return line


def accept(uow: Uow, ids: Sequence[UUID]) -> dict[str, Any]:
    """Takes the best suggestion of each line that is sure; answers per line."""
    items = []
    for id in ids:
        try:
            with uow.attempt():
                _accept(uow, id)
            items.append({"id": id, "ok": True, "code": None, "message": None})
        except DomainError as refused:
            uow.session.expire_all()
            items.append({"id": id, "ok": False, "code": refused.code, "message": refused.message})
    done = sum(1 for i in items if i["ok"])
    return {"done": done, "failed": len(items) - done, "items": items}


def _accept(uow: Uow, line_id: UUID) -> None:
    line = _open(uow, line_id)
    best = rules.suggest(line.amount, line.currency, line.counterparty, line.reference, queries.candidates(uow))[:2]
    if not best or best[0].score < rules.SURE or (len(best) > 1 and best[1].score == best[0].score):
        raise Conflict("bank_line_unsure", "No suggestion for this line is sure enough. Look at it yourself.")
    match(
        uow,
        line.id,
        {
            "client_id": str(best[0].client_id),
            "allocations": [
                {"invoice_id": str(c.id), "amount": money.view(a, c.currency)} for c, a in best[0].allocations
            ],
        },
    )


def _matched(uow: Uow, line: BankLine, payment: Payment) -> BankLine:
    line.state, line.payment_id = "matched", payment.id
    uow.session.flush()
    uow.audit("bank_line.matched", "bank_line", line.id, after={"payment_id": str(payment.id)})
    return line


def _open(uow: Uow, line_id: UUID) -> BankLine:
    line = _locked(uow, line_id)
    if line.state != "open":
        raise Conflict("bank_line_not_open", f"This line is {line.state}.")
    return line


def _locked(uow: Uow, line_id: UUID) -> BankLine:
    """The line, locked, unless it is a payment of a client who may not be seen. Errors: `bank_line_not_found` (404)."""
    line = uow.session.scalars(
        select(BankLine)
        .where(BankLine.firm_id == uow.firm_id, BankLine.id == line_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if line is None or not queries.visible(uow, line_id):
        raise NotFound("bank_line_not_found", "There is no such line.")
    return line
