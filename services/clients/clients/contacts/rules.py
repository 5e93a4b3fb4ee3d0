"""What may be said of a contact. Pure."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from email_validator import EmailNotValidError, validate_email

from chassis.errors import Invalid
from clients import codes
from clients.parties.rules import tidy


def email(given: str | None) -> str | None:
    """An address mail could be sent to, its domain in small letters. Errors: `email_invalid`."""
    if given is None:
        return None
    try:
        return validate_email(given, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise Invalid("email_invalid", f"This is not an e-mail address: {error}", pointer="/email") from None


def roles(given: Iterable[str]) -> list[str]:
    """Roles in order, each once."""
    first: dict[str, str] = {}
    for role in map(tidy, given):
        first.setdefault(role.casefold(), role)
    return [first[key] for key in sorted(first)]


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """The given fields in their kept form; fields not given stay out. Errors: those of each field."""
    return {name: _KEPT[name](value) if name in _KEPT else value for name, value in given.items()}


def require_reachable(*, portal_access: bool, active: bool, email: str | None) -> None:
    """The portal signs people in by mailed codes. Errors: `portal_access_needs_email`, `portal_access_needs_active`."""
    if portal_access and not email:
        raise Invalid(
            "portal_access_needs_email",
            "Add an e-mail address: the portal signs in by mailed codes.",
            pointer="/portal_access",
        )
    if portal_access and not active:
        raise Invalid(
            "portal_access_needs_active", "A former contact can't have access to the portal.", pointer="/portal_access"
        )


def _optional_text(value: str | None) -> str | None:
    return None if value is None else tidy(value)


_KEPT: dict[str, Callable[[Any], Any]] = {
    "name": tidy,
    "email": email,
    "phone": _optional_text,
    "language": codes.language,
    "external_id": _optional_text,
}
