"""Taking everything out: who did is recorded before the first byte leaves."""

from collections.abc import Iterator
from functools import partial

from chassis.db import new_id
from chassis.uow import Uow, unit_of_work
from clients.exports import files, queries
from clients.imports.mapping import FIELDS

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def export(uow: Uow, format: str, kind: str | None) -> tuple[str, str, Iterator[bytes]]:
    """The media type, the file's name, and its bytes, which are read as they go out."""
    kinds = [kind] if kind else list(FIELDS)
    words = queries.Words(uow)
    uow.audit("clients.exported", "export", new_id(), after={"format": format, "kinds": kinds})
    reading = partial(unit_of_work, uow.runtime, uow.principal)
    tables = [(k, queries.titles(k, words), queries.pages(reading, k, words)) for k in kinds]
    name = kind or "clients and contacts"
    dated = f"{name} {uow.now:%Y-%m-%d}"
    if format == "xlsx":
        return XLSX, f"{dated}.xlsx", files.workbook(tables)
    if kind is None:
        return "application/zip", f"{dated}.zip", files.separate(tables)
    _, titles, pages = tables[0]
    return "text/csv; charset=utf-8", f"{dated}.csv", files.comma_separated(titles, pages)
