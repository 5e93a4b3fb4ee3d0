"""Small copies of what other services own, kept from their events."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import insert

from chassis.uow import Uow


def keep_newer(uow: Uow, model: Any, *, id: UUID | str, version: int, **values: Any) -> bool:
    """Keeps a state unless the copy has it, or a newer one. Says whether it was kept. `model` has `firm_id`, `id`, `version`."""
    row = {"firm_id": uow.firm_id, "id": UUID(str(id)), "version": version, **values}
    uow.keep()
    return bool(uow.session.execute(_upsert(model.__table__, tuple(row)), row).first())


@lru_cache(maxsize=500)
def _upsert(table: Any, columns: tuple[str, ...]) -> Any:
    """Putting the statement together takes longer than running it; there is one per copy and set of columns."""
    statement = insert(table).values({name: bindparam(name) for name in columns})
    return statement.on_conflict_do_update(
        index_elements=["firm_id", "id"],
        set_={name: statement.excluded[name] for name in columns if name not in ("firm_id", "id")},
        where=table.c.version < statement.excluded.version,
    ).returning(table.c.id)


def visible_to(private: bool, staff_ids: Sequence[str]) -> list[UUID] | None:
    """The `visible_to` column of a copy: None is everyone."""
    return [UUID(s) for s in staff_ids] if private else None


def uuid_or_none(value: str) -> UUID | None:
    """An optional id of an event: empty means there is none."""
    return UUID(value) if value else None
