"""Billing many clients at once: each by itself, so that one that fails stops none of the others."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from chassis.errors import Conflict, DomainError, Forbidden
from chassis.uow import Uow
from timebilling.billing_runs.tables import BillingRun, BillingRunItem
from timebilling.copies.usecases import named_clients, today
from timebilling.invoices import rules as invoice_rules
from timebilling.invoices import usecases as invoicing

ISSUE = "timebilling:invoices:act"
# Clients per transaction of the worker: few enough that numbers are never held for long, and that other work gets its turn.
CHUNK = 10
MOST = 5_000
_WITH_WORK = text(
    """SELECT DISTINCT c.id, c.name FROM wip_items w JOIN client_copy c ON c.firm_id = w.firm_id AND c.id = w.client_id
    WHERE w.firm_id = :firm AND w.state = 'unbilled' AND (CAST(:until AS date) IS NULL OR w.day <= :until) ORDER BY c.name, c.id LIMIT :most"""
)


def start(uow: Uow, body: dict[str, Any]) -> BillingRun:
    """A run over the named clients, or all who have unbilled work (that may be seen). The worker does it.

    Errors: `client_not_found` (404), `nothing_to_bill` (409), `issue_forbidden` (403), `issue_date_in_future` (422).
    """
    issues = bool(body.get("issue") or body.get("send"))
    if issues and ISSUE not in uow.principal.permissions:
        raise Forbidden("issue_forbidden", "You may draft invoices, not issue them. Ask a partner to.")
    until, issued_on = (date.fromisoformat(body[n]) if body.get(n) else None for n in ("until", "issued_on"))
    if issued_on is not None:
        invoice_rules.check_issue_date(issued_on, today(uow))
    ids = _clients(uow, body.get("client_ids"), until)
    run = uow.add(
        BillingRun(
            until=until,
            group_by=body.get("group_by", "job_activity"),
            issue=issues,
            send=bool(body.get("send")),
            issued_on=issued_on,
            created_at=uow.now,
            created_by=uow.principal.actor,
        )
    )
    uow.session.execute(
        text(
            "INSERT INTO billing_run_items (firm_id, id, run_id, client_id, state) "
            "SELECT :firm, uuidv7(), :run, id, 'waiting' FROM unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS t (id, n) ORDER BY n"
        ),
        {"firm": uow.firm_id, "run": run.id, "ids": ids},
    )
    uow.later("billing_run", run.id, run_id=str(run.id))
    uow.audit("billing_run.started", "billing_run", run.id, after=body | {"clients": len(ids)})
    return run


def _clients(uow: Uow, wanted: Sequence[str] | None, until: date | None) -> list[UUID]:
    if wanted is None:
        found = list(uow.session.execute(_WITH_WORK, {"firm": uow.firm_id, "until": until, "most": MOST}).scalars())
        if not found:
            raise Conflict("nothing_to_bill", "No client has unbilled work.")
        return found
    return named_clients(uow, wanted)


def advance(uow: Uow, run_id: str) -> None:
    """In the worker: the next clients of a run, and then the next. Run again, or by two at once, it bills no client twice."""
    run = uow.get(BillingRun, run_id)
    mine = (BillingRunItem.firm_id == uow.firm_id, BillingRunItem.run_id == run.id, BillingRunItem.state == "waiting")
    waiting = uow.session.scalars(
        select(BillingRunItem).where(*mine).order_by(BillingRunItem.id).limit(CHUNK).with_for_update(skip_locked=True)
    ).all()
    for item in waiting:
        _bill(uow, run, item)
    uow.session.flush()
    if waiting:
        uow.later("billing_run", run.id, run_id=run_id)


def _bill(uow: Uow, run: BillingRun, item: BillingRunItem) -> None:
    """One client: a draft, issued and sent where that is wanted. What is refused is told; a draft that can't be issued stays a draft."""
    item.finished_at = uow.now
    body: dict[str, Any] = {"client_id": str(item.client_id), "group_by": run.group_by}
    if run.until is not None:
        body["until"] = str(run.until)
    try:
        with uow.attempt():
            invoice = invoicing.create_draft(uow, body)
        item.invoice_id = invoice.id
        if run.issue:
            with uow.attempt():
                invoicing.issue(uow, invoice.id, run.issued_on, None)
                if run.send:
                    invoicing.send(uow, invoice.id, "")
        item.state = "done"
    except DomainError as refused:
        item.state = "skipped" if refused.code == "nothing_to_bill" else "failed"
        item.code, item.message = refused.code, refused.message
