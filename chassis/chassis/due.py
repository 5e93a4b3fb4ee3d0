"""Work that is due: timers and whatever a request leaves to the worker. Each row takes effect once."""

import logging
import threading
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import text

from chassis import auth
from chassis.consumer import backoff, bury
from chassis.errors import Unavailable
from chassis.uow import unit_of_work

if TYPE_CHECKING:
    from chassis.service import Runtime

log = logging.getLogger(__name__)

TRIES = 10
_LOST = "{kind}: attempt {attempts} did not come back; its worker ended (killed, or out of memory) while it ran"

# A claim is a push of run_at: a worker that dies leaves the row to be taken again when the claim runs out. What had been
# claimed and has no error by then did not come back.
_CLAIM = text(
    "WITH next AS MATERIALIZED (SELECT id, attempts > 0 AND error IS NULL AS lost FROM due "
    "WHERE done_at IS NULL AND run_at <= :now AND (CAST(:firm AS uuid) IS NULL OR firm_id = :firm) "
    "ORDER BY run_at LIMIT 1 FOR UPDATE SKIP LOCKED) "
    "UPDATE due SET run_at = now() + interval '2 minutes', attempts = attempts + 1, error = NULL "
    "FROM next WHERE due.id = next.id RETURNING due.*, next.lost"
)
# The row is locked and checked again with the effect: of two workers that both claimed it, one finds it done or moved.
_STILL_DUE = text("SELECT 1 FROM due WHERE id = :id AND done_at IS NULL AND attempts = :attempts FOR UPDATE")
_DONE = text("UPDATE due SET done_at = now(), error = NULL WHERE id = :id AND attempts = :attempts")
_BURIED = "UPDATE due SET done_at = now(), error = :error WHERE id = :id AND attempts = :attempts AND done_at IS NULL"
_AGAIN = "UPDATE due SET run_at = :next, error = :error WHERE id = :id AND attempts = :attempts AND done_at IS NULL"


class Timers:
    """Runs what is due for all firms, one row a transaction, so that two workers never do one thing twice."""

    def __init__(self, runtime: "Runtime") -> None:
        self._runtime = runtime

    def run(self, stop: threading.Event, wake: threading.Event) -> None:
        while not stop.is_set():
            try:
                self.run_due()
            except Exception:
                log.exception("timers_failed")
                stop.wait(2.0)
            wake.wait(timeout=1.0)
            wake.clear()

    def run_due(self, now: datetime | None = None, firm_id: Any = None, stop: threading.Event | None = None) -> int:
        """Runs all that is due by `now`; returns how many rows were taken."""
        taken = 0
        while stop is None or not stop.is_set():
            with self._runtime.engine.begin() as connection:
                row = connection.execute(_CLAIM, {"now": now or datetime.now(UTC), "firm": firm_id}).first()
            if row is None:
                return taken
            taken += 1
            self._run(row)
        return taken

    def _run(self, row: Any) -> None:
        if row.lost and row.attempts > TRIES:
            self._bury(row, _LOST.format(kind=row.kind, attempts=row.attempts - 1))
            return
        try:
            self._effect(row)
        except Exception as error:
            reason = "".join(traceback.format_exception(error))[-4000:]
            log.warning(
                "due_failed", extra={"kind": row.kind, "key": row.key, "attempt": row.attempts, "error": repr(error)}
            )
            if row.attempts >= TRIES and not isinstance(error, Unavailable):
                self._bury(row, reason)
            else:
                self._settle(_AGAIN, row, reason)

    def _bury(self, row: Any, reason: str) -> None:
        body = {"firm_id": str(row.firm_id), "kind": row.kind, "key": row.key, "payload": row.payload}
        bury(self._runtime, "due", row.kind, orjson.dumps(body), reason)
        self._settle(_BURIED, row, reason)

    def _effect(self, row: Any) -> None:
        handler = self._runtime.service.timers.get(row.kind)
        if handler is None:
            raise LookupError(f"no timer of kind {row.kind}")
        principal = auth.system(self._runtime.service.name, row.firm_id)
        with unit_of_work(self._runtime, principal) as uow:
            if not uow.session.execute(_STILL_DUE, {"id": row.id, "attempts": row.attempts}).first():
                return
            # Marked first: if the handler plans the same key again, that plan stands.
            uow.session.execute(_DONE, {"id": row.id, "attempts": row.attempts})
            handler(uow, **row.payload)
            uow.commit()

    def _settle(self, statement: str, row: Any, reason: str) -> None:
        with self._runtime.engine.begin() as connection:
            connection.execute(
                text(statement),
                {
                    "id": row.id,
                    "attempts": row.attempts,
                    "error": reason,
                    "next": datetime.now(UTC) + backoff(row.attempts),
                },
            )
