"""Bank statements: reading a CSV file of any bank, knowing a line again, and suggesting what a line pays. Pure."""

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from difflib import SequenceMatcher
from typing import TypeVar
from uuid import UUID

from chassis.errors import Invalid
from timebilling import money
from timebilling.money import ZERO

T = TypeVar("T")
MOST_LINES = 5_000
DELIMITERS = (";", ",", "\t", "|")
# What banks call their columns, folded to letters (`_folded`). English, German, French, Spanish, Dutch, Italian.
HEADERS: Mapping[str, tuple[str, ...]] = {
    "date": ("date", "bookingdate", "transactiondate", "completeddate", "datecompletedutc", "buchungstag", "buchungsdatum", "datum", "dateoperation",
             "datedoperation", "datecomptable", "fecha", "fechaoperacion", "fechacontable", "boekdatum", "transactiedatum", "data", "datacontabile", "valuedate", "valuta"),
    "amount": ("amount", "value", "betrag", "umsatz", "betrageur", "montant", "montanteuros", "importe", "importeeur", "bedrag", "bedrageur", "importo"),
    "credit": ("credit", "paidin", "moneyin", "creditamount", "deposits", "haben", "gutschrift", "abono", "haber", "bij", "accrediti", "entrate"),
    "debit": ("debit", "paidout", "moneyout", "debitamount", "withdrawals", "soll", "belastung", "cargo", "debe", "af", "addebiti", "uscite"),
    "counterparty": ("counterparty", "name", "payer", "payee", "from", "beguenstigterzahlungspflichtiger", "auftraggeber", "zahlungspflichtiger",
                     "namezahlungsbeteiligter", "tiers", "emetteur", "ordenante", "beneficiario", "naamtegenpartij", "tegenpartij", "naam", "controparte", "ordinante"),
    "reference": ("reference", "description", "details", "memo", "narrative", "remittanceinformation", "verwendungszweck", "buchungstext", "libelle",
                  "motif", "communication", "concepto", "descripcion", "omschrijving", "mededelingen", "descrizione", "causale"),
    "currency": ("currency", "waehrung", "devise", "moneda", "divisa", "valutacode", "munt"),
    "id": ("transactionid", "id", "fitid", "transactionreference", "referencenumber", "bankreference"),
}  # fmt: skip
_FOLD = str.maketrans(
    {
        "ä": "ae",
        "ö": "oe",
        "ü": "ue",
        "ß": "ss",
        "é": "e",
        "è": "e",
        "ê": "e",
        "à": "a",
        "ó": "o",
        "ò": "o",
        "í": "i",
        "ç": "c",
    }
)


@dataclass(frozen=True, slots=True)
class Format:
    """How to read a file; None: find out."""

    encoding: str | None = None
    delimiter: str | None = None
    date_order: str | None = None  # dmy, mdy, ymd
    decimal: str | None = None
    columns: Mapping[str, str] | None = None  # our word → the file's header


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a statement: money in is positive."""

    booked_on: date
    amount: Decimal
    currency: str
    counterparty: str
    reference: str
    bank_id: str


def read(content: bytes, wanted: Format, currency: str) -> list[Line]:
    """The lines of a CSV statement, all of them or none.

    Errors (422): `statement_empty`, `statement_encoding`, `statement_columns_unknown`, `statement_date_unclear`,
    `statement_amount_unclear`, `statement_row_invalid` (naming the row), `statement_too_long`, `currency_unknown`.
    """
    header, rows = _table(_decoded(content, wanted.encoding), wanted)
    if len(rows) > MOST_LINES:
        raise Invalid("statement_too_long", f"A file may have {MOST_LINES} lines. Split it.", pointer="/content")
    cells = [(n, {ours: row[i].strip() if i < len(row) else "" for ours, i in header.items()}) for n, row in rows]
    cells = [(n, row) for n, row in cells if row["date"] or any(row.get(c) for c in ("amount", "credit", "debit"))]
    if not cells:
        raise Invalid("statement_empty", "The file has no line with a date and an amount.", pointer="/content")
    days = _column([(n, row["date"]) for n, row in cells], _DATES, wanted.date_order, "date")
    amounts = _amounts(cells, header, wanted.decimal)
    return [_line(n, row, day, amount, currency) for (n, row), day, amount in zip(cells, days, amounts, strict=True)]


def _line(n: int, row: Mapping[str, str], day: date, amount: Decimal, currency: str) -> Line:
    code = row.get("currency", "").upper() or currency
    if amount != money.rounded(amount, code):
        raise _bad_row(n, f"{code} has {money.exponent(code)} decimal places")
    if not 1990 <= day.year <= 2100:
        raise _bad_row(n, f"{day} is no day a bank books on")
    shown = [" ".join(row.get(c, "").replace("\0", "").split())[:500] for c in ("counterparty", "reference", "id")]
    return Line(day, money.rounded(amount, code), code, *shown)


def _bad_row(n: int, why: str) -> Invalid:
    return Invalid("statement_row_invalid", f"Row {n} of the file can't be read: {why}.", pointer="/content", row=n)


def _decoded(content: bytes, encoding: str | None) -> str:
    if not content.strip():
        raise Invalid("statement_empty", "The file is empty.", pointer="/content")
    if encoding is None:
        encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    try:
        text = content.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        raise Invalid(
            "statement_encoding", f"The file is not {encoding}. Say which encoding it has.", pointer="/format/encoding"
        ) from error
    if "\0" in text:
        raise Invalid("statement_encoding", "This is no text file.", pointer="/content")
    return text


def _table(text: str, wanted: Format) -> tuple[dict[str, int], list[tuple[int, list[str]]]]:
    """Where our columns stand, and the rows below the header with their numbers in the file."""
    best: tuple[int, dict[str, int], list[tuple[int, list[str]]]] = (0, {}, [])
    for delimiter in [wanted.delimiter] if wanted.delimiter else DELIMITERS:
        rows = _rows(text, delimiter)
        for place, (_, row) in enumerate(rows[:30]):  # some banks put a paragraph above the header
            header = _header(row, wanted.columns)
            if len(header) > best[0] and "date" in header and {"amount", "credit"} & set(header):
                best = (len(header), header, [(n, r) for n, r in rows[place + 1 :] if any(c.strip() for c in r)])
    if not best[0]:
        raise Invalid(
            "statement_columns_unknown",
            "No row names a column for the date and one for the amount (or for money in and out). Say which columns they are.",
            pointer="/format/columns",
        )
    return best[1], best[2]


def _rows(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    try:
        return list(enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), 1))
    except csv.Error as error:
        raise Invalid("statement_columns_unknown", f"This is no CSV file: {error}.", pointer="/content") from error


def _header(row: Sequence[str], columns: Mapping[str, str] | None) -> dict[str, int]:
    folded = [_folded(c) for c in row]
    names = {ours: (_folded(theirs),) for ours, theirs in columns.items()} if columns else HEADERS
    found = {}
    for ours, theirs in names.items():
        place = next((folded.index(t) for t in theirs if t and t in folded), None)
        if place is not None:
            found[ours] = place
    return found


def _folded(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower().translate(_FOLD))


# --- dates and amounts: a whole column is read in one way -----------------------------------------------------------------


def _column(
    cells: Sequence[tuple[int, str]], ways: Mapping[str, Callable[[str], T | None]], named: str | None, what: str
) -> list[T]:
    """The column read in the one way that fits every cell. Several ways that differ are unclear: the user says which."""
    fitting: list[list[T]] = []
    worst = (-1, cells[0])
    for way in [ways[named]] if named else ways.values():
        values = [way(text) for _, text in cells]
        bad = next((i for i, v in enumerate(values) if v is None), None)
        if bad is None:
            fitting.append([v for v in values if v is not None])
        elif bad > worst[0]:
            worst = (bad, cells[bad])
    if not fitting:
        n, text = worst[1]
        raise _bad_row(n, f"“{text[:40]}” is no {what}" if text else f"it has no {what}")
    if any(f != fitting[0] for f in fitting):
        field = "date_order" if what == "date" else "decimal"
        raise Invalid(
            f"statement_{what}_unclear",
            f"The {what}s of this file can be read in more than one way. Say which {field.replace('_', ' ')} it has.",
            pointer=f"/format/{field}",
        )
    return fitting[0]


def _dated(order: str) -> Callable[[str], date | None]:
    def way(text: str) -> date | None:
        parts = re.fullmatch(r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})(?:[ T].*)?", text)
        compact = re.fullmatch(r"(\d{4})(\d\d)(\d\d)", text)
        if compact:
            numbers, order_ = compact.groups(), "ymd"
        elif parts:
            # A year in front is a year, and who writes dots writes the day first.
            order_ = "ymd" if len(parts[1]) == 4 else "dmy" if parts[2] == "." and order == "mdy" else order
            numbers = (parts[1], parts[3], parts[4])
        else:
            return None
        by = dict(zip(order_, map(int, numbers), strict=True))
        try:
            return date(by["y"] + (2000 if by["y"] < 100 else 0), by["m"], by["d"])
        except ValueError:
            return None

    return way


def _decimal(mark: str) -> Callable[[str], Decimal | None]:
    group = "," if mark == "." else "."
    shape = re.compile(rf"(\d{{1,3}}(?:\{group}\d{{3}})+|\d+)(?:\{mark}(\d+))?")

    def way(text: str) -> Decimal | None:
        bare = re.sub(r"[\s'’£$€¥]", "", text.replace("−", "-"))
        bare = re.sub(r"^[A-Z]{3}|[A-Z]{3}$", "", bare)
        negative = bare.startswith("-") or bare.endswith("-") or (bare.startswith("(") and bare.endswith(")"))
        match = shape.fullmatch(bare.strip("+-()"))
        if match is None:
            return None
        value = Decimal(match[1].replace(group, "") + ("." + match[2] if match[2] else ""))
        return -value if negative else value

    return way


_DATES = {order: _dated(order) for order in ("dmy", "mdy", "ymd")}
_AMOUNTS = {mark: _decimal(mark) for mark in (".", ",")}


def _amounts(
    cells: Sequence[tuple[int, Mapping[str, str]]], header: Mapping[str, int], decimal: str | None
) -> list[Decimal]:
    """Money in as positive amounts, from one signed column or from one for in and one for out."""
    if "amount" in header:
        return _column([(n, row["amount"]) for n, row in cells], _AMOUNTS, decimal, "amount")
    pairs = [(n, row.get("credit") or "0", row.get("debit") or "0") for n, row in cells]
    flat = _column([(n, c) for n, i, o in pairs for c in (i, o)], _AMOUNTS, decimal, "amount")
    return [abs(i) - abs(o) for i, o in zip(flat[::2], flat[1::2], strict=True)]


# --- knowing a line again ---------------------------------------------------------------------------------------------


def fingerprints(account: str, lines: Iterable[Line]) -> list[bytes]:
    """What tells each line from all others of the account, the same in every file that holds it.

    The bank's own id where there is one; else everything the line says, and which of the like lines of its day it is: two
    payments of the same amount by the same payer on one day are two lines, in an overlapping file as well.
    """
    seen: Counter[tuple[object, ...]] = Counter()
    marks = []
    for line in lines:
        key: tuple[object, ...] = (
            (account, line.bank_id, line.amount)
            if line.bank_id
            else (
                account,
                line.booked_on,
                line.amount,
                line.currency,
                line.counterparty,
                line.reference,
            )
        )
        nth = 0 if line.bank_id else seen[key]
        seen[key] += 1
        marks.append(hashlib.sha256("\x1f".join(map(str, (*key, nth))).encode()).digest())
    return marks


# --- what a line pays -------------------------------------------------------------------------------------------------

NUMBER, AMOUNT, NAME = 60, 25, 15  # what each sign is worth; together 100
SURE = NUMBER + AMOUNT  # from here on a suggestion may be taken without looking


@dataclass(frozen=True, slots=True)
class Candidate:
    """An invoice with something open."""

    id: UUID
    client_id: UUID
    client_name: str
    number: str
    currency: str
    balance: Decimal
    due_on: date


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A client whose invoices a line may pay, how much of each, and how likely (0 to 100) for which reasons."""

    client_id: UUID
    client_name: str
    allocations: list[tuple[Candidate, Decimal]]
    score: int
    says: list[str]


def suggest(
    amount: Decimal, currency: str, counterparty: str, reference: str, candidates: Sequence[Candidate]
) -> list[Suggestion]:
    """The five likeliest payers of a line, likeliest first: by the numbers it names, its amount, and who paid.

    `candidates` are open invoices, the first due first. Only invoices in the line's currency count.
    """
    if amount <= 0:
        return []
    words, run = _words(reference)
    open_ = [c for c in candidates if c.currency == currency]
    by_client: dict[UUID, list[Candidate]] = {}
    for candidate in open_:
        by_client.setdefault(candidate.client_id, []).append(candidate)
    found = []
    for invoices in by_client.values():
        named = [c for c in invoices if _names(c.number, words, run)]
        exact = [c for c in invoices if c.balance == amount]
        alike = same_name(counterparty, invoices[0].client_name)
        meant = named or exact[:1] or (invoices if alike else [])
        if meant:
            found.append(_suggestion(amount, meant, bool(named), alike))
    return sorted(found, key=lambda s: -s.score)[:5]


def _suggestion(amount: Decimal, meant: Sequence[Candidate], named: bool, alike: bool) -> Suggestion:
    exact = sum((c.balance for c in meant), ZERO) == amount
    says = (["number"] if named else []) + (["amount"] if exact else []) + (["name"] if alike else [])
    score = NUMBER * named + AMOUNT * exact + NAME * alike
    return Suggestion(meant[0].client_id, meant[0].client_name, fill(amount, meant), score, says)


def fill(amount: Decimal, invoices: Sequence[Candidate]) -> list[tuple[Candidate, Decimal]]:
    """Pays the invoices in their order as far as the amount goes."""
    parts = []
    for invoice in invoices:
        part = min(amount, invoice.balance)
        if part > 0:
            parts.append((invoice, part))
            amount -= part
    return parts


def _words(text: str) -> tuple[set[str], str]:
    words = re.findall(r"[A-Z0-9]+", text.upper())
    return set(words), "".join(words)


def _names(number: str, words: set[str], run: str) -> bool:
    """Whether a text names an invoice number, with or without its dashes and spaces. A short one must stand by itself."""
    bare = re.sub(r"[^A-Z0-9]", "", number.upper())
    return bool(bare) and (bare in words or (len(bare) >= 6 and bare in run))


_LEGAL = re.compile(
    r"\b(ltd|limited|llp|llc|inc|plc|gmbh|ag|kg|ug|co|sa|sarl|sas|bv|nv|srl|spa|mr|mrs|ms|dr)\b\.?", re.IGNORECASE
)


def same_name(one: str, other: str) -> bool:
    """Whether two names are likely one payer's: without legal forms, nine tenths alike (Ratcliff and Obershelp's measure)."""
    a, b = (" ".join(sorted(re.findall(r"\w+", _LEGAL.sub(" ", n).lower()))) for n in (one, other))
    return bool(a and b) and SequenceMatcher(None, a, b).ratio() >= 0.9
