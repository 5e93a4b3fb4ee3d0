"""What goes past SQLAlchemy: rows that travel with the commit, statements prepared by name, the call that wakes the worker."""

from contextlib import ExitStack
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from chassis import auth, wire
from chassis.errors import Conflict, NotFound
from chassis.testing import World, eventually
from chassis.uow import unit_of_work
from chassis.waking import CHANNEL
from notes.app import Note, create_note
from praxis.identity.v1.events_pb2 import StaffChanged


def prepared(world: World, firm) -> set[str]:
    """What any connection of the pool has prepared, each after a unit of work that only read."""
    for _ in range(2):
        known: set[str] = set()
        with ExitStack() as all_of_them:
            for _ in range(world.runtime.engine.pool.size()):  # type: ignore[attr-defined]
                uow = all_of_them.enter_context(
                    unit_of_work(world.runtime, auth.system(world.service.name, firm), firm_id=firm)
                )
                rows = uow.rows("SELECT statement FROM pg_prepared_statements", {})
                known = known | {row["statement"] for row in rows}
    return known


def test_a_row_that_travels_with_the_commit_is_there_with_its_firm_its_id_and_its_version(world: World) -> None:
    firm = world.firm()
    with world.uow(firm) as uow:
        note = uow.insert(Note(text="100 % of it: a 'quote'"))
        assert uow.rows("SELECT id FROM notes", {}) == []
        early = uow.insert(Note(text="asked for again"))
        uow.flush()
        assert {r["id"] for r in uow.rows("SELECT id FROM notes", {})} == {note.id, early.id}
    assert world.api(firm).get(f"/notes/{note.id}").expect(200).json["text"] == "100 % of it: a 'quote'"
    assert note.version == 1


def test_a_row_that_the_database_refuses_takes_everything_with_it(world: World) -> None:
    firm = world.firm()
    with world.uow(firm) as uow:
        uow.insert(Note(text="one"))

    def again() -> None:
        with world.uow(firm) as uow:
            uow.insert(Note(text="one"))
            uow.announce(StaffChanged(staff_id="1", name="one"), subject="1")

    with pytest.raises(Conflict):
        again()
    assert world.events(firm, StaffChanged) == []


def test_a_row_of_an_attempt_that_failed_does_not_travel(world: World) -> None:
    firm = world.firm()
    with world.uow(firm) as uow:
        uow.insert(Note(text="two"))

        def attempt() -> None:
            with uow.attempt():
                uow.insert(Note(text="one"))
                uow.get(Note, firm)

        with pytest.raises(NotFound):
            attempt()
    with world.uow(firm) as uow:
        assert uow.rows("SELECT text FROM notes", {}) == [{"text": "two"}]


def test_another_firms_rows_are_not_among_what_the_driver_answers(world: World) -> None:
    one, other = world.firm(), world.firm()
    with world.uow(one) as uow:
        uow.insert(Note(text="mine"))
    with world.uow(other) as uow:
        assert uow.rows("SELECT text FROM notes WHERE text = :text", {"text": "mine"}) == []
        assert uow.row("SELECT text FROM notes WHERE text LIKE '%' || CAST(:text AS text)", {"text": "mine"}) is None


def test_names_of_values_are_told_from_casts_and_percent_signs() -> None:
    assert wire.driver_form("SELECT a::text, '10:30', b % 2 FROM c WHERE d = :d AND e=:e::int") == (
        b"SELECT a::text, '10:30', b %% 2 FROM c WHERE d = %(d)s AND e=%(e)s::int"
    )


def test_what_comes_again_is_prepared_and_a_read_leaves_it_so(world: World) -> None:
    firm = world.firm()
    api = world.api(firm)
    for number in range(world.runtime.engine.pool.size() + 1):  # type: ignore[attr-defined]  # one connection has two of them
        api.post("/notes", {"text": str(number)}).expect(201)
        api.get("/notes").expect(200)  # ends without a commit
    known = prepared(world, firm)
    assert any("set_config" in s for s in known)
    assert any("INSERT INTO outbox" in s for s in known)


def test_whoever_rolls_back_past_the_unit_of_work_does_no_harm(world: World) -> None:
    """The driver then drops all that is prepared on the connection, our names too."""
    firm = world.firm()
    for number in range(8):
        with world.uow(firm) as uow:
            uow.session.execute(text("SELECT 1 WHERE CAST(:a AS int) = 1"), {"a": 1})
            create_note(uow, {"text": f"before {number}"})
    for _ in range(3):
        with world.runtime.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            connection.rollback()
    with world.uow(firm) as uow:
        create_note(uow, {"text": "after"})
    with world.uow(firm) as uow:
        with pytest.raises(IntegrityError), uow.attempt():
            create_note(uow, {"text": "after"})
        create_note(uow, {"text": "after an attempt"})
    assert [e.name for e in world.events(firm, StaffChanged)][-2:] == ["after", "after an attempt"]


def test_the_worker_is_called_once_what_there_is_to_do_is_committed(world: World) -> None:
    firm = world.firm()
    with psycopg.connect(world.runtime.settings.database_url, autocommit=True) as listener:
        listener.execute(f"LISTEN {CHANNEL}")
        with world.uow(firm) as uow:
            uow.announce(StaffChanged(staff_id="1", name="one"), subject="1")
            uow.later("shout", "k", uow.now + timedelta(days=1), note_id="x")
        told: set[str] = set()

        def heard() -> bool:
            told.update(n.payload for n in listener.notifies(timeout=0.2))
            return {"events", "due"} <= told

        assert eventually(heard)


def test_what_was_undone_calls_nobody(world: World) -> None:
    firm = world.firm()
    with world.uow(firm) as uow:  # whatever earlier tests called is through
        uow.insert(Note(text="first"))
    with psycopg.connect(world.runtime.settings.database_url, autocommit=True) as listener:
        listener.execute(f"LISTEN {CHANNEL}")

        def undone() -> None:
            with world.uow(firm) as uow:
                uow.announce(StaffChanged(staff_id="1", name="one"), subject="1")
                raise RuntimeError("no")

        with pytest.raises(RuntimeError):
            undone()
        assert list(listener.notifies(timeout=0.3)) == []
