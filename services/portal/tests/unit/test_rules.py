"""Codes, tries, devices, quiet hours, contrast, words: rules that need no server."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import Invalid
from portal import words
from portal.branding import rules as branding
from portal.mail.rules import next_send
from portal.requests import rules as requests
from portal.sessions import rules
from portal.sessions.rules import DeviceToken, Limit, Verdict

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
KEY = b"k" * 32


# Signing in


@given(st.uuids())
def test_a_code_has_six_digits_and_fits_only_its_sign_in(id: UUID) -> None:
    code = rules.code_for(KEY, id)
    assert len(code) == 6
    assert code.isdecimal()
    assert rules.code_fits(KEY, id, f" {code[:3]} {code[3:]}")
    assert rules.code_for(b"other" * 8, id) != code or rules.code_for(b"third" * 8, id) != code
    assert not rules.code_fits(KEY, id, f"{(int(code) + 1) % 1_000_000:06d}")
    assert not rules.code_fits(KEY, id, "")


def test_tries_are_refused_until_the_oldest_is_out_of_the_window() -> None:
    limits = (Limit(3, timedelta(minutes=15)),)
    times = [NOW - timedelta(minutes=m) for m in (20, 10, 5)]
    assert rules.wait(times, limits, NOW) == timedelta(0)
    assert rules.wait([*times, NOW - timedelta(minutes=1)], limits, NOW) == timedelta(minutes=5)


def test_the_longest_of_several_limits_counts() -> None:
    limits = (Limit(2, timedelta(minutes=1)), Limit(3, timedelta(hours=1)))
    times = [NOW - timedelta(minutes=30), NOW - timedelta(seconds=20), NOW - timedelta(seconds=10)]
    assert rules.wait(times, limits, NOW) == timedelta(minutes=30)


def test_addresses_are_compared_without_case_and_outer_spaces() -> None:
    assert rules.address_of(" Ada@Example.COM ") == rules.address_of("ada@example.com")


def test_a_device_token_reads_back_and_nonsense_is_none() -> None:
    token = DeviceToken.new(uuid4(), uuid4())
    assert DeviceToken.decode(token.encode()) == token
    for nonsense in ("", "x", token.encode()[:-4], token.encode() + "AAAA", "ü" * 88, "=" * 88):
        assert DeviceToken.decode(nonsense) is None


@pytest.mark.parametrize(
    ("shown", "age", "revoked", "verdict"),
    [
        (b"current", 5, False, Verdict.ROTATE),
        (b"previous", 5, False, Verdict.KEEP),
        (b"previous", 600, False, Verdict.ROTATE),
        (b"older", 5, False, Verdict.REUSED),
        (b"current", 5, True, Verdict.ENDED),
        (b"current", 31 * 86400, False, Verdict.ENDED),
    ],
)
def test_a_device_stays_signed_in_by_its_newest_secret(shown: bytes, age: int, revoked: bool, verdict: Verdict) -> None:
    judged = rules.judge_device(
        shown=shown,
        current=b"current",
        previous=b"previous",
        rotated_at=NOW - timedelta(seconds=age),
        revoked_at=NOW if revoked else None,
        now=NOW,
    )
    assert judged is verdict


# Quiet hours


@pytest.mark.parametrize(
    ("now", "zone", "bounds", "expected"),
    [
        ("2026-11-24T12:00+00:00", "Europe/London", ("20:00", "07:00"), "2026-11-24T12:00+00:00"),
        ("2026-11-24T21:30+00:00", "Europe/London", ("20:00", "07:00"), "2026-11-25T07:00+00:00"),
        ("2026-11-25T05:00+00:00", "Europe/London", ("20:00", "07:00"), "2026-11-25T07:00+00:00"),
        ("2026-11-24T20:00+00:00", "Europe/London", ("20:00", "07:00"), "2026-11-25T07:00+00:00"),
        ("2026-11-25T07:00+00:00", "Europe/London", ("20:00", "07:00"), "2026-11-25T07:00+00:00"),
        ("2026-11-24T12:00+00:00", "America/New_York", ("20:00", "08:00"), "2026-11-24T13:00+00:00"),
        ("2026-11-24T13:00+00:00", "Europe/London", ("12:00", "14:00"), "2026-11-24T14:00+00:00"),
        ("2026-11-24T03:00+00:00", "Europe/London", ("", ""), "2026-11-24T03:00+00:00"),
        # The night of 28 March 2027 is an hour shorter: 07:00 in London is 06:00 UTC then.
        ("2027-03-27T22:00+00:00", "Europe/London", ("20:00", "07:00"), "2027-03-28T06:00+00:00"),
    ],
)
def test_mail_waits_for_the_end_of_the_firms_quiet_hours(
    now: str, zone: str, bounds: tuple[str, str], expected: str
) -> None:
    assert next_send(datetime.fromisoformat(now), zone, *bounds) == datetime.fromisoformat(expected)


@given(
    st.integers(0, 2 * 366 * 1440).map(lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)),
    st.sampled_from(["Europe/London", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"]),
    st.times().map(lambda t: t.strftime("%H:%M")),
    st.times().map(lambda t: t.strftime("%H:%M")),
)
def test_mail_never_waits_longer_than_a_day_and_never_goes_into_the_past(
    now: datetime, zone: str, begins: str, ends: str
) -> None:
    at = next_send(now, zone, begins, ends)
    assert timedelta(0) <= at - now <= timedelta(hours=25)
    assert next_send(at, zone, begins, ends) == at


# Branding


def test_an_accent_white_cannot_be_read_on_is_refused() -> None:
    assert branding.contrast_with_white("#000000") == pytest.approx(21)
    assert branding.contrast_with_white("#ffffff") == pytest.approx(1)
    assert branding.contrast_with_white("#767676") == pytest.approx(4.54, abs=0.01)  # the lightest grey that passes AA
    assert branding.readable_accent("#0F766E") == "#0f766e"
    with pytest.raises(Invalid, match="accent_contrast_low"):
        branding.readable_accent("#777777")
    with pytest.raises(Invalid, match="accent_contrast_low"):
        branding.readable_accent("#ffcc00")


# Requests


def item(**more: object) -> dict:
    return {"kind": "text", "status": "open", "answer": "", "document_ids": [], "required": True, "choices": [], **more}


@pytest.mark.parametrize(
    ("state", "form", "insist", "changed"),
    [
        ({}, ("answered", ""), False, False),
        ({}, ("answered", "yes"), False, True),
        ({"status": "answered", "answer": "yes"}, ("answered", "yes"), False, False),
        ({"status": "answered", "answer": "yes"}, ("answered", ""), False, True),
        ({}, ("not_applicable", ""), False, True),
        ({"status": "not_applicable"}, ("not_applicable", ""), False, False),
        ({"status": "not_applicable"}, ("answered", ""), False, True),
        ({"status": "accepted", "answer": "yes"}, ("answered", "no"), False, False),
        ({"kind": "file"}, ("answered", ""), False, False),
        ({"kind": "file"}, ("not_available", ""), False, True),
        ({"status": "returned", "answer": "yes"}, ("answered", "yes"), False, False),
        ({"status": "returned", "answer": "yes"}, ("answered", "yes"), True, True),
        ({"kind": "file", "status": "returned", "document_ids": ["d"]}, ("answered", ""), True, True),
    ],
)
def test_only_what_is_news_is_given_as_an_answer(
    state: dict, form: tuple[str, str], insist: bool, changed: bool
) -> None:
    assert requests.has_changed(item(**state), *form, insist=insist) is changed


def test_what_is_left_to_do_counts_required_items_without_an_answer() -> None:
    items = [
        item(),
        item(status="returned"),
        item(status="answered"),
        item(status="not_available"),
        item(required=False),
    ]
    assert requests.still_to_do(items) == 2


def test_answers_are_shown_in_words() -> None:
    assert requests.shown_answer(item(kind="yes_no", answer="no", status="answered")) == "No"
    assert requests.shown_answer(item(kind="approval", answer="declined", status="answered")) == "I don’t approve"
    assert requests.shown_answer(item(status="not_available")) == "I don’t have it"


# Words


@pytest.mark.parametrize(
    ("day", "says"),
    [
        (date(2026, 12, 4), "Fri 4 Dec · in 10 days"),
        (date(2026, 11, 24), "Tue 24 Nov · today"),
        (date(2026, 11, 25), "Wed 25 Nov · tomorrow"),
        (date(2026, 11, 23), "Mon 23 Nov · since yesterday"),
        (date(2026, 11, 20), "Fri 20 Nov · 4 days late"),
    ],
)
def test_due_dates_are_short_and_relative(day: date, says: str) -> None:
    assert words.due_in_words(day, date(2026, 11, 24), "en_GB").replace(",", "") == says


def test_money_and_sizes_are_written_as_people_read_them() -> None:
    assert words.money("1234.5", "GBP", "en_GB") == "£1,234.50"
    assert words.money("1234", "JPY", "en_GB") == "JP¥1,234"
    assert words.amount("1234.5", "GBP", "en_GB") == "1,234.50"
    assert words.amount("1234", "JPY", "en_GB") == "1,234"
    assert [words.size(n) for n in (12, 2048, 1_500_000, 64 << 20)] == ["12 bytes", "2 KB", "1.4 MB", "64 MB"]


def test_our_own_delays_are_not_told_to_the_client() -> None:
    assert {words.job_status(s)[0] for s in ("on_track", "at_risk", "overdue", "blocked")} == {"We are working on it"}
    assert words.job_status("waiting_for_client")[0] == "Waiting for you"
