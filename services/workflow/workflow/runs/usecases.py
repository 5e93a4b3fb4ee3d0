"""Runs in general: how one begins, goes on chunk by chunk, and ends. Each kind says what it does with a chunk."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from chassis.db import new_id
from chassis.errors import Conflict, DomainError, Forbidden, Unavailable
from chassis.uow import Uow
from workflow.db import insert_many
from workflow.hints import hint
from workflow.runs.tables import Run, RunItem

log = logging.getLogger(__name__)

FOR_VERSIONS = "workflow:templates:write"  # who may bring versions to jobs
CHUNK = 50  # items a transaction: short enough to show progress and to hold no lock for long

Work = Callable[[Uow, Run, Sequence[RunItem]], None]


def begin(
    uow: Uow,
    kind: str,
    items: Sequence[RunItem],
    *,
    template_id: UUID,
    template_version: int,
    parameters: Mapping[str, Any],
    undoes: UUID | None = None,
) -> Run:
    """Writes the run down and hands it to the worker."""
    who = uow.principal
    run = Run(
        id=new_id(),
        kind=kind,
        template_id=template_id,
        template_version=template_version,
        parameters=dict(parameters),
        undoes=undoes,
        asked_kind=who.kind,
        asked_by=UUID(who.id),
        asked_by_name=who.name,
        created_at=uow.now,
    )
    uow.add(run)
    for position, item in enumerate(items, 1):
        item.run_id, item.position = run.id, position
    insert_many(uow, RunItem, items)
    after = {"template_id": template_id, "template_version": template_version, "items": len(items), **parameters}
    hint(uow, run)
    uow.audit(f"run.{kind}", "run", run.id, after=after)
    _continue(uow, run)
    return run


def item(client_id: UUID, *, engagement_id: UUID | None = None, job_id: UUID | None = None) -> RunItem:
    """An item that waits for its turn."""
    return RunItem(id=new_id(), client_id=client_id, engagement_id=engagement_id, job_id=job_id, status="waiting")


def settle_item(row: RunItem, outcome: UUID | DomainError) -> None:
    """What has become of it: the job it was about, or why not."""
    if isinstance(outcome, DomainError):
        row.status, row.code, row.message = "refused", outcome.code, outcome.message
        if "job_id" in outcome.more:
            row.job_id = UUID(outcome.more["job_id"])
    else:
        row.status, row.job_id = "done", outcome


def go_on(uow: Uow, run_id: str, works: Mapping[str, Work]) -> None:
    """One chunk: its effects and what happened to each item are one transaction, so each item takes effect once."""
    run = uow.get(Run, run_id, lock=True)
    # Done in the name of who asked for it. The worker sees all clients: who sees which was checked when it was asked.
    kind: Literal["staff", "partner"] = "staff" if run.asked_kind == "staff" else "partner"
    uow.principal = replace(uow.principal, kind=kind, id=str(run.asked_by), name=run.asked_by_name)
    waiting = _waiting(uow, run)
    if waiting:
        _chunk(uow, run, waiting, works[run.kind])
    if len(waiting) == CHUNK:
        _continue(uow, run)
    else:
        run.finished_at = uow.now
    uow.session.flush()
    hint(uow, run)


def _chunk(uow: Uow, run: Run, items: Sequence[RunItem], work: Work) -> None:
    """Where something goes wrong that nobody foresaw, each item has its turn alone: one's trouble ends neither the others nor
    the run. What passes by itself is left to the worker, who comes back."""
    try:
        with uow.attempt():
            work(uow, run, items)
    except Exception as error:
        if _passes(error):
            raise
        if len(items) > 1:
            for row in items:
                _chunk(uow, run, [row], work)
            return
        (row,) = items
        log.exception("run_item_failed", extra={"run": str(run.id), "item": str(row.id)})
        row.status, row.code, row.message = "failed", "unexpected_error", _FAILED


_FAILED = "Something went wrong on our side. Nothing was changed for this one; try the run once more, or tell your administrator."


def _passes(error: Exception) -> bool:
    """Whether it may go well a moment later: the database or another service is away. What takes too long does not pass."""
    if isinstance(error, OperationalError):
        return getattr(error.orig, "sqlstate", None) != "57014"
    return isinstance(error, Unavailable)


_AGAIN = text("""
UPDATE run_items i SET status = 'waiting', code = NULL, message = NULL, job_id = CASE WHEN :kind = 'apply' THEN NULL ELSE job_id END
WHERE i.firm_id = :firm AND i.run_id = :run AND i.status IN ('refused', 'failed')
  AND EXISTS (SELECT 1 FROM client_copy c WHERE c.firm_id = i.firm_id AND c.id = i.client_id)""")
_PLANNED = text("SELECT 1 FROM due WHERE firm_id = :firm AND kind = 'run' AND key = :run AND done_at IS NULL")


def go_again(uow: Uow, run_id: UUID) -> Run:
    """What was refused or has failed has its turn once more, in the name of who asks now; so has a run that the worker gave up.
    Errors: `run_not_found`, `permission_missing`, `run_under_way`, `run_undone`, `nothing_left_to_do`."""
    run = uow.get(Run, run_id, lock=True)
    if run.kind != "apply" and FOR_VERSIONS not in uow.principal.permissions:
        raise Forbidden("permission_missing", f"This needs the permission {FOR_VERSIONS}.", permission=FOR_VERSIONS)
    if run.finished_at is None and uow.session.execute(_PLANNED, {"firm": uow.firm_id, "run": str(run.id)}).first():
        raise Conflict("run_under_way", "This run is still under way.")
    if uow.session.scalar(select(Run.id).where(Run.firm_id == uow.firm_id, Run.undoes == run.id)):
        raise Conflict("run_undone", "This run was taken back already.")
    found: Any = uow.session.execute(_AGAIN, {"firm": uow.firm_id, "run": run.id, "kind": run.kind})
    if run.finished_at and not found.rowcount:
        raise Conflict("nothing_left_to_do", "Everything in this run is done.")
    who = uow.principal
    run.asked_kind, run.asked_by, run.asked_by_name, run.finished_at = who.kind, UUID(who.id), who.name, None
    uow.session.flush()
    hint(uow, run)
    uow.audit("run.again", "run", run.id, after={"items": found.rowcount})
    _continue(uow, run)
    return run


def _waiting(uow: Uow, run: Run) -> list[RunItem]:
    found = select(RunItem).where(RunItem.firm_id == uow.firm_id, RunItem.run_id == run.id, RunItem.status == "waiting")
    return list(uow.session.scalars(found.order_by(RunItem.position).limit(CHUNK)))


def _continue(uow: Uow, run: Run) -> None:
    uow.later("run", run.id, run_id=str(run.id))
