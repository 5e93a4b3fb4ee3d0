from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.sessions.rules import (
    ADDRESS,
    IDLE_LIFETIME,
    NETWORK,
    RACE,
    Refresh,
    Tries,
    judge_refresh,
    pause,
    wait,
    weak_because,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ENDS = NOW + timedelta(days=10)


def test_first_tries_are_free():
    assert wait(ADDRESS, Tries(ADDRESS.free - 1, NOW), NOW) == timedelta(0)


def test_the_pause_doubles_with_each_wrong_try():
    assert [pause(ADDRESS, ADDRESS.free + n).total_seconds() for n in range(4)] == [2, 4, 8, 16]


def test_the_pause_runs_from_the_last_try():
    assert wait(ADDRESS, Tries(ADDRESS.free, NOW - timedelta(seconds=1)), NOW) == timedelta(seconds=1)


def test_tries_are_forgotten_after_a_while():
    assert wait(ADDRESS, Tries(1000, NOW - ADDRESS.forgotten - timedelta(seconds=1)), NOW) == timedelta(0)


@given(st.sampled_from([ADDRESS, NETWORK]), st.integers(0, 10**6))
def test_the_pause_never_shrinks_and_never_exceeds_its_longest(limit, count):
    assert pause(limit, count) <= pause(limit, count + 1) <= limit.longest


@given(st.sampled_from([ADDRESS, NETWORK]), st.integers(0, 10**6), st.integers(0, 10**6))
def test_whoever_waited_as_told_is_let_through(limit, count, seconds_ago):
    tries = Tries(count, NOW - timedelta(seconds=seconds_ago))
    told = wait(limit, tries, NOW)
    assert wait(limit, tries, NOW + told) == timedelta(0)


def judge(**facts):
    return judge_refresh(
        **(
            {
                "now": NOW,
                "issued_at": NOW - timedelta(hours=1),
                "spent_at": None,
                "session_ends_at": ENDS,
                "revoked_at": None,
            }
            | facts
        )
    )


def test_a_fresh_refresh_token_is_rotated():
    assert judge() is Refresh.ROTATE


def test_a_refresh_token_spent_a_moment_ago_lost_a_race():
    assert judge(spent_at=NOW - RACE) is Refresh.RACED


def test_a_refresh_token_spent_before_is_theft():
    assert judge(spent_at=NOW - RACE - timedelta(microseconds=1)) is Refresh.REUSED


@pytest.mark.parametrize(
    "facts",
    [
        {"revoked_at": NOW - timedelta(days=1)},
        {"session_ends_at": NOW},
        {"issued_at": NOW - IDLE_LIFETIME - timedelta(seconds=1)},
        {"revoked_at": NOW, "spent_at": NOW - timedelta(days=1)},
    ],
)
def test_a_refresh_token_of_an_ended_session_is_worth_nothing(facts):
    assert judge(**facts) is Refresh.ENDED


@pytest.mark.parametrize("password", ["short", "passwordpassword", "123456789012", "aaaaaaaaaaaaaaa", "qwertyuiop12"])
def test_guessable_passwords_are_refused(password):
    assert weak_because(password, [])


def test_a_password_made_of_ones_own_name_is_refused():
    about = ["Wilhelmina Featherstonehaugh", "wilhelmina@harbour.example"]
    assert weak_because("Wilhelmina Featherstonehaugh", about)
    assert weak_because("featherstonehaugh", about)


@pytest.mark.parametrize(
    "password", ["correct horse battery staple", "Øre på lørdag kaffe", "三匹の猫が屋根の上で歌う夜明けに"]
)
def test_several_words_will_do(password):
    assert weak_because(password, ["Ada Lovelace", "ada@harbour.example"]) is None


def test_a_very_long_password_is_judged_quickly():
    assert weak_because("correct horse battery staple " * 6, []) is None
