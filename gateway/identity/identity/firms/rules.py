"""What a firm's settings may be."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

DEFAULTS: dict[str, Any] = {
    "holidays_region": "",
    "language": "en",
    "week_start": 1,
    "quiet_from": "20:00",
    "quiet_until": "07:00",
}


@dataclass(frozen=True, slots=True)
class Known:
    """What exists in the world: IANA time zones, ISO 4217 currencies, ISO 3166-1 countries and their ISO 3166-2 regions."""

    time_zones: AbstractSet[str]
    currencies: AbstractSet[str]
    countries: AbstractSet[str]
    regions: AbstractSet[str]  # "GB-ENG"


@dataclass(frozen=True, slots=True)
class Fault:
    """A setting that can't be, with a stable code."""

    field: str
    code: str
    message: str


def faults(settings: dict[str, Any], known: Known) -> list[Fault]:
    """What is wrong with a firm's settings, in the order of the form."""
    found = []
    if settings["time_zone"] not in known.time_zones:
        found.append(
            Fault("time_zone", "time_zone_unknown", "There is no such time zone. Use a name such as Europe/London.")
        )
    if settings["currency"] not in known.currencies:
        found.append(
            Fault("currency", "currency_unknown", "There is no such currency. Use an ISO 4217 code such as GBP.")
        )
    if settings["country"] not in known.countries:
        found.append(Fault("country", "country_unknown", "There is no such country. Use an ISO 3166 code such as GB."))
    elif settings["holidays_region"] and f"{settings['country']}-{settings['holidays_region']}" not in known.regions:
        found.append(
            Fault(
                "holidays_region",
                "region_unknown",
                "This country has no such region. Leave it empty for the whole country.",
            )
        )
    return found
