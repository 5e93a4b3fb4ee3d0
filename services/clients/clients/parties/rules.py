"""What may be said of a client. Pure: values in, values or a refusal out."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from chassis.errors import Conflict, Invalid
from clients import codes
from clients.parties import tax

PROSPECT, ACTIVE, FORMER = "prospect", "active", "former"
_SCHEMES = {"vat": "VAT", "income_tax": "income tax", "payroll": "payroll"}
TAX_SCHEMES = tuple(_SCHEMES)

_SERIES = re.compile(r"^C0*([1-9]\d{0,8})$", re.IGNORECASE)


def tidy(text: str) -> str:
    """Spaces at the ends and double ones inside say nothing."""
    return " ".join(text.split())


def tags(given: Iterable[str]) -> list[str]:
    """Tags in order, each once: "VIP" and "vip" are one tag, spelled as given first."""
    first: dict[str, str] = {}
    for tag in map(tidy, given):
        first.setdefault(tag.casefold(), tag)
    return [first[key] for key in sorted(first)]


def names(given: Iterable[str]) -> list[str]:
    """Names in the order given, each once."""
    return list(dict.fromkeys(map(tidy, given)))


def former_names(so_far: Sequence[str], name: str, wanted: str | None) -> list[str]:
    """The names something had before, oldest first, once it is called `wanted`."""
    return no_longer_called(so_far, [name], [name if wanted is None else wanted])


def no_longer_called(so_far: Sequence[str], before: Iterable[str], after: Collection[str]) -> list[str]:
    """The names something had, oldest first, once it has those of `after` instead of `before`: nobody is lost by a new name."""
    return list(dict.fromkeys([*so_far, *(name for name in before if name not in after)]))


def year_end(day: str | None) -> str | None:
    """A day of every year, MM-DD. Errors: `year_end_invalid` (also for 29 February, which most years lack)."""
    if day is None:
        return None
    try:
        date.fromisoformat(f"2001-{day}")
    except ValueError:
        raise Invalid(
            "year_end_invalid", f"{day} is not a day of every year. Write MM-DD, such as 03-31.", pointer="/year_end"
        ) from None
    return day


def born_on(day: str | None) -> date | None:
    """When a person was born. Errors: `born_on_invalid`."""
    if day is None:
        return None
    born = date.fromisoformat(day)
    if born.year < 1850 or born > datetime.now(UTC).date():
        raise Invalid("born_on_invalid", f"Nobody alive was born on {day}.", pointer="/born_on")
    return born


def address(given: Mapping[str, str] | None) -> dict[str, str] | None:
    """An address without empty lines. Errors: `unknown_country`."""
    if given is None:
        return None
    codes.country(given["country"], "/address/country")
    return {part: tidy(text) for part, text in given.items() if text.strip()}


def tax_number(number: str) -> str:
    """A tax number as it is compared: capitals and digits only."""
    return re.sub(r"[^A-Z0-9]", "", number.upper())


def tax_numbers(given: Mapping[str, str | None], country: str) -> dict[str, str | None]:
    """Tax numbers by scheme as they are compared. Errors: `tax_number_invalid` for what can't be one in that jurisdiction."""
    kept = {scheme: None if number is None else tax_number(number) for scheme, number in given.items()}
    for scheme, number in kept.items():
        if number is not None and (len(number) < 4 or not tax.plausible(scheme, number, country)):
            raise Invalid(
                "tax_number_invalid",
                f"This can't be a number for {_SCHEMES[scheme]} in {country}: its form or its check digit is wrong.",
                pointer=f"/tax_numbers/{scheme}",
            )
    return kept


def masked(number: str) -> str:
    """A tax number as it is shown: its last four characters; of a short one fewer, so that half stays hidden."""
    shown = min(4, len(number) // 2)
    return "*" * (len(number) - shown) + number[len(number) - shown :]


def tax_label(country: str, shown: str | None) -> str:
    """What an invoice may show of a VAT number, given masked: "VAT GB *******6789"; empty without one."""
    return f"VAT {country} {shown}" if shown else ""


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """The given fields in their kept form; fields not given stay out. Errors: those of each field."""
    return {name: _KEPT.get(name, _as_is)(value) for name, value in given.items()}


def require_named(visible_to: Sequence[Any] | None, actor: Any) -> None:
    """Whoever makes a client private must stay able to see it. Errors: `private_without_you`."""
    if visible_to is not None and actor not in visible_to:
        raise Invalid(
            "private_without_you",
            "Name yourself among those who may see the client, or you would lose it.",
            pointer="/visible_to",
        )


def require_activatable(status: str) -> None:
    """Prospects and former clients become active. Errors: `client_already_active`."""
    if status == ACTIVE:
        raise Conflict("client_already_active", "This client is active already.")


def require_archivable(status: str, open_engagements: Sequence[str]) -> None:
    """A client becomes former once nothing is open. Errors: `client_already_former`, `client_has_open_engagements`."""
    if status == FORMER:
        raise Conflict("client_already_former", "This client was archived already.")
    if open_engagements:
        raise Conflict(
            "client_has_open_engagements",
            f"Close the open engagements first: {', '.join(open_engagements[:5])}.",
            engagements=list(open_engagements),
        )


def require_removable(holds: Sequence[str]) -> None:
    """Only a client entered by mistake goes: one nothing was ever done for. Errors: `client_in_use`."""
    if holds:
        raise Conflict(
            "client_in_use",
            f"It has {' and '.join(filter(None, [', '.join(holds[:-1]), holds[-1]]))}. Archive the client instead.",
            holds=list(holds),
        )


def series_number(position: int) -> str:
    """The firm's n-th own client number: "C00042"."""
    return f"C{position:05d}"


def series_position(number: str) -> int | None:
    """The place in the firm's own series that a number takes up, or None: one typed by hand must not be given out again."""
    found = _SERIES.match(number)
    return int(found[1]) if found else None


def _as_is(value: Any) -> Any:
    return value


def _optional_text(value: str | None) -> str | None:
    return None if value is None else tidy(value)


_KEPT: dict[str, Callable[[Any], Any]] = {
    "name": tidy,
    "currency": codes.currency,
    "country": codes.country,
    "language": codes.language,
    "year_end": year_end,
    "born_on": born_on,
    "address": address,
    "tags": tags,
    "other_names": names,
    "external_id": _optional_text,
}
