"""Runs in general: how one begins, goes on chunk by chunk, and ends. Each kind says what it does with a chunk."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select

from chassis.db import new_id
from chassis.errors import DomainError
from chassis.uow import Uow
from workflow.db import insert_many
from workflow.hints import hint
from workflow.runs.tables import Run, RunItem

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
        works[run.kind](uow, run, waiting)
    if len(waiting) == CHUNK:
        _continue(uow, run)
    else:
        run.finished_at = uow.now
    uow.session.flush()
    hint(uow, run)


def _waiting(uow: Uow, run: Run) -> list[RunItem]:
    found = select(RunItem).where(RunItem.firm_id == uow.firm_id, RunItem.run_id == run.id, RunItem.status == "waiting")
    return list(uow.session.scalars(found.order_by(RunItem.position).limit(CHUNK)))


def _continue(uow: Uow, run: Run) -> None:
    uow.later("run", run.id, run_id=str(run.id))
