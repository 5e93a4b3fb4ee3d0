"""Whether a tax number can be one: form and check digits as each jurisdiction has them (python-stdnum). Pure."""

from functools import cache
from typing import Any

from stdnum.util import get_cc_module

# What may stand as an income tax or payroll number, of persons and organisations. A jurisdiction that is not here is not checked.
_INCOME_TAX = {
    "AT": ("tin",),
    "AU": ("tfn", "abn"),
    "BE": ("nn", "vat"),
    "BR": ("cpf", "cnpj"),
    "CA": ("sin", "bn"),
    "CH": ("uid",),
    "DE": ("stnr", "idnr"),
    "DK": ("cpr", "cvr"),
    "ES": ("nif",),
    "FI": ("hetu", "ytunnus"),
    "FR": ("nif", "siren", "siret"),
    "GB": ("utr",),
    "IE": ("pps",),
    "IN": ("pan",),
    "IT": ("codicefiscale", "iva"),
    "MX": ("rfc",),
    "NL": ("bsn", "btw"),
    "NO": ("fodselsnummer", "orgnr"),
    "NZ": ("ird",),
    "PL": ("pesel", "nip"),
    "PT": ("nif",),
    "SE": ("personnummer", "orgnr"),
    "SG": ("uen",),
    "US": ("tin",),
    "ZA": ("tin", "idnr"),
}
_PAYROLL = {"US": ("ein",)}
# Countries whose VAT numbers begin with letters that are not their ISO code.
_VAT_PREFIX = {"EL": "GR", "XI": "GB"}


def plausible(scheme: str, number: str, country: str) -> bool:
    """Whether the number can be one of that scheme there; yes where the jurisdiction's form is not known."""
    if scheme == "vat":
        return _vat(number, country)
    forms = (_INCOME_TAX if scheme == "income_tax" else _PAYROLL).get(country, ())
    return not forms or any(_fits(country, form, number) for form in forms)


def _vat(number: str, country: str) -> bool:
    """A VAT number of the client's own country, or of the one its first two letters name (a registration abroad)."""
    abroad = _VAT_PREFIX.get(number[:2], number[:2])
    own = _form(country, "vat") is None or _fits(country, "vat", number)
    if abroad == country or _form(abroad, "vat") is None:
        return own or (abroad == country and _fits(country, "vat", number[2:]))
    known = _form(country, "vat") is not None
    return (known and own) or _fits(abroad, "vat", number) or _fits(abroad, "vat", number[2:])


def _fits(country: str, form: str, number: str) -> bool:
    module = _form(country, form)
    return module is not None and bool(module.is_valid(number))


@cache
def _form(country: str, form: str) -> Any:
    return get_cc_module(country.lower(), form) if country.isalpha() else None
