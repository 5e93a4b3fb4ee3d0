"""What a custom field may be and hold. Pure."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from chassis.errors import Conflict, Invalid
from clients.parties.rules import tidy

TEXT, NUMBER, DATE, CHOICE, STAFF = "text", "number", "date", "choice", "staff"

_LONGEST = 1000
_LARGEST = 10**15
_NUMERAL = re.compile(r"^-?[0-9]{1,15}([.][0-9]{1,15})?$")


@dataclass(frozen=True, slots=True)
class Field:
    """A field as far as its values are concerned."""

    key: str
    kind: str
    choices: tuple[str, ...] = ()
    active: bool = True


def key(label: str) -> str:
    """What programs call a field: "Région (UK)" becomes "region_uk"."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    return re.sub(r"^[^a-z]+", "", re.sub(r"[^a-z0-9]+", "_", plain)).strip("_")[:40] or "field"


def choices(kind: str, given: Iterable[str]) -> list[str]:
    """The choices in their order, each once. Errors: `custom_choices_required`, `custom_choices_unexpected`."""
    kept = list(dict.fromkeys(tidy(choice) for choice in given))
    if kind == CHOICE and not kept:
        raise Invalid("custom_choices_required", "Name at least one choice.", pointer="/choices")
    if kind != CHOICE and kept:
        raise Invalid(
            "custom_choices_unexpected", f"A {kind} field has no choices. Leave them out.", pointer="/choices"
        )
    return kept


def require_kind_changeable(now: str, wanted: str, *, in_use: bool) -> None:
    """A field that holds values stays what it is: they would mean nothing. Errors: `custom_field_in_use`."""
    if wanted != now and in_use:
        raise Conflict(
            "custom_field_in_use",
            f"Clients have values in this {now} field, so it can't become a {wanted} field. Add a new field instead.",
            pointer="/kind",
        )


def require_choices_kept(wanted: Collection[str], held: Iterable[str]) -> None:
    """A choice that clients have can't be taken away. Errors: `custom_choice_in_use`."""
    if lost := sorted(set(held) - set(wanted)):
        raise Conflict(
            "custom_choice_in_use",
            f"Clients have {', '.join(lost[:5])}. Keep it, or change those clients first.",
            pointer="/choices",
            choices=lost,
        )


def require_unused(*, in_use: bool) -> None:
    """A field that holds values is switched off, not deleted. Errors: `custom_field_in_use`."""
    if in_use:
        raise Conflict("custom_field_in_use", "Clients have values in this field. Make it inactive instead.")


def values(fields: Mapping[str, Field], given: Mapping[str, Any], held: Mapping[str, Any]) -> dict[str, Any]:
    """What a client holds after `given` was said of it: null empties a field, fields left out stay.

    Errors: `custom_field_unknown`, `custom_field_inactive`, `custom_value_invalid`.
    """
    after = dict(held)
    for name, said in given.items():
        field = fields.get(name)
        if field is None:
            raise Invalid("custom_field_unknown", f"The firm has no field {name}.", pointer=f"/custom/{name}")
        if said is None:
            after.pop(name, None)
            continue
        kept = value(field, said)
        if not field.active and kept != held.get(name):
            raise Invalid("custom_field_inactive", f"The field {name} is not used any more.", pointer=f"/custom/{name}")
        after[name] = kept
    return after


def value(field: Field, said: Any) -> Any:
    """A value as it is kept. Errors: `custom_value_invalid`."""
    if (kept := _READ[field.kind](said, field)) is None:
        raise Invalid(
            "custom_value_invalid",
            f"{field.key} must be {_SAYS[field.kind].format(', '.join(field.choices))}.",
            pointer=f"/custom/{field.key}",
        )
    return kept


def typed(field: Field, said: str) -> Any:
    """A value written as text (in an address, in a spreadsheet) as it is kept. Errors: `custom_value_invalid`."""
    if field.kind == NUMBER and _NUMERAL.match(said):
        return value(field, float(said) if "." in said else int(said))
    return value(field, said)


def _text(said: Any, _field: Field) -> str | None:
    return tidy(said) if isinstance(said, str) and said.strip() and len(said) <= _LONGEST else None


def _number(said: Any, _field: Field) -> int | float | None:
    is_number = isinstance(said, (int, float)) and not isinstance(said, bool)
    return said if is_number and -_LARGEST < said < _LARGEST else None


def _date(said: Any, _field: Field) -> str | None:
    try:
        return date.fromisoformat(said).isoformat()
    except (TypeError, ValueError):
        return None


def _choice(said: Any, field: Field) -> str | None:
    return said if said in field.choices else None


def _staff(said: Any, _field: Field) -> str | None:
    try:
        return str(UUID(said))
    except (TypeError, ValueError, AttributeError):
        return None


_READ = {TEXT: _text, NUMBER: _number, DATE: _date, CHOICE: _choice, STAFF: _staff}
_SAYS = {
    TEXT: f"text of at most {_LONGEST} characters",
    NUMBER: "a number",
    DATE: "a date, such as 2026-03-31",
    CHOICE: "one of {}",
    STAFF: "the id of a member of staff",
}
