"""Statements of account for everybody who owes, or whom it is owed to: each by itself, made, kept and mailed once."""

from datetime import date
from typing import Any

from sqlalchemy import select, text

from chassis.errors import Conflict, Forbidden
from chassis.uow import Uow
from timebilling.copies.usecases import named_clients
from timebilling.debtors import rules as debtor_rules
from timebilling.made_files import usecases as made_files
from timebilling.made_files.tables import MadeFile
from timebilling.statement_runs.tables import StatementRun

SEND = "timebilling:invoices:act"
# Who owes, or has something to their credit, by the ledger at the end of the period; and who of them may be seen.
_BALANCES = """
SELECT p.client_id, p.currency, c.number FROM ledger_postings p
JOIN ledger_entries e ON e.firm_id = p.firm_id AND e.posting_id = p.id AND e.account IN ('debtors', 'client_credit')
JOIN client_copy c ON c.firm_id = p.firm_id AND c.id = p.client_id
WHERE p.firm_id = :firm AND p.posted_on <= :last AND (CAST(:clients AS uuid[]) IS NULL OR p.client_id = ANY(:clients))
GROUP BY p.client_id, p.currency, c.number, c.name HAVING sum(e.debit - e.credit) <> 0
ORDER BY c.name, p.client_id, p.currency"""
_FILES = text(
    """INSERT INTO made_files (firm_id, id, kind, client_id, first, last, currency, name, state, requested_by, created_at, run_id)
    SELECT :firm, uuidv7(), 'statement', client, :first, :last, currency, name, 'waiting', :by, :now, :run
    FROM unnest(CAST(:clients AS uuid[]), CAST(:currencies AS text[]), CAST(:names AS text[])) WITH ORDINALITY AS t (client, currency, name, n)
    ORDER BY n"""
)


def start(uow: Uow, body: dict[str, Any]) -> StatementRun:
    """A run over the named clients, or all (that may be seen), who have a balance at the end of the period. The worker does it.

    Errors: `issue_forbidden` (403), `client_not_found` (404), `no_balances` (409), `period_reversed`, `period_too_long` (422).
    """
    first, last = date.fromisoformat(body["first"]), date.fromisoformat(body["last"])
    debtor_rules.check_period(first, last)
    send = bool(body.get("send"))
    if send and SEND not in uow.principal.permissions:
        raise Forbidden("issue_forbidden", "You may have statements made, not sent. Ask a partner to.")
    wanted = named_clients(uow, body["client_ids"]) if "client_ids" in body else None
    found = uow.session.execute(text(_BALANCES), {"firm": uow.firm_id, "last": last, "clients": wanted}).all()
    if not found:
        raise Conflict("no_balances", "Nobody owes anything, or has anything to their credit, on that day.")
    run = uow.add(
        StatementRun(
            first=first,
            last=last,
            send=send,
            message=body.get("message", ""),
            created_at=uow.now,
            created_by=uow.principal.actor,
        )
    )
    uow.session.execute(
        _FILES,
        {
            "firm": uow.firm_id,
            "run": run.id,
            "first": first,
            "last": last,
            "by": uow.principal.name,
            "now": uow.now,
            "clients": [r.client_id for r in found],
            "currencies": [r.currency for r in found],
            "names": [f"statement-{r.number}-{last}.pdf" for r in found],
        },
    )
    uow.later("statement_run", run.id, run_id=str(run.id))
    uow.audit("statement_run.started", "statement_run", run.id, after=body | {"statements": len(found)})
    return run


def advance(uow: Uow, run_id: str) -> None:
    """In the worker: the next statement of a run, and then the next. Run again, or by two at once, it makes and sends none twice."""
    run = uow.get(StatementRun, run_id)
    mine = (MadeFile.firm_id == uow.firm_id, MadeFile.run_id == run.id, MadeFile.state == "waiting")
    file = uow.session.scalars(
        select(MadeFile).where(*mine).order_by(MadeFile.id).limit(1).with_for_update(skip_locked=True)
    ).first()
    if file is None:
        return
    made_files.make(uow, str(file.id))
    if run.send and file.state == "kept":
        made_files.send(uow, file, run.message)
    uow.session.flush()
    uow.later("statement_run", run.id, run_id=run_id)
