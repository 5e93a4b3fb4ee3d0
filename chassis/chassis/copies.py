"""Small copies of what other services own, kept from their events."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from chassis.uow import Uow


def keep_newer(uow: Uow, model: Any, *, id: UUID | str, version: int, **values: Any) -> bool:
    """Keeps a state unless the copy has it, or a newer one. Says whether it was kept. `model` has `firm_id`, `id`, `version`."""
    row = {"firm_id": uow.firm_id, "id": UUID(str(id)), "version": version, **values}
    statement = insert(model).values(row)
    statement = statement.on_conflict_do_update(
        index_elements=["firm_id", "id"],
        set_={k: statement.excluded[k] for k in row if k not in ("firm_id", "id")},
        where=model.version < statement.excluded.version,
    )
    uow.keep()
    return bool(uow.session.execute(statement.returning(model.id)).first())


def visible_to(private: bool, staff_ids: Sequence[str]) -> list[UUID] | None:
    """The `visible_to` column of a copy: None is everyone."""
    return [UUID(s) for s in staff_ids] if private else None


def uuid_or_none(value: str) -> UUID | None:
    """An optional id of an event: empty means there is none."""
    return UUID(value) if value else None
