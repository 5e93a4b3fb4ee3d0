"""Reading imports: how far they are, and what became of each row."""

from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select, text

from chassis.paging import keyset, page
from chassis.uow import Uow
from clients.imports.tables import Import
from clients.imports.usecases import PART, parts_of
from clients.settings import fields


def view(held: Import) -> dict[str, Any]:
    """An import as the API shows it."""
    names = (
        "id",
        "file_name",
        "size",
        "encoding",
        "state",
        "rows_total",
        "rows_done",
        "problem",
        "kept_until",
        "cleared_at",
        "created_at",
        "updated_at",
        "version",
    )
    counts = {outcome: held.counts.get(outcome, 0) for outcome in ("new", "changed", "same", "bad", "undone", "kept")}
    tables = [
        {
            "table": number,
            "name": table["name"] or held.file_name,
            "kind": table["kind"],
            "rows": table["rows"],
            "skip": table["skip"],
            "columns": [
                {"title": title, "field": name} for title, name in zip(table["titles"], table["fields"], strict=True)
            ],
        }
        for number, table in enumerate(held.tables)
    ]
    return {name: getattr(held, name) for name in names} | {
        "parts": parts_of(held),
        "part_size": PART,
        "counts": counts,
        "tables": tables,
        "by": held.by_name,
    }


def list_imports(uow: Uow, limit: int, cursor: str | None) -> dict[str, Any]:
    """The caller's imports, newest first."""
    after, parameters = keyset(["created_at", "id"], cursor, descending=True, casts=["timestamptz", "uuid"])
    found = text(f"SELECT id, created_at FROM imports WHERE true {after} ORDER BY created_at DESC, id DESC LIMIT :rows")
    rows = uow.session.execute(found, {**parameters, "rows": limit + 1}).mappings().all()
    listed = page([dict(row) for row in rows], limit, lambda row: (row["created_at"], row["id"]))
    held = {
        one.id: one
        for one in uow.session.scalars(select(Import).where(Import.id.in_([row["id"] for row in listed["items"]])))
    }
    return listed | {"items": [view(held[row["id"]]) for row in listed["items"]]}


def list_rows(uow: Uow, import_id: UUID, limit: int, cursor: str | None, outcome: str | None) -> dict[str, Any]:
    """Rows in the order they are brought in, with what is wrong with them. Errors: `import_not_found`."""
    held = uow.get(Import, import_id)
    after, parameters = keyset(["place"], cursor, casts=["bigint"])
    only = "AND outcome = :outcome" if outcome else ""
    found = text(
        "SELECT place, table_no, row_no, outcome, problems, subject_id, sealed FROM import_rows "
        f"WHERE import_id = :id {only} {after} ORDER BY place LIMIT :rows"
    )
    rows = (
        uow.session.execute(found, {**parameters, "id": held.id, "outcome": outcome, "rows": limit + 1})
        .mappings()
        .all()
    )
    listed = page([dict(row) for row in rows], limit, lambda row: (row["place"],))
    return listed | {"items": [_row(uow, held, row) for row in listed["items"]]}


def _row(uow: Uow, held: Import, row: dict[str, Any]) -> dict[str, Any]:
    cells = orjson.loads(fields(uow).open_bytes(row["sealed"], f"{held.firm_id}/{held.id}/{row['place']}"))
    shown = [
        "" if cell is None else f"={cell['formula'].lstrip('=')}" if isinstance(cell, dict) else cell for cell in cells
    ]
    return {"table": row["table_no"], "row": row["row_no"], "outcome": row["outcome"], "problems": row["problems"] or [],
            "subject_id": row["subject_id"], "cells": shown}  # fmt: skip
