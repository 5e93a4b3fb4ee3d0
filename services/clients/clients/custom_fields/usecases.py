"""What one can do with custom fields and their values: load, decide, save, announce."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from chassis.db import new_id
from chassis.errors import Conflict
from chassis.uow import Uow
from clients.copies.usecases import require_active_staff
from clients.custom_fields import rules
from clients.custom_fields.events import custom_field_changed
from clients.custom_fields.queries import as_field, values_held
from clients.custom_fields.tables import CustomField
from clients.parties.rules import tidy
from clients.trail import audit_change

MOST = 100  # fields a firm may have
_AUDITED = ("key", "label", "kind", "choices", "position", "active")


def create_custom_field(uow: Uow, body: Mapping[str, Any]) -> CustomField:
    """A new field. Errors: `custom_field_key_taken`, `custom_fields_too_many`, those of `rules.choices`."""
    many = uow.session.scalar(select(func.count()).select_from(CustomField)) or 0
    if many >= MOST:
        raise Conflict("custom_fields_too_many", f"A firm can have {MOST} fields of its own.")
    field = CustomField(
        id=new_id(),
        key=body.get("key") or rules.key(body["label"]),
        label=tidy(body["label"]),
        kind=body["kind"],
        choices=rules.choices(body["kind"], body.get("choices", ())),
        position=body.get("position", many + 1),
        active=True,
        created_at=uow.now,
        updated_at=uow.now,
    )
    uow.add(field)
    _announce(uow, field)
    uow.audit("custom_field.created", "custom_field", field.id, after=_shown(field))
    return field


def change_custom_field(uow: Uow, field_id: UUID, body: Mapping[str, Any], *, if_match: int | None) -> CustomField:
    """Changes the given parts. Errors: `custom_field_not_found`, `version_conflict`, `custom_field_in_use`, `custom_choice_in_use`."""
    field = uow.get(CustomField, field_id, lock=True, version=if_match)
    before = _shown(field)
    kind = body.get("kind", field.kind)
    if kind != field.kind:
        rules.require_kind_changeable(field.kind, kind, in_use=bool(values_held(uow, field.key, 1)))
    if "choices" in body or kind != field.kind:
        kept = rules.choices(kind, body.get("choices", ()))
        if kind == field.kind == rules.CHOICE:
            rules.require_choices_kept(kept, values_held(uow, field.key))
        field.choices = kept
    field.kind = kind
    for part in ("position", "active"):
        setattr(field, part, body.get(part, getattr(field, part)))
    if "label" in body:
        field.label = tidy(body["label"])
    if _shown(field) != before:
        field.updated_at = uow.now
        uow.session.flush()
        _announce(uow, field)
        audit_change(uow, "custom_field.changed", "custom_field", field.id, before=before, after=_shown(field))
    return field


def delete_custom_field(uow: Uow, field_id: UUID, *, if_match: int | None) -> None:
    """Deletes a field no client has a value in. Errors: `custom_field_not_found`, `version_conflict`, `custom_field_in_use`."""
    field = uow.get(CustomField, field_id, lock=True, version=if_match)
    rules.require_unused(in_use=bool(values_held(uow, field.key, 1)))
    uow.session.delete(field)
    uow.session.flush()
    field.active = False
    gone = custom_field_changed(field)
    gone.version += 1
    uow.announce(gone, subject=field.id, version=gone.version)
    uow.audit("custom_field.deleted", "custom_field", field.id, before=_shown(field))


def values(uow: Uow, given: Mapping[str, Any], held: Mapping[str, Any]) -> dict[str, Any]:
    """What a client holds after `given` was said of it. Errors: those of `rules.values`, `unknown_staff`."""
    if not given:
        return dict(held)
    # Shared lock: a field doesn't change its kind while a value is put into it.
    named = select(CustomField).where(CustomField.key.in_(given)).with_for_update(read=True)
    fields = {field.key: as_field(field) for field in uow.session.scalars(named)}
    after = rules.values(fields, given, held)
    require_active_staff(
        uow,
        [
            (f"/custom/{key}", UUID(after[key]))
            for key, field in fields.items()
            if field.kind == rules.STAFF and after.get(key) and after.get(key) != held.get(key)
        ],
    )
    return after


def _announce(uow: Uow, field: CustomField) -> None:
    uow.announce(custom_field_changed(field), subject=field.id, version=field.version)


def _shown(field: CustomField) -> dict[str, Any]:
    return {name: getattr(field, name) for name in _AUDITED}
