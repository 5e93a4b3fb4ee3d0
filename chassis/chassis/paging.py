"""Lists by keyset: a page starts behind the last row of the one before, however deep it lies."""

import base64
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

from chassis.errors import BadRequest

_COLUMN = re.compile(r"^[a-z_][a-z0-9_.]*$")


def encode_cursor(values: Sequence[Any]) -> str:
    """An opaque cursor that carries the sort key of a page's last row."""
    return (
        base64.urlsafe_b64encode(
            orjson.dumps([v if isinstance(v, (int, float)) or v is None else str(v) for v in values])
        )
        .decode()
        .rstrip("=")
    )


def decode_cursor(cursor: str, length: int) -> list[Any]:
    """The sort key in a cursor. Errors: `cursor_invalid`."""
    try:
        values = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        values = None
    if (
        not isinstance(values, list)
        or len(values) != length
        or not all(isinstance(v, (str, int, float)) for v in values)
    ):
        raise _not_ours()
    return values


def _not_ours() -> BadRequest:
    return BadRequest("cursor_invalid", "This cursor is not one of this list's. Start from the first page.")


# How to tell whether a cursor's value is of a PostgreSQL type. The database would refuse another one as our own mistake.
_READ: dict[str, Callable[[str], object]] = {
    "uuid": UUID,
    "date": date.fromisoformat,
    "timestamptz": datetime.fromisoformat,
    "numeric": Decimal,
    "int": int,
    "bigint": int,
}


def _check(value: Any, cast: str) -> None:
    try:
        if "\0" in str(value):
            raise ValueError("NUL")
        _READ.get(cast, str)(str(value))
    except (ValueError, ArithmeticError):
        raise _not_ours() from None


def keyset(
    columns: Sequence[str], cursor: str | None, *, descending: bool = False, casts: Sequence[str] | None = None
) -> tuple[str, dict[str, Any]]:
    """WHERE fragment (begins with "AND", or is empty) and parameters that continue behind `cursor`.

    `columns` are the ORDER BY columns, unique together and never NULL; all go the same direction.
    `casts` names their PostgreSQL types where the text of a cursor would not do (date, uuid, numeric).
    """
    if cursor is None:
        return "", {}
    if not all(_COLUMN.match(c) for c in columns):
        raise ValueError(f"not column names: {columns}")
    values = decode_cursor(cursor, len(columns))
    casts = casts or ["uuid" if c.rsplit(".")[-1] == "id" else "" for c in columns]
    for value, cast in zip(values, casts, strict=True):
        _check(value, cast)
    # As sub-selects, so that planning doesn't see the values: else a page near the end of a list looks so cheap that the
    # database plans its statement anew each time, which can take longer than reading the page.
    names = [f"(SELECT CAST(:after_{i} AS {cast}))" if cast else f"(SELECT :after_{i})" for i, cast in enumerate(casts)]
    sign = "<" if descending else ">"
    return f"AND ({', '.join(columns)}) {sign} ({', '.join(names)})", {f"after_{i}": v for i, v in enumerate(values)}


def page(rows: Sequence[Any], limit: int, key: Callable[[Any], Sequence[Any]]) -> dict[str, Any]:
    """A page of a list from up to `limit` + 1 rows: the extra row only tells that there are more."""
    items = list(rows[:limit])
    more = len(rows) > limit
    return {"items": items, "next_cursor": encode_cursor(key(items[-1])) if more and items else None}
