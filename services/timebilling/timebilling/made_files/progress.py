"""How far a paper is that the worker makes: told while it is made, so that whoever waits for a large one sees it go on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from chassis.errors import DomainError
from chassis.uow import Uow, unit_of_work

# the stage; lines when composing begins, pages once it is over
Tell = Callable[..., None]

_TELL = text(
    """INSERT INTO paper_progress AS p (firm_id, id, stage, lines, pages, tries, problem, at)
    VALUES (:firm, :id, :stage, :lines, :pages, 1, CAST(:problem AS jsonb), now())
    ON CONFLICT (firm_id, id) DO UPDATE SET stage = excluded.stage, lines = greatest(excluded.lines, p.lines), problem = excluded.problem, at = excluded.at,
        pages = CASE WHEN excluded.stage = 'composing' THEN NULL ELSE coalesce(excluded.pages, p.pages) END,
        tries = p.tries + CASE WHEN excluded.stage = 'composing' THEN 1 ELSE 0 END"""
)


def nobody(stage: str, **known: int) -> None:
    """For whoever makes a paper that nobody waits for."""


@contextmanager
def told(uow: Uow, id: UUID) -> Iterator[Tell]:
    """Tells of a paper's stages. Each is committed by itself, but the last (kept, refused), which belongs to the paper's own transaction.

    What goes wrong is told and goes on: the worker tries again.
    """

    def tell(stage: str, *, lines: int = 0, pages: int | None = None, problem: dict[str, str] | None = None) -> None:
        said = {
            "firm": uow.firm_id,
            "id": id,
            "stage": stage,
            "lines": lines,
            "pages": pages,
            "problem": orjson.dumps(problem).decode() if problem else None,
        }
        if stage in ("kept", "refused"):
            uow.session.execute(_TELL, said)
            return
        with unit_of_work(uow.runtime, uow.principal, firm_id=uow.firm_id) as own:
            own.session.execute(_TELL, said)
            own.commit()

    try:
        yield tell
    except DomainError as error:
        tell("failing", problem={"code": error.code, "message": error.message})
        raise
    except Exception:
        tell("failing", problem={"code": "unexpected", "message": "Something went wrong. It is tried again."})
        raise


def shown(row: Any) -> dict[str, Any] | None:
    """As the API tells of it; `row` has the table's columns with `p_` before them."""
    if row["p_stage"] is None:
        return None
    return {n: row[f"p_{n}"] for n in ("stage", "lines", "pages", "tries", "problem", "at")}


COLUMNS = ", ".join(f"p.{n} AS p_{n}" for n in ("stage", "lines", "pages", "tries", "problem", "at"))
