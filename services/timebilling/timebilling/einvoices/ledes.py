"""LEDES 1998B, the format law departments take invoices in: ASCII, 24 fields between pipes, records that end with []. Pure.

Source: LEDES Oversight Committee, "LEDES 1998B Format" (ledes.org). Per line: units × unit cost + adjustment = total; the invoice
total is the sum of its lines. The format knows no tax: an invoice with tax has a line of type E for it (expense code E124, other).
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

FIELDS = (
    "INVOICE_DATE", "INVOICE_NUMBER", "CLIENT_ID", "LAW_FIRM_MATTER_ID", "INVOICE_TOTAL", "BILLING_START_DATE", "BILLING_END_DATE",
    "INVOICE_DESCRIPTION", "LINE_ITEM_NUMBER", "EXP/FEE/INV_ADJ_TYPE", "LINE_ITEM_NUMBER_OF_UNITS", "LINE_ITEM_ADJUSTMENT_AMOUNT",
    "LINE_ITEM_TOTAL", "LINE_ITEM_DATE", "LINE_ITEM_TASK_CODE", "LINE_ITEM_EXPENSE_CODE", "LINE_ITEM_ACTIVITY_CODE", "TIMEKEEPER_ID",
    "LINE_ITEM_DESCRIPTION", "LAW_FIRM_ID", "LINE_ITEM_UNIT_COST", "TIMEKEEPER_NAME", "TIMEKEEPER_CLASSIFICATION", "CLIENT_MATTER_ID",
)  # fmt: skip
# Longest texts per field (the rest is cut).
LIMITS = {"INVOICE_NUMBER": 20, "CLIENT_ID": 20, "LAW_FIRM_MATTER_ID": 20, "INVOICE_DESCRIPTION": 15_000, "TIMEKEEPER_ID": 20,
          "LINE_ITEM_DESCRIPTION": 15_000, "LAW_FIRM_ID": 20, "TIMEKEEPER_NAME": 30, "TIMEKEEPER_CLASSIFICATION": 10, "CLIENT_MATTER_ID": 20}  # fmt: skip
CLASSES = {"partner": "PT", "manager": "AS", "senior": "AS", "junior": "LA"}
OTHER_EXPENSE = "E124"


@dataclass(frozen=True, slots=True)
class Head:
    """What stands on every line of an invoice."""

    day: date
    number: str
    client_id: str
    start: date
    end: date
    description: str
    law_firm_id: str


@dataclass(frozen=True, slots=True)
class Item:
    """A piece of work (F), an expense (E) or an adjustment of the whole invoice (IF fees, IE expenses)."""

    kind: str
    matter: str
    client_matter: str
    units: Decimal
    unit_cost: Decimal
    total: Decimal
    day: date
    description: str
    task_code: str = ""
    activity_code: str = ""
    expense_code: str = ""
    timekeeper_id: str = ""
    timekeeper_name: str = ""
    grade: str = ""

    @property
    def adjustment(self) -> Decimal:
        """What makes units × unit cost the total: a write-up or write-down, and what rounding leaves."""
        return self.total - _cents(self.units * self.unit_cost)


def write(head: Head, items: Sequence[Item]) -> bytes:
    """The file of one invoice."""
    total = sum((i.total for i in items), Decimal(0))
    records = [["LEDES1998B"], list(FIELDS), *(_record(head, total, n, i) for n, i in enumerate(items, 1))]
    return "".join("|".join(r) + "[]\r\n" for r in records).encode("ascii")


def _record(head: Head, total: Decimal, number: int, item: Item) -> list[str]:
    invoice_level = item.kind in ("IF", "IE")
    values = (
        _day(head.day), head.number, head.client_id, item.matter, _amount(total), _day(head.start), _day(head.end), head.description,
        str(number), item.kind, "" if invoice_level else f"{item.units:.2f}", _amount(item.total if invoice_level else item.adjustment),
        _amount(item.total), _day(item.day), item.task_code, item.expense_code, item.activity_code, item.timekeeper_id, item.description,
        head.law_firm_id, "" if invoice_level else _amount(item.unit_cost), item.timekeeper_name, CLASSES.get(item.grade, ""), item.client_matter,
    )  # fmt: skip
    return [_text(value, LIMITS.get(name)) for name, value in zip(FIELDS, values, strict=True)]


def _text(value: str, limit: int | None) -> str:
    """Plain ASCII without what the format is made of: accents are dropped, what has no letter in ASCII is a question mark."""
    plain = unicodedata.normalize("NFKD", value.replace("ß", "ss").replace("–", "-").replace("’", "'"))
    plain = "".join(c for c in plain if not unicodedata.combining(c)).encode("ascii", "replace").decode()
    plain = re.sub(r"[\x00-\x1f|]", " ", plain).replace("[]", "()")
    return " ".join(plain.split())[:limit]


def names(fields: Iterable[str]) -> dict[str, str]:
    """A record's fields by name (for reading a file back)."""
    return dict(zip(FIELDS, fields, strict=True))


def _day(day: date) -> str:
    return f"{day:%Y%m%d}"


def _amount(value: Decimal) -> str:
    return str(_cents(value))


def _cents(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
