"""LEDES 1998B: the layout its committee publishes, and totals that add up."""

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from timebilling.einvoices import ledes
from timebilling.einvoices.ledes import Head, Item

D = Decimal
HEAD = Head(
    date(1999, 2, 25), "96542", "00711", date(1999, 1, 1), date(1999, 1, 31), "For services rendered", "24-6437381"
)


def item(**more: object) -> Item:
    values = {
        "kind": "F",
        "matter": "0528",
        "client_matter": "423-987",
        "units": D("2.00"),
        "unit_cost": D("350"),
        "total": D("630"),
        "day": date(1999, 1, 15),
        "description": "Research",
    }
    return Item(**values | more)  # type: ignore[arg-type]


def records(content: bytes) -> list[list[str]]:
    text = content.decode("ascii")
    assert text.endswith("[]\r\n")
    return [r.split("|") for r in text.removesuffix("[]\r\n").split("[]\r\n")]


def test_the_published_sample_record_is_what_we_write_of_its_facts() -> None:
    """The sample of the LEDES Oversight Committee (ledes.org, LEDES 1998B): 2 units at 350 less 70 are 630. We write amounts with cents."""
    research = item(
        task_code="L510",
        activity_code="A102",
        timekeeper_id="22547",
        description="Research Attorney's fees, Set off claim",
        timekeeper_name="Arnsley, Robert",
    )
    rest = item(
        kind="E", units=D(1), unit_cost=D("1054.45"), total=D("1054.45"), expense_code="E101", description="Copies"
    )
    first, header, line, _ = records(ledes.write(HEAD, [research, rest]))
    assert first == ["LEDES1998B"]
    assert header == list(ledes.FIELDS)
    assert len(header) == 24
    assert line == [
        "19990225", "96542", "00711", "0528", "1684.45", "19990101", "19990131", "For services rendered", "1", "F", "2.00", "-70.00", "630.00", "19990115",
        "L510", "", "A102", "22547", "Research Attorney's fees, Set off claim", "24-6437381", "350.00", "Arnsley, Robert", "", "423-987",
    ]  # fmt: skip


def test_grades_have_their_classification() -> None:
    found = [records(ledes.write(HEAD, [item(grade=g)]))[2][22] for g in ("partner", "manager", "senior", "junior", "")]
    assert found == ["PT", "AS", "AS", "LA", ""]


def test_an_adjustment_of_the_invoice_has_no_units() -> None:
    by_name = ledes.names(
        records(ledes.write(HEAD, [item(), item(kind="IF", units=D(0), unit_cost=D(0), total=D("-30"))]))[3]
    )
    assert (
        by_name["LINE_ITEM_NUMBER_OF_UNITS"],
        by_name["LINE_ITEM_UNIT_COST"],
        by_name["LINE_ITEM_ADJUSTMENT_AMOUNT"],
    ) == ("", "", "-30.00")
    assert by_name["INVOICE_TOTAL"] == "600.00"


def test_text_can_not_break_the_format() -> None:
    line = records(
        ledes.write(HEAD, [item(description="Call | Müller\r\nGroße Straße [] – 王", timekeeper_name="N" * 50)])
    )[2]
    assert line[18] == "Call Muller Grosse Strasse () - ?"
    assert len(line[21]) == 30
    assert len(line) == 24


@given(
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 100_000), st.integers(0, 10**7)), min_size=1, max_size=6)
)
def test_units_times_cost_plus_adjustment_is_the_total_and_totals_sum(rows: list[tuple[int, int, int]]) -> None:
    items = [item(units=D(u) / 100, unit_cost=D(c) / 100, total=D(t) / 100) for u, c, t in rows]
    lines = [ledes.names(r) for r in records(ledes.write(HEAD, items))[2:]]
    for line in lines:
        product = (D(line["LINE_ITEM_NUMBER_OF_UNITS"]) * D(line["LINE_ITEM_UNIT_COST"])).quantize(
            D("0.01"), rounding="ROUND_HALF_UP"
        )
        assert product + D(line["LINE_ITEM_ADJUSTMENT_AMOUNT"]) == D(line["LINE_ITEM_TOTAL"])
    assert sum(D(x["LINE_ITEM_TOTAL"]) for x in lines) == D(lines[0]["INVOICE_TOTAL"])
