"""A thousand rows in one statement and one parameter: what goes row by row costs a round trip and a plan each."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import LargeBinary, text
from sqlalchemy.dialects import postgresql

from chassis.uow import Uow
from clients.imports.tables import ImportRow

_DIALECT: Any = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's has no types here


def insert(uow: Uow, model: Any, rows: Sequence[Mapping[str, Any]]) -> set[UUID]:
    """The ids of the rows that went in; one whose id or other key is taken does not."""
    if not rows:
        return set()
    columns = tuple(rows[0])
    return set(uow.session.scalars(_insert(model, columns), {"rows": _json(rows)}))


@cache
def _insert(model: Any, columns: tuple[str, ...]) -> Any:
    table = model.__table__
    named = ", ".join(f'"{name}"' for name in columns)
    values = ", ".join(f"decode(r.\"{name}\", 'hex')" if _binary(table, name) else f'r."{name}"' for name in columns)
    typed = ", ".join(f'"{name}" {_type(table, name)}' for name in columns)
    return text(
        f"INSERT INTO {table.name} ({named}) SELECT {values} FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r ({typed}) "
        "ON CONFLICT DO NOTHING RETURNING id"
    )


def _binary(table: Any, name: str) -> bool:
    return isinstance(table.c[name].type, LargeBinary)


def _type(table: Any, name: str) -> str:
    return "text" if _binary(table, name) else str(table.c[name].type.compile(_DIALECT))


def _json(rows: Sequence[Mapping[str, Any]]) -> str:
    return orjson.dumps(rows, default=_plain).decode()


def _plain(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


_STAGE = text("""
    INSERT INTO import_rows (firm_id, import_id, place, table_no, row_no, sealed)
    SELECT :firm, :import, r.place, r.table_no, r.row_no, decode(r.sealed, 'hex')
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (place bigint, table_no int, row_no bigint, sealed text)""")


def stage(uow: Uow, import_id: UUID, rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows of the file, as they were read. (COPY is refused where row-level security holds.)"""
    uow.session.execute(_STAGE, {"firm": uow.firm_id, "import": import_id, "rows": _json(rows)})


_OUTCOMES = text("""
    UPDATE import_rows i SET outcome = r.outcome, problems = r.problems, subject_id = r.subject_id, before = r.before,
        subject_version = r.subject_version
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS r (place bigint, outcome text, problems jsonb, subject_id uuid, before jsonb, subject_version bigint)
    WHERE i.firm_id = :firm AND i.import_id = :import AND i.place = r.place""")
_SAID = ("place", "outcome", "problems", "subject_id", "before", "subject_version")


def keep_outcomes(uow: Uow, import_id: UUID, rows: Iterable[ImportRow]) -> None:
    """What became of the rows of a chunk; they are no longer the session's."""
    said = [{name: getattr(row, name) for name in _SAID} for row in rows]
    uow.session.execute(_OUTCOMES, {"firm": uow.firm_id, "import": import_id, "rows": _json(said)})
