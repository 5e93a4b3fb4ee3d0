"""What a row of a spreadsheet says: text in, values or a list of what is wrong with which cell out. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

import pycountry
from dateutil import parser as dates

from chassis.errors import DomainError, Invalid
from clients import codes
from clients.contacts import rules as contacts
from clients.custom_fields import rules as custom_fields
from clients.engagements import rules as engagements
from clients.imports import cells
from clients.imports.mapping import CUSTOM, FIELDS, REQUIRED
from clients.parties import rules as parties
from clients.relationships import rules as relationships

Cell = str | None | dict[str, str]

MATCH_ORDER = ("id", "external_id", "number", "tax", "person")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a cell (or, without a column, with the row)."""

    code: str
    message: str
    column: str | None = None

    def shown(self) -> dict[str, str | None]:
        """As the API tells it."""
        return {"column": self.column, "code": self.code, "message": self.message}


@dataclass(frozen=True, slots=True)
class Firm:
    """What the firm's own words mean: its country decides how a date reads, its people and fields are known by name."""

    country: str
    language: str
    currency: str
    staff: Mapping[str, str | None] = field(
        default_factory=dict
    )  # name or id, folded → id; None where two share the name
    fields: Mapping[str, custom_fields.Field] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)  # of the fields, by key


@dataclass(slots=True)
class Said:
    """The row read: its values by field, and what is wrong with it."""

    facts: dict[str, Any]
    problems: list[Problem]


def read(kind: str, titles: Sequence[str], mapping: Sequence[str | None], row: Sequence[Cell], firm: Firm) -> Said:
    """The values of a row by field; empty cells say nothing."""
    said = Said({}, [])
    columns = {}
    for place, name in enumerate(mapping):
        cell = row[place] if place < len(row) else None
        if name is None or cell is None:
            continue
        columns[name] = titles[place]
        if isinstance(cell, dict):
            said.problems.append(
                Problem("formula_cell", "The cell holds a formula. Put its value there.", titles[place])
            )
            continue
        try:
            said.facts[name] = _value(kind, name, cell, firm)
        except (Invalid, _Wrong) as error:
            said.problems.append(Problem(error.code, error.message, titles[place]))
    for name in REQUIRED[kind]:
        if name not in said.facts and name not in columns:
            title = next((titles[place] for place, mapped in enumerate(mapping) if mapped == name), None)
            said.problems.append(Problem("value_missing", f"There is no {name}.", title))
    if kind == "clients":
        _client(said, columns, firm)
    if kind == "engagements":
        named = {name: title for name, title in zip(mapping, titles, strict=False) if name}
        _engagement(said, named, firm)
    if kind == "relationships" and ("other_client" in said.facts) == ("other_name" in said.facts):
        said.problems.append(Problem("other_side_required", "Name the other side: a client, or anybody else by name."))
    return said


class _Wrong(Exception):
    def __init__(self, code: str, message: str) -> None:
        self.code, self.message = code, message


def _value(kind: str, name: str, said: str, firm: Firm) -> Any:
    if name.startswith(CUSTOM):
        return _custom(name.removeprefix(CUSTOM), said, firm)
    if (kind, name) in _KINDS:
        return _one_of(said, kind, name)
    if name in _READ:
        return _READ[name](said, firm)
    if len(said) > _LONGEST.get(name, 200):
        raise _Wrong("too_long", f"{name} may have {_LONGEST.get(name, 200)} characters.")
    return parties.tidy(said) if name not in ("note", "text") else said.strip()


def _client(said: Said, columns: Mapping[str, str], firm: Firm) -> None:
    """What only makes sense together: an address has its country, a tax number that of the client."""
    facts = said.facts
    address: dict[str, Any] = {
        part: facts.pop(part) for part in ("line1", "line2", "city", "region", "postcode") if part in facts
    }
    country = facts.get("country", firm.country)
    own_country = facts.pop("address_country", None)
    if address:
        address["country"] = own_country or country
        missing = [part for part in ("line1", "city") if part not in address]
        if missing:
            column = next(iter(columns[part] for part in address if part in columns))
            said.problems.append(Problem("address_incomplete", f"An address needs {' and '.join(missing)}.", column))
        facts["address"] = address
    numbers = {scheme: facts.pop(scheme) for scheme in parties.TAX_SCHEMES if scheme in facts}
    for scheme, number in numbers.items():
        try:
            if not _TAX.match(number):
                raise Invalid(
                    "tax_number_invalid", "A tax number has letters, digits, spaces, dots, dashes and slashes."
                )
            facts.setdefault("tax_numbers", {}).update(parties.tax_numbers({scheme: number}, country))
        except Invalid as error:
            said.problems.append(Problem(error.code, error.message, columns.get(scheme)))
    custom = {name.removeprefix(CUSTOM): facts.pop(name) for name in list(facts) if name.startswith(CUSTOM)}
    if custom:
        facts["custom"] = custom


def _engagement(said: Said, columns: Mapping[str, str], firm: Firm) -> None:
    """What only makes sense together: the terms of the fee, the period, and how it ended."""
    facts = said.facts
    parts = {name: facts.pop(name) for name in ("fee", "amount", "currency", *_FEE_PARTS) if name in facts}

    def checked(check: Callable[[], Any], column: str | None = None) -> None:
        try:
            check()
        except (Invalid, _Wrong) as error:
            part = (getattr(error, "pointer", None) or "/fee/amount").removeprefix("/fee/").split("/")[0]
            said.problems.append(Problem(error.code, error.message, columns.get(column or part)))

    if "fee" in parts:
        fee: dict[str, Any] = {"kind": parts["fee"]} | {name: parts[name] for name in _FEE_PARTS if name in parts}
        currency = parts.get("currency", firm.currency)

        def money(amount: str) -> dict[str, str]:
            return {"amount": _number(amount, codes.decimals(currency)), "currency": currency}

        def priced() -> None:
            if "amount" in parts:
                fee["amount"] = money(parts["amount"])
            if "milestones" in fee:
                fee["milestones"] = [{**stage, "amount": money(stage["amount"])} for stage in fee["milestones"]]
            engagements.fee(fee)

        if not {problem.column for problem in said.problems} & {
            columns.get(name) for name in ("amount", "currency", *_FEE_PARTS)
        } - {None}:
            checked(priced)
        facts["fee"] = fee
    if "people" in facts:
        checked(lambda: engagements.people(facts["people"]), "people")
    if facts.get("status") == engagements.CLOSED and "ends_on" not in facts:
        said.problems.append(Problem("value_missing", "Say when it ended.", columns.get("ends_on", columns["status"])))
    if "starts_on" in facts and "ends_on" in facts:
        starts_on, ends_on = map(date.fromisoformat, (facts["starts_on"], facts["ends_on"]))
        checked(lambda: engagements.period(starts_on, ends_on), "ends_on")


_FEE_PARTS = ("interval", "description", "milestones", "percent")
_TAX = re.compile(r"^[A-Za-z0-9][A-Za-z0-9 ./-]{3,39}$")
_NUMBER = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,31}$")
_PHONE = re.compile(r"^[+0-9][0-9 ()./-]{3,30}$")
_LONGEST = {"external_id": 100, "line1": 200, "city": 100, "region": 100, "postcode": 20, "note": 2000, "client": 200, "text": 10_000,
            "description": 1000, "close_reason": 500}  # fmt: skip
_ISO = re.compile(r"^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]00:00(?::00)?)?$")
_NUMERIC = re.compile(r"^(\d{1,2})\s*[./-]\s*(\d{1,2})\s*[./-]\s*(\d{2}|\d{4})$")
_WORDED = re.compile(
    r"^(?P<day>\d{1,2})(?:\.|st|nd|rd|th)?\s+(?:de\s+)?(?P<month>[^\W\d_]{3,12})\.?,?\s+(?:del?\s+)?(?P<year>\d{4})$"
)
_MONTH_FIRST = frozenset({"US"})


def day(said: str, country: str) -> date:
    """A date however people write it: 2026-03-31, 31.03.2026, 31/3/26, 31 March 2026. Where both readings are possible the firm's
    country decides. Errors: `date_invalid`."""
    try:
        if found := _ISO.match(said):
            return date(*map(int, found.groups()))
        if found := _NUMERIC.match(said):
            first, second, year = map(int, found.groups())
            if len(found[3]) == 2:
                year += 1900 if year > (datetime.now(UTC).date().year + 1) % 100 else 2000
            month_first = (country in _MONTH_FIRST and "." not in said and first <= 12) or second > 12
            return date(year, first, second) if month_first else date(year, second, first)
        if (found := _WORDED.match(said)) and (month := _month(found["month"])):
            return date(int(found["year"]), month, int(found["day"]))
        if re.search(r"[^\W\d_]{3}", said) and re.search(r"\d{4}", said):
            return dates.parse(_english(said), dayfirst=True).date()
    except (ValueError, OverflowError):
        pass
    raise _Wrong("date_invalid", f"“{said[:40]}” is no date. Write it like 2026-03-31.")


_MONTHS = {
    "januar janvier enero gennaio januari jaenner": "january", "februar fevrier febrero febbraio februari": "february",
    "maerz mars marzo maart": "march", "avril abril aprile": "april", "mai mayo maggio mei": "may", "juni juin junio giugno": "june",
    "juli juillet julio luglio": "july", "aout agosto augustus": "august", "septembre septiembre settembre": "september",
    "oktober octobre octubre ottobre": "october", "novembre noviembre": "november",
    "dezember decembre diciembre dicembre december": "december",
}  # fmt: skip
_TO_ENGLISH = {name: english for names, english in _MONTHS.items() for name in names.split()}


_ENGLISH = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)


@lru_cache(maxsize=200)
def _month(name: str) -> int | None:
    """Which month a word means: März, march, mar."""
    from clients.imports.mapping import plain

    word = plain(name)
    word = _TO_ENGLISH.get(word, word)
    return next((number for number, month in enumerate(_ENGLISH, 1) if word in (month, month[:3])), None)


def _english(said: str) -> str:
    from clients.imports.mapping import plain

    return " ".join(
        _TO_ENGLISH.get(plain(word), word.strip(".,"))
        for word in re.split(r"\s+", said)
        if plain(word) not in {"de", "del"}
    )


def _year_end(said: str, firm: Firm) -> str | None:
    if re.fullmatch(r"\d{2}-\d{2}", said):
        return parties.year_end(said)
    if found := re.fullmatch(r"(\d{1,2})[./](\d{1,2})[./]?", said):
        first, second = int(found[1]), int(found[2])
        month, of_month = (first, second) if firm.country in _MONTH_FIRST or second > 12 else (second, first)
        return parties.year_end(f"{month:02d}-{of_month:02d}")
    there = day(said if re.search(r"\d{4}", said) else f"{said} 2001", firm.country)
    return parties.year_end(f"{there:%m-%d}")


def _born_on(said: str, firm: Firm) -> str:
    born = day(said, firm.country)
    if not date(1850, 1, 1) <= born <= datetime.now(UTC).date():
        raise _Wrong("date_invalid", f"Nobody alive was born on {born}.")
    return born.isoformat()


@lru_cache(maxsize=2000)
def _country_code(said: str) -> str:
    if re.fullmatch(r"[A-Za-z]{2}", said):
        return codes.country(said.upper())
    if said.casefold() in _COUNTRIES:
        return _COUNTRIES[said.casefold()]
    try:
        return str(pycountry.countries.lookup(said).alpha_2)
    except LookupError:
        raise _Wrong("unknown_country", f"{said[:40]} is not a country. Use a code, such as GB.") from None


_COUNTRIES = {
    "deutschland": "DE", "allemagne": "DE", "österreich": "AT", "autriche": "AT", "schweiz": "CH", "suisse": "CH", "svizzera": "CH",
    "england": "GB", "uk": "GB", "scotland": "GB", "wales": "GB", "großbritannien": "GB", "frankreich": "FR", "italien": "IT",
    "italia": "IT", "spanien": "ES", "españa": "ES", "niederlande": "NL", "nederland": "NL", "belgien": "BE", "belgië": "BE",
    "belgique": "BE", "luxemburg": "LU", "polen": "PL", "polska": "PL", "usa": "US", "irland": "IE", "dänemark": "DK", "schweden": "SE",
}  # fmt: skip


def _country(said: str, _firm: Firm) -> str:
    return _country_code(said.strip())


@lru_cache(maxsize=2000)
def _one_of(said: str, kind: str, name: str) -> str:
    from clients.imports.mapping import plain

    known, word = _KINDS[kind, name], plain(said)
    for value, words in known.items():
        if word in (value, *words.split()):
            return value
    raise _Wrong(f"{name}_unknown", f"{said[:40]} is none of {', '.join(known)}.")


_KINDS: dict[tuple[str, str], dict[str, str]] = {
    ("clients", "kind"): {
        "person": "individual natural_person private privatperson natuerliche_person particulier persona particulare persoon p",
        "organisation": "organization company business firma unternehmen juristische_person entreprise societe empresa societa bedrijf "
        "corporation limited ltd llc gmbh ag ug kg partnership trust charity sole_trader o",
    },
    ("clients", "status"): {
        "prospect": "lead interessent potential potenziell prospecto",
        "active": "aktiv actif activo attivo actief current live open yes ja",
        "former": "inactive inaktiv ehemalig ancien archived archiviert closed left inactif inactivo no nein",
    },
    ("groups", "kind"): {"family": "familie famille familia famiglia", "corporate": "konzern company groupe_de_societes", "other": "andere autre"},
    ("custom_fields", "kind"): dict.fromkeys(("text", "number", "date", "choice", "staff"), ""),
    ("relationships", "kind"): dict.fromkeys(relationships.INVERSE, ""),
    ("engagements", "status"): {"open": "active offen ouvert abierto aperto", "closed": "ended done geschlossen clos cerrado chiuso former"},
    ("engagements", "interval"): {"monthly": "month monatlich mensuel mensual mensile", "quarterly": "quarter vierteljaehrlich trimestriel trimestral",
        "yearly": "year annual annually jaehrlich annuel anual annuale"},
    ("engagements", "fee"): {"hourly": "time time_and_materials stunden nach_stunden", "capped": "hourly_capped", "fixed": "fixed_fee fest pauschal forfait",
        "recurring": "subscription wiederkehrend abonnement", "milestone": "milestones stages", "retainer": "", "contingent": "success success_fee"},
}  # fmt: skip


def _yes(said: str, _firm: Firm) -> bool:
    word = said.casefold()
    if word in {"yes", "y", "true", "1", "x", "ja", "j", "oui", "si", "sí", "wahr", "vrai"}:
        return True
    if word in {"no", "n", "false", "0", "-", "nein", "non", "nee", "falsch", "faux"}:
        return False
    raise _Wrong("yes_or_no", f"{said[:20]} is neither yes nor no.")


def _staff_id(said: str, firm: Firm) -> str:
    found = firm.staff.get(said.casefold(), "")
    if found == "":
        raise _Wrong("unknown_staff", f"Nobody who works at the firm is called {said[:60]}.")
    if found is None:
        raise _Wrong("staff_ambiguous", f"Two who work at the firm are called {said[:60]}. Give the id.")
    return found


def _matching(pattern: re.Pattern[str], code: str, says: str) -> Callable[[str, Firm], str]:
    def checked(said: str, _firm: Firm) -> str:
        if not pattern.match(said):
            raise _Wrong(code, f"{said[:40]} is no {says}.")
        return said

    return checked


def _tags(said: str, _firm: Firm) -> list[str]:
    wanted = parties.tags(cells.listed(said if ";" in said or "\\" in said else said.replace(",", ";")))
    if len(wanted) > 30 or any(len(tag) > 40 for tag in wanted):
        raise _Wrong("too_long", "There may be 30 tags of 40 characters.")
    return wanted


def _names(said: str, _firm: Firm) -> list[str]:
    return parties.names(cells.listed(said))


def _custom(key: str, said: str, firm: Firm) -> Any:
    known = firm.fields.get(key)
    if known is None:
        raise _Wrong("custom_field_unknown", f"The firm has no field {key}.")
    if known.kind == custom_fields.DATE:
        return day(said, firm.country).isoformat()
    if known.kind == custom_fields.STAFF:
        return _staff_id(said, firm)
    return custom_fields.typed(known, said.replace(",", ".") if known.kind == custom_fields.NUMBER else said)


def _service(said: str, _firm: Firm) -> str:
    """ "VAT return" is kept as vat_return."""
    from clients.imports.mapping import plain

    name = said if _NAME.match(said) else plain(said)[:40]
    if not _NAME.match(name):
        raise _Wrong("service_invalid", f"{said[:40]} is no kind of work. Use a word, such as vat or payroll.")
    return name


def _number(said: str, decimals: int = 2) -> str:
    """An amount however people write it, 1,200.50 or 1.200,50 or 1'200.50, as 1200.50. Errors: `amount_invalid`, `amount_ambiguous`
    for 1.200, which is said for twelve hundred and for one and a fifth."""
    digits = re.sub(r"['’\s]", "", said)
    if re.fullmatch(r"[1-9]\d{0,2}[.]\d{3}", digits) and decimals < 3:
        raise _Wrong("amount_ambiguous", f"{said[:40]} can be read in two ways. Write it like 1200.50.")
    if re.fullmatch(r"[1-9]\d{0,2}(,\d{3})+|[1-9]\d{0,2}([.]\d{3}){2,}", digits):
        digits = re.sub(r"[.,]", "", digits)
    elif separators := re.findall(r"[.,]", digits):
        whole, _, rest = digits.rpartition(separators[-1])
        digits = f"{re.sub(r'[.,]', '', whole)}.{rest}"
    if not re.fullmatch(r"\d{1,15}([.]\d{1,6})?", digits):
        raise _Wrong("amount_invalid", f"{said[:40]} is no amount. Write it like 1200.50.")
    return digits


def _percent(said: str, _firm: Firm) -> str:
    share = _number(said.rstrip("% "))
    if not re.fullmatch(r"\d{1,3}([.]\d{1,2})?", share):
        raise _Wrong("fee_percent_invalid", "The share is above 0 and at most 100 percent, with two decimals at most.")
    return share


def _people(said: str, firm: Firm) -> list[dict[str, str]]:
    """ "preparer: Ada Byron; reviewer: Ben Okri"."""
    named = []
    for one in cells.listed(said):
        role, colon, who = one.partition(":")
        if not colon or not _NAME.match(role.strip()):
            raise _Wrong(
                "people_invalid", f"“{one[:60]}” should say a job role and who has it, like preparer: Ada Byron."
            )
        named.append({"job_role": role.strip(), "staff_id": _staff_id(who.strip(), firm)})
    if len(named) > 30:
        raise _Wrong("too_long", "There may be 30 people.")
    return named


_STAGE = re.compile(r"^(?P<title>.+):\s*(?P<amount>[0-9.,'’ ]+?)(?:\s+by\s+(?P<day>[0-9./-]+))?$")


def _milestones(said: str, firm: Firm) -> list[dict[str, str]]:
    """ "Draft: 500.00; Hand-over: 700.00 by 2026-09-30"."""
    stages = []
    for one in cells.listed(said):
        found = _STAGE.match(one)
        if found is None or len(found["title"].strip()) > 200:
            raise _Wrong(
                "milestones_invalid",
                f"“{one[:60]}” should say a stage and its amount, like Draft: 500.00 by 2026-09-30.",
            )
        stage = {"title": found["title"].strip(), "amount": found["amount"]}
        stages.append(stage | ({"due_on": day(found["day"], firm.country).isoformat()} if found["day"] else {}))
    if len(stages) > 50:
        raise _Wrong("too_long", "There may be 50 stages.")
    return stages


def _instant(said: str, firm: Firm) -> str:
    """A moment as an export writes it, or a day."""
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        moment = datetime.combine(day(said, firm.country), time())
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment.year < 1900 or moment > datetime.now(UTC) + timedelta(days=1):
        raise _Wrong("date_invalid", f"Nothing was written on {said[:40]}.")
    return moment.astimezone(UTC).isoformat()


_NAME = re.compile(r"^[a-z][a-z0-9_-]{0,39}$")
_READ: dict[str, Callable[[str, Firm], Any]] = {
    "id": _matching(re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"), "id_invalid", "id"),
    "number": _matching(_NUMBER, "number_invalid", "client number: letters and digits, 32 at most"),
    "phone": _matching(_PHONE, "phone_invalid", "telephone number"),
    "vat": lambda said, _firm: said,
    "income_tax": lambda said, _firm: said,
    "payroll": lambda said, _firm: said,
    "currency": lambda said, _firm: codes.currency(said.upper()),
    "language": lambda said, _firm: codes.language(said if "-" in said else said.lower()),
    "country": _country,
    "address_country": _country,
    "year_end": _year_end,
    "born_on": _born_on,
    "since": lambda said, firm: day(said, firm.country).isoformat(),
    "until": lambda said, firm: day(said, firm.country).isoformat(),
    "email": lambda said, _firm: contacts.email(said),
    "tags": _tags,
    "other_names": _names,
    "former_names": _names,
    "choices": lambda said, _firm: cells.listed(said),
    "roles": lambda said, _firm: contacts.roles(cells.listed(said)),
    "partner": _staff_id,
    "manager": _staff_id,
    "visible_to": lambda said, firm: [_staff_id(name, firm) for name in cells.listed(said)],
    "service": _service,
    "starts_on": lambda said, firm: day(said, firm.country).isoformat(),
    "ends_on": lambda said, firm: day(said, firm.country).isoformat(),
    "people": _people,
    "amount": lambda said, _firm: said,
    "percent": _percent,
    "milestones": _milestones,
    "mentions": lambda said, firm: [_staff_id(name, firm) for name in cells.listed(said)],
    "author_id": _matching(re.compile(r"^(staff|partner|service):[0-9A-Za-z-]{1,60}$"), "id_invalid", "author's id"),
    "written_at": _instant,
    "pinned": _yes,
    "active": _yes,
    "portal_access": _yes,
    "bills_group": _yes,
    "position": lambda said, _firm: int(_matching(re.compile(r"^\d{1,6}$"), "number_invalid", "number")(said, _firm)),
}


def require_mapped(
    kind: str, titles: Sequence[str], mapping: Sequence[str | None], custom: Mapping[str, str], *, ignore: bool
) -> None:
    """The mapping is whole. Errors: `mapping_invalid`, `field_mapped_twice`, `field_not_mapped`, `unknown_columns`."""
    if len(mapping) != len(titles):
        raise Invalid(
            "mapping_invalid",
            f"There are {len(titles)} columns; say of each what it means, or null.",
            pointer="/tables",
        )
    known = {*FIELDS[kind], *(CUSTOM + key for key in custom)} if kind == "clients" else set(FIELDS[kind])
    for name in mapping:
        if name is not None and name not in known:
            raise Invalid("mapping_invalid", f"{kind} have no field {name}.", pointer="/tables")
    named = [name for name in mapping if name is not None]
    if twice := sorted({name for name in named if named.count(name) > 1}):
        raise Invalid("field_mapped_twice", f"Two columns mean {twice[0]}.", pointer="/tables")
    if missing := [name for name in REQUIRED[kind] if name not in named]:
        raise Invalid("field_not_mapped", f"No column means {missing[0]}, which every row needs.", pointer="/tables")
    unknown = [title for title, name in zip(titles, mapping, strict=True) if name is None and title]
    if unknown and not ignore:
        raise Invalid(
            "unknown_columns",
            f"Nobody said what {', '.join(unknown[:5])} mean. Map them, or ask to ignore what is not mapped.",
            pointer="/ignore_unknown",
            columns=unknown,
        )


def new_field(facts: Mapping[str, Any]) -> custom_fields.Field:
    """The field of the firm's own that a row makes."""
    key = facts.get("key") or custom_fields.key(facts["label"])
    return custom_fields.Field(key, facts["kind"], tuple(facts.get("choices", ())))


def unexpected(error: DomainError) -> Problem:
    """A refusal of the usual rules, as a problem of the row."""
    pointer = (getattr(error, "pointer", None) or "").strip("/").split("/")[0] or None
    return Problem(error.code, error.message, pointer)
