"""What exists in the world, from well-kept lists: pycountry (ISO 4217, 3166) and the IANA time zones."""

from functools import cache
from zoneinfo import available_timezones

import pycountry

from identity.firms.rules import Known


@cache
def known() -> Known:
    return Known(
        time_zones=available_timezones(),
        currencies={c.alpha_3 for c in pycountry.currencies},
        countries={c.alpha_2 for c in pycountry.countries},
        regions={s.code for s in pycountry.subdivisions},
    )
