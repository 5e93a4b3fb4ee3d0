"""What a typed line means."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import Conflict
from timebilling.time_entries import natural, weeks
from timebilling.time_entries.rules import DAY

TODAY = date(2026, 11, 24)  # a Tuesday
HOUR = 3600


@pytest.mark.parametrize(
    ("text", "seconds", "words"),
    [
        ("1.5 smith vat review", 5400, "smith vat review"),
        ("1,5 smith vat review", 5400, "smith vat review"),
        ("smith vat review 1.5", 5400, "smith vat review"),
        ("45 smith", 45 * 60, "smith"),  # nobody works 45 hours on a day
        ("24 smith", 24 * HOUR, "smith"),
        ("smith 2026 vat", None, "smith 2026 vat"),  # a number in the middle is a word
        ("smith vat 2026", None, "smith vat 2026"),  # 2026 minutes are more than a day
        ("1h30 smith", 5400, "smith"),
        ("1h 30m smith", 5400, "smith"),
        ("smith 90m 2", 5400, "smith 2"),
        ("2hours smith", 7200, "smith"),
        ("smith", None, "smith"),
        ("30h smith", None, "30h smith"),
        ("0 smith", None, "0 smith"),
        (f"{'9' * 40}h smith", None, f"{'9' * 40}h smith"),
        ("", None, ""),
    ],
)
def test_a_length_is_found_and_the_other_words_stay(text: str, seconds: int | None, words: str) -> None:
    parsed = natural.parse(text, TODAY)
    assert (parsed.seconds, " ".join(parsed.words)) == (seconds, words)
    assert parsed.day == TODAY


# The ways of writing 1.2 hours in Clio's help ("Time Entries", help.clio.com, article 9289741706779), and of Kimai's
# documentation ("Timesheet": colons, natural), as published in 2026. Fields overflow in Kimai.
@pytest.mark.parametrize(
    ("token", "seconds"),
    [
        ("1:12", 4320),
        ("72min", 4320),
        ("1.2h", 4320),
        ("01:12:00", 4320),
        ("2:27", 8820),
        ("3:143:13", 19393),
        ("2h27m", 8820),
        ("3h143m13s", 19393),
    ],
)
def test_published_ways_of_writing_a_length(token: str, seconds: int) -> None:
    assert natural.duration(token) == seconds


@pytest.mark.parametrize(
    ("word", "day"),
    [
        ("today", TODAY),
        ("Yesterday", date(2026, 11, 23)),
        ("tue", TODAY),
        ("wed", date(2026, 11, 18)),
        ("Monday", date(2026, 11, 23)),
        ("2026-02-28", date(2026, 2, 28)),
    ],
)
def test_a_day_is_found(word: str, day: date) -> None:
    parsed = natural.parse(f"1 smith {word}", TODAY)
    assert (parsed.day, parsed.words) == (day, ("smith",))


@pytest.mark.parametrize("word", ["2026-02-30", "mo", "someday", "monsoon"])
def test_what_is_no_day_is_a_word(word: str) -> None:
    assert natural.parse(f"1 {word}", TODAY).words == (word,)


def test_a_mark_says_not_billable() -> None:
    assert natural.parse("1 smith nb", TODAY).billable is False
    assert natural.parse("1 smith", TODAY).billable is None


@given(st.text(max_size=60), st.dates(date(2000, 1, 1), date(2040, 1, 1)))
def test_no_text_is_an_error_and_no_length_is_impossible(text: str, today: date) -> None:
    parsed = natural.parse(text, today)
    assert parsed.seconds is None or 1 <= parsed.seconds <= DAY
    assert all(word in text.split() for word in parsed.words)


@given(st.integers(1, DAY - 1))
def test_a_length_written_as_a_clock_is_read_back(seconds: int) -> None:
    written = f"{seconds // 3600}:{seconds % 3600 // 60:02}:{seconds % 60:02}"
    assert natural.parse(f"{written} smith", TODAY).seconds == seconds


def job(id: int, client: str, title: str) -> dict[str, Any]:
    return {"job_id": id, "client_name": client, "job_title": title}


JOBS = [
    job(1, "Smith Ltd", "VAT return Q3"),
    job(2, "Smith Ltd", "Payroll"),
    job(3, "Jones & Smithson", "VAT return Q3"),
    job(4, "Brown", "Accounts"),
]


def test_the_job_that_explains_most_words_comes_first() -> None:
    ranked = natural.rank(("smith", "vat", "review"), JOBS)
    assert [(j["job_id"], j["score"], j["narrative"]) for j in ranked] == [
        (3, 0.67, "review"),
        (1, 0.67, "review"),
        (2, 0.33, "vat review"),
    ]
    # Of equals, what was worked on last.
    assert [j["job_id"] for j in natural.rank(("smith", "vat"), JOBS, recent=[1])] == [1, 3, 2]


def test_words_begin_words() -> None:
    assert natural.matches("smi", "Smith Ltd")
    assert natural.matches("q3", "VAT return Q3")
    assert not natural.matches("mith", "Smith Ltd")


def test_an_activity_is_found_by_its_words() -> None:
    activities = [{"id": 1, "name": "Review"}, {"id": 2, "name": "Travel time"}]
    found = natural.activity_of(("smith", "trav"), activities)
    assert found is not None
    assert found["id"] == 2
    assert natural.activity_of(("sm", "re"), activities) is None


# --- cells of a week --------------------------------------------------------------------------------------------------

CELLS = st.lists(
    st.tuples(st.integers(1, 20_000), st.sampled_from(["draft", "submitted", "returned", "approved"])), max_size=5
)


@given(CELLS, st.integers(0, DAY))
def test_a_cell_comes_to_what_was_put_into_it_or_is_refused(cell: list[tuple[int, str]], wanted: int) -> None:
    entries = [{"id": str(n), "seconds": s, "status": status} for n, (s, status) in enumerate(cell)]
    try:
        acts, refused = weeks.plan(entries, wanted), None
    except Conflict as error:
        acts, refused = [], error.code
    if refused:
        assert refused in ("entry_approved", "cell_of_many")
        assert any(status == "approved" for _, status in cell) or len(cell) > 1
        return
    after = {e["id"]: e["seconds"] for e in entries}
    for act, entry, seconds in acts:
        if entry is None:
            assert act == "make"
            after["new"] = seconds
            continue
        assert entry["status"] != "approved"
        after[entry["id"]] = seconds
        if act == "delete":
            del after[entry["id"]]
        else:
            assert seconds >= 1
    assert sum(after.values()) == wanted
