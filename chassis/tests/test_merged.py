"""Ids given up for others: whatever names one follows, in every table, however often and in whatever order one hears of it."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from chassis.db import new_id
from chassis.merged import follow, guards, standing


@pytest.fixture
def firm(world):
    return world.firm()


def write(world, firm, subject, *tables):
    with world.uow(firm) as uow:
        for table in tables or ("subject_notes", "subject_log"):
            uow.session.execute(
                text(f"INSERT INTO {table} VALUES (:firm, :id, :subject)"),
                {"firm": firm, "id": new_id(), "subject": subject},
            )
        uow.keep()


def count(world, firm, subject):
    both = "SELECT subject_id FROM subject_notes UNION ALL SELECT subject_id FROM subject_log"
    with world.uow(firm) as uow:
        return uow.session.execute(
            text(f"SELECT count(*) FROM ({both}) b WHERE subject_id = :id"), {"id": subject}
        ).scalar_one()


def merge(world, firm, old, into):
    with world.uow(firm) as uow:
        return follow(uow, "subject_id", old, into)


def test_whatever_names_an_id_given_up_follows_also_where_rows_are_only_added(world, firm):
    old, into, other = new_id(), new_id(), new_id()
    write(world, firm, old)
    write(world, firm, other)
    with world.uow(firm) as uow, pytest.raises(ProgrammingError):
        uow.session.execute(text("UPDATE subject_log SET subject_id = NULL"))
    for _ in range(2):
        assert merge(world, firm, old, into) == into
        assert [count(world, firm, id) for id in (old, into, other)] == [0, 2, 2]
    with world.uow(firm) as uow:
        assert [standing(uow, id) for id in (old, into, other)] == [into, into, other]


def test_a_trigger_that_refuses_changes_lets_only_the_merge_pass(world, firm):
    write(world, firm, new_id(), "subject_notes")
    with world.uow(firm) as uow:
        assert uow.session.execute(text(guards("subject_id"))).all() == []
        with pytest.raises(ProgrammingError, match="said is said"):
            uow.session.execute(text("UPDATE subject_notes SET subject_id = NULL"))


def test_another_firms_rows_stay(world, firm):
    stranger, old = world.firm(), new_id()
    write(world, stranger, old)
    merge(world, firm, old, new_id())
    assert count(world, stranger, old) == 2


@pytest.mark.parametrize("in_order", [True, False])
def test_a_chain_of_merges_ends_at_the_last_whatever_is_heard_first(world, firm, in_order):
    a, b, c = new_id(), new_id(), new_id()
    write(world, firm, a)
    for old, into in ((a, b), (b, c)) if in_order else ((b, c), (a, b)):
        merge(world, firm, old, into)
    assert count(world, firm, c) == 2
    with world.uow(firm) as uow:
        assert standing(uow, a) == standing(uow, b) == c


def test_what_was_being_written_at_the_same_moment_follows_a_little_later(world, firm):
    old, into = new_id(), new_id()
    merge(world, firm, old, into)
    write(world, firm, old)  # committed after the merge had looked
    with world.uow(firm) as uow:
        world.run_due(firm, at=uow.now + timedelta(minutes=3))
    assert [count(world, firm, id) for id in (old, into)] == [0, 2]
