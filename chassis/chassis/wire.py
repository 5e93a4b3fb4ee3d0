"""Past SQLAlchemy to the driver: several statements in one round trip, statements prepared by name, rows as they come.

The mapper costs more than the database does for a short request; a unit of work goes this way for what every request does.
"""

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import JSON, Connection
from sqlalchemy import inspect as mapping_of
from sqlalchemy.exc import DBAPIError


def send(
    connection: Connection, statement: str, values: dict[str, Any], *, begin: str = "", end: str = ""
) -> psycopg.ClientCursor[Any]:
    """Sends a statement with what begins or ends the transaction, in one round trip. Answers the cursor at its result.

    The driver quotes the values, since several statements can't have bound ones.
    """
    with raw_of(connection, statement, values) as raw:
        prepare, execute = _by_name(connection.info, statement)
        cursor = psycopg.ClientCursor[Any](raw)
        try:
            cursor.execute("; ".join(filter(None, (prepare, begin, execute, end))).encode(), values)
        except psycopg.Error:
            if prepare:  # whether that was done is not known: next time by another name
                connection.info[_NAMES][statement] = None
            raise
        for _ in filter(None, (prepare, begin)):
            cursor.nextset()
        return cursor


def leave(connection: Connection) -> None:
    """Ends the transaction if it was not committed, as a read is not. Past the driver, which would forget all that it has prepared."""
    if connection.invalidated:
        return
    raw: Any = connection.connection.dbapi_connection
    if raw.pgconn.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
        raw.pgconn.exec_(b"ROLLBACK")


def forget_names(connection: Connection) -> None:
    """After a rollback of the driver's own, which drops whatever was prepared on the connection."""
    connection.info.pop(_NAMES, None)


_NAMES = "praxis.prepared"
_KEPT = 50  # statements that a connection knows by name


def _by_name(of_connection: dict[Any, Any], statement: str) -> tuple[str, str]:
    """How to prepare a statement, if that is still to be done, and how to execute it: what comes again and again is prepared,
    since planning it would cost the database more than running it."""
    known: dict[str, str | None] = of_connection.setdefault(_NAMES, {})
    execute = known.get(statement) if statement else ""
    if execute is not None:
        return "", execute
    if statement not in known:
        if len(known) < _KEPT:
            known[statement] = None  # from the second time on
        return "", statement
    names = list(dict.fromkeys(_PLACEHOLDER.findall(statement)))
    name = f"praxis_{next(_NUMBERS)}"
    known[statement] = execute = f"EXECUTE {name} ({', '.join(f'%({n})s' for n in names)})"
    return f"PREPARE {name} AS {_PLACEHOLDER.sub(lambda m: f'${names.index(m[1]) + 1}', statement)}", execute


_NUMBERS = itertools.count()
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")


@contextmanager
def raw_of(connection: Connection, statement: str, parameters: Mapping[str, Any] | None = None) -> Iterator[Any]:
    """The driver's own connection, for what SQLAlchemy has no words for; errors come out as they would of SQLAlchemy."""
    raw: Any = connection.connection.dbapi_connection
    try:
        yield raw
    except psycopg.Error as error:
        wrapped = DBAPIError.instance(
            statement,
            dict(parameters or {}),
            error,
            psycopg.Error,
            connection_invalidated=raw.closed,
            dialect=connection.dialect,
        )
        raise wrapped from error


_NAMED = re.compile(r"(?<![:\w\\]):(\w+)")


@lru_cache(maxsize=2000)
def driver_form(statement: str) -> bytes:
    """The statement with its `:name`s as the driver writes them."""
    return _NAMED.sub(r"%(\1)s", statement.replace("%", "%%")).encode()


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a mapped row as `Uow.insert` writes it."""

    key: str
    json: bool
    otherwise: Callable[[], Any]  # its value where the row has none


@lru_cache(maxsize=200)
def insert_of(mapped: Any) -> tuple[str, list[Column]]:
    """How a new row of a mapped class is inserted, and from which of its attributes."""
    mapper: Any = mapping_of(mapped)
    columns = []
    for name, attribute in mapper.column_attrs.items():
        (column,) = attribute.columns
        default = column.default
        if column is mapper.version_id_col:
            otherwise: Callable[[], Any] = lambda: 1  # noqa: E731 - one of three ways to say it
        elif default is None:
            otherwise = lambda: None  # noqa: E731
        else:
            otherwise = partial(default.arg, None) if default.is_callable else partial(_same, default.arg)
        columns.append(Column(name, isinstance(column.type, JSON), otherwise))
    names = ", ".join(f'"{mapper.column_attrs[c.key].columns[0].name}"' for c in columns)
    return (
        f"INSERT INTO {mapper.local_table.name} ({names}) VALUES ({', '.join(f'%({c.key})s' for c in columns)})",
        columns,
    )


def _same(value: Any) -> Any:
    return value
