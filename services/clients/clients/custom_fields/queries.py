"""Reading custom fields."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select, text

from chassis.errors import Invalid
from chassis.service import State
from chassis.uow import Uow
from clients.custom_fields import rules
from clients.custom_fields.events import custom_field_changed
from clients.custom_fields.tables import CustomField


def list_custom_fields(uow: Uow) -> dict[str, Any]:
    """The firm's fields in their order; a firm has a hundred at most."""
    every = select(CustomField).order_by(CustomField.position, CustomField.id)
    return {"items": [view(field) for field in uow.session.scalars(every)]}


def view(field: CustomField) -> dict[str, Any]:
    names = ("id", "key", "label", "kind", "choices", "position", "active", "created_at", "updated_at", "version")
    return {name: getattr(field, name) for name in names}


def values_held(uow: Uow, key: str, most: int = 1000) -> list[str]:
    """The different values that clients have in a field, those of private clients too."""
    statement = text("SELECT value FROM custom_values(:key) ORDER BY value LIMIT :most")
    return list(uow.session.execute(statement, {"key": key, "most": most}).scalars())


def wanted(uow: Uow, said: str) -> str:
    """What a client must hold to be listed under "field:value". Errors: `custom_field_unknown`, `custom_value_invalid`."""
    key, _, value = said.partition(":")
    field = uow.session.scalar(select(CustomField).where(CustomField.key == key))
    if field is None:
        raise Invalid("custom_field_unknown", f"The firm has no field {key}.", pointer="/custom")
    return orjson.dumps({key: rules.typed(as_field(field), value)}).decode()


def as_field(field: CustomField) -> rules.Field:
    return rules.Field(field.key, field.kind, tuple(field.choices), field.active)


def all_custom_field_states(uow: Uow) -> Iterator[State]:
    """The current state of every field of the firm, to be sent again."""
    for field in uow.session.scalars(select(CustomField).order_by(CustomField.id)):
        yield field.id, field.version, custom_field_changed(field)


def read(uow: Uow, field_id: UUID) -> dict[str, Any]:
    """One field. Errors: `custom_field_not_found`."""
    return view(uow.get(CustomField, field_id))
