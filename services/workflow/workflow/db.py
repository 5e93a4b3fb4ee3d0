"""The declarative base of this service's tables, statements made once, and writing many new rows of one at once."""

from collections.abc import Sequence
from functools import lru_cache

import orjson
from sqlalchemy import MetaData, text
from sqlalchemy.orm import DeclarativeBase

from chassis.db import NAMING, TYPES
from chassis.uow import Uow


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = TYPES


# A statement of these words, made once. What a list is limited to stands in its words: a plan for any limit would be made
# for a tenth of all rows, so the database would plan every page anew.
statement = lru_cache(maxsize=1000)(text)


def insert_many(uow: Uow, model: type[Base], rows: Sequence[object]) -> None:
    """Writes new rows in one statement: instances of the model, or anything with the attributes it has columns for. They travel as one JSON value, since COPY is not possible behind row-level security,
    and don't enter the session."""
    if not rows:
        return
    table = model.__table__
    columns = [column.name for column in table.columns if column.computed is None]
    values = [{name: vars(row).get(name) for name in columns} | {"firm_id": uow.firm_id} for row in rows]
    names = ", ".join(columns)
    made = f"INSERT INTO {table} ({names}) SELECT {names} FROM json_populate_recordset(NULL::{table}, :rows)"
    uow.session.execute(statement(made), {"rows": orjson.dumps(values, default=str).decode()})
