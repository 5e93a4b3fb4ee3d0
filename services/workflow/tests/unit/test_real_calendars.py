"""Dates that tax authorities have published, and the rules that give them.

US federal tax: 26 USC 7503 moves an act whose last day is a Saturday, a Sunday or a legal holiday in the District of Columbia to
the next day that is none. The dates of 2024 to 2026 are those of IRS Publication 509, "Tax Calendars", of each year; later ones
follow from the statute by hand. 18 April 2022 and 18 April 2023 are what the IRS announced on 10 January 2022 and 12 January
2023: Emancipation Day (DC Code 1-612.02) was observed on Friday the 15th and on Monday the 17th.

UK VAT: the Value Added Tax Regulations 1995 (SI 1995/2518), regulations 25 and 25A, with HMRC's notice 700/12: a return sent
online and its payment are due one month and seven days after the end of the period. HMRC does not move that day; a payment that
is not a Faster Payment has to arrive on the last working day before it.
"""

from datetime import date

import pytest

from workflow.dates.rules import Calendar, DateRule, resolve
from workflow.templates.rules import Situation, normal, parse, plan

FIRM = Calendar("GB", "ENG")  # wherever the firm is, the law's calendar decides


def us(months: int, days: int = 0) -> DateRule:
    return DateRule("period_end", amount=months, unit="months", plus_days=days, roll="next", calendar="US-DC")


PARTNERSHIP = us(2, 15)  # Forms 1065, 1120-S: 15th day of the 3rd month after the tax year
INDIVIDUAL = us(3, 15)  # Forms 1040, 1041, 1120: 15th day of the 4th month
EXEMPT = us(4, 15)  # Form 990: 15th day of the 5th month
EMPLOYER = us(1)  # Form 941: last day of the month after the quarter
ESTIMATED = us(
    0, 15
)  # Form 1040-ES: the 15th after the instalment's period (to 31 March, 31 May, 31 August, 31 December)


@pytest.mark.parametrize(
    ("rule", "period_end", "due"),
    [
        (PARTNERSHIP, "2023-12-31", "2024-03-15"),
        (PARTNERSHIP, "2024-12-31", "2025-03-17"),
        (PARTNERSHIP, "2025-12-31", "2026-03-16"),
        (PARTNERSHIP, "2026-12-31", "2027-03-15"),
        (INDIVIDUAL, "2021-12-31", "2022-04-18"),
        (INDIVIDUAL, "2022-12-31", "2023-04-18"),
        (INDIVIDUAL, "2023-12-31", "2024-04-15"),
        (INDIVIDUAL, "2024-12-31", "2025-04-15"),
        (INDIVIDUAL, "2025-12-31", "2026-04-15"),
        (INDIVIDUAL, "2026-12-31", "2027-04-15"),
        (INDIVIDUAL, "2027-12-31", "2028-04-18"),
        (EXEMPT, "2023-12-31", "2024-05-15"),
        (EXEMPT, "2024-12-31", "2025-05-15"),
        (EXEMPT, "2025-12-31", "2026-05-15"),
        (EXEMPT, "2026-12-31", "2027-05-17"),
        (EMPLOYER, "2023-12-31", "2024-01-31"),
        (EMPLOYER, "2024-03-31", "2024-04-30"),
        (EMPLOYER, "2024-06-30", "2024-07-31"),
        (EMPLOYER, "2024-09-30", "2024-10-31"),
        (EMPLOYER, "2024-12-31", "2025-01-31"),
        (EMPLOYER, "2025-12-31", "2026-02-02"),
        (EMPLOYER, "2026-09-30", "2026-11-02"),
        (EMPLOYER, "2026-12-31", "2027-02-01"),
        (ESTIMATED, "2023-12-31", "2024-01-16"),  # the 15th was Martin Luther King's day
        (ESTIMATED, "2024-03-31", "2024-04-15"),
        (ESTIMATED, "2024-05-31", "2024-06-17"),
        (ESTIMATED, "2024-08-31", "2024-09-16"),
        (ESTIMATED, "2024-12-31", "2025-01-15"),
        (ESTIMATED, "2025-05-31", "2025-06-16"),
        (ESTIMATED, "2025-08-31", "2025-09-15"),
        (ESTIMATED, "2026-05-31", "2026-06-15"),
        (ESTIMATED, "2026-12-31", "2027-01-15"),
        (ESTIMATED, "2027-05-31", "2027-06-15"),
    ],
)
def test_us_federal_tax_dates_are_those_of_publication_509(rule: DateRule, period_end: str, due: str) -> None:
    assert resolve(rule, date.fromisoformat(period_end), FIRM) == date.fromisoformat(due)


VAT = {
    "2024-01-31": "2024-03-07",
    "2024-02-29": "2024-04-07",  # a Sunday, and it stays
    "2024-03-31": "2024-05-07",
    "2024-06-30": "2024-08-07",
    "2024-09-30": "2024-11-07",
    "2024-12-31": "2025-02-07",
    "2025-02-28": "2025-04-07",
    "2025-03-31": "2025-05-07",
    "2025-05-31": "2025-07-07",
    "2025-06-30": "2025-08-07",
    "2025-09-30": "2025-11-07",
    "2025-12-31": "2026-02-07",  # a Saturday
    "2026-03-31": "2026-05-07",
    "2026-06-30": "2026-08-07",
    "2026-09-30": "2026-11-07",  # a Saturday
    "2026-12-31": "2027-02-07",  # a Sunday
    "2027-02-28": "2027-04-07",
    "2027-03-31": "2027-05-07",
    "2027-06-30": "2027-08-07",
    "2027-09-30": "2027-11-07",
    "2027-12-31": "2028-02-07",
}


@pytest.mark.parametrize(("period_end", "due"), VAT.items())
def test_uk_vat_is_due_a_month_and_seven_days_after_the_period_and_does_not_roll(period_end: str, due: str) -> None:
    online = DateRule("period_end", amount=1, unit="months", plus_days=7)
    assert resolve(online, date.fromisoformat(period_end), FIRM) == date.fromisoformat(due)


def test_a_payment_that_must_arrive_before_rolls_back_to_a_working_day() -> None:
    payment = DateRule("period_end", amount=1, unit="months", plus_days=7, roll="previous", calendar="GB-ENG")
    assert resolve(payment, date(2026, 9, 30), FIRM) == date(2026, 11, 6)
    assert resolve(payment, date(2026, 12, 31), FIRM) == date(2027, 2, 5)


def situation(calendar: Calendar) -> Situation:
    return Situation(
        "Smith", "1040", date(2022, 1, 3), date(2022, 1, 3), calendar, date(2021, 1, 1), date(2021, 12, 31)
    )


def test_a_template_s_legal_date_ignores_the_firm_s_closures_its_internal_one_does_not() -> None:
    content = parse(
        normal(
            {
                "statutory_due": INDIVIDUAL.as_json(),
                "internal_due": {"anchor": "period_end", "amount": 2, "unit": "months", "roll": "previous"},
            }
        )
    )
    closed = frozenset({date(2022, 2, 28), date(2022, 4, 18)})
    planned = plan(content, situation(Calendar("US", "CA", closed)))
    assert planned.statutory_due == date(2022, 4, 18)
    assert planned.internal_due == date(2022, 2, 25)
    own = parse(normal({"statutory_due": INDIVIDUAL.as_json() | {"calendar": None}}))
    # By the firm's own calendar (California does not keep Emancipation Day), and still not by its closures.
    assert plan(own, situation(Calendar("US", "CA", frozenset({date(2022, 4, 15)})))).statutory_due == date(2022, 4, 15)
