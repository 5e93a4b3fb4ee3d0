"""Unit of work, events, timers, gRPC, audit: state and consequences commit together and take effect once."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DataError, IntegrityError

from chassis import sealing
from chassis.db import EXEMPT, new_id
from chassis.due import TRIES
from chassis.errors import BadRequest, Conflict, Forbidden, Invalid, NotFound, Unavailable
from chassis.paging import decode_cursor, encode_cursor, keyset
from chassis.service import check
from chassis.testing import World, unmapped_differences
from chassis.worker import dead_letters, keep_house, replay
from notes.app import create_note
from praxis.identity.v1 import identity_pb2
from praxis.identity.v1.events_pb2 import FirmUpdated, StaffChanged


def note(world: World, firm, text: str) -> str:
    return world.api(firm).post("/notes", {"text": text}).expect(201).json["id"]


def test_state_event_and_audit_commit_together_or_not_at_all(world: World) -> None:
    firm = world.firm()
    api = world.api(firm)
    api.post("/notes", {"text": "one"}).expect(201)
    api.post("/notes", {"text": "one"}).problem(409, "text_taken")
    assert [e.name for e in world.events(firm, StaffChanged)] == ["one"]
    assert [(a.action, a.after["text"]) for a in world.audit(firm)] == [("note.created", "one")]


def test_an_attempt_that_fails_leaves_nothing_and_the_unit_of_work_goes_on(world: World) -> None:
    firm = world.firm()
    with world.uow(firm, staff=new_id()) as uow:
        create_note(uow, {"text": "before"})
        with pytest.raises(Invalid), uow.attempt():
            [create_note(uow, {"text": words}) for words in ("later undone", "forbidden")]
        with pytest.raises(IntegrityError), uow.attempt():
            create_note(uow, {"text": "before"})
        with uow.attempt():
            create_note(uow, {"text": "later kept"})
    assert [e.name for e in world.events(firm, StaffChanged)] == ["before", "later kept"]
    assert [a.after["text"] for a in world.audit(firm)] == ["before", "later kept"]
    assert world.run_due(firm) == 1


def test_many_events_of_one_unit_of_work_leave_in_their_order_and_only_with_it(world: World) -> None:
    firm = world.firm()

    def announce(count: int, *, fails: bool = False) -> None:
        with world.uow(firm) as uow:
            for i in range(count):
                uow.announce(StaffChanged(staff_id=str(i), name=str(i), version=1), subject=str(i))
            if fails:
                uow.audit("noted", "note", "1", reason="not a text: \0")

    announce(1000)
    with pytest.raises(DataError):
        announce(1000, fails=True)
    assert [e.name for e in world.events(firm, StaffChanged)] == [str(i) for i in range(1000)]


def test_work_planned_twice_in_one_unit_of_work_is_done_as_planned_last(world: World) -> None:
    firm = world.firm()
    one, two = note(world, firm, "one"), note(world, firm, "two")
    with world.uow(firm) as uow:
        uow.later("shout", "k", note_id=one)
        uow.later("shout", "k", note_id=two)
    assert world.run_due(firm) == 1
    assert [world.api(firm).get(f"/notes/{id}").json["text"] for id in (one, two)] == ["one", "TWO"]


def test_a_state_is_kept_only_if_newer(world: World) -> None:
    firm = world.firm()

    def name() -> str:
        with world.uow(firm) as uow:
            return uow.session.execute(text("SELECT name FROM firm_copy")).scalar_one()

    world.deliver(firm, FirmUpdated(firm_id=str(firm), name="two", version=2))
    world.deliver(firm, FirmUpdated(firm_id=str(firm), name="one", version=1))
    assert name() == "two"
    world.deliver(firm, FirmUpdated(firm_id=str(firm), name="three", version=3))
    assert name() == "three"


def test_an_event_takes_effect_once(world: World) -> None:
    firm, id = world.firm(), new_id()
    assert world.deliver(firm, FirmUpdated(firm_id=str(firm), name="x", version=1), id=id)
    assert not world.deliver(firm, FirmUpdated(firm_id=str(firm), name="x", version=1), id=id)


def test_due_work_runs_once_and_when_due(world: World) -> None:
    firm = world.firm()
    id = note(world, firm, "later please")
    assert world.run_due(firm) == 1
    assert world.run_due(firm) == 0
    assert world.api(firm).get(f"/notes/{id}").json["text"] == "LATER PLEASE"
    with world.uow(firm) as uow:
        uow.later("shout", "k", uow.now + timedelta(days=1), note_id=id)
    assert world.run_due(firm) == 0
    assert world.run_due(firm, at=datetime.now(UTC) + timedelta(days=2)) == 1


def test_cancelled_work_does_not_run(world: World) -> None:
    firm = world.firm()
    note(world, firm, "later not")
    with world.uow(firm) as uow:
        uow.cancel("shout", world.due(firm)[0].key)
    assert world.run_due(firm) == 0


def test_failing_work_is_tried_again_and_then_buried_and_can_be_replayed(world: World) -> None:
    firm = world.firm()
    id = note(world, firm, "later fails")
    for day in range(1, 12):
        world.run_due(firm, at=datetime.now(UTC) + timedelta(days=day))
    (letter,) = [x for x in dead_letters(world.runtime) if x.source == "due"]
    assert "no voice" in letter.error
    assert world.run_due(firm, at=datetime.now(UTC) + timedelta(days=99)) == 0
    with world.uow(firm) as uow:
        uow.session.execute(text("UPDATE notes SET text = 'later works'"))
    assert replay(world.runtime, letter.id) == 1
    assert world.run_due(firm) == 1
    assert world.api(firm).get(f"/notes/{id}").json["text"] == "LATER WORKS"
    assert letter.id not in [x.id for x in dead_letters(world.runtime)]


def test_work_that_kills_its_worker_each_time_is_buried_with_its_reason_and_can_be_replayed(world: World) -> None:
    firm = world.firm()
    id = note(world, firm, "later kills")

    def deaths(worker: Callable[[], int]) -> int:
        """How often a worker's process ended over this work, until it is taken no more."""
        for count in range(TRIES + 2):
            with world.runtime.engine.begin() as connection:
                again = "UPDATE due SET run_at = now() WHERE firm_id = :firm AND done_at IS NULL"  # the claim runs out
                if connection.execute(text(again), {"firm": firm}).rowcount == 0:
                    return count
            code = worker()
            if code == 0:
                return count
            assert code == -signal.SIGKILL
        raise AssertionError("it is taken for ever")

    with _workers(world, firm) as worker:
        assert deaths(worker) == TRIES
    (letter,) = [x for x in dead_letters(world.runtime) if x.source == "due" and "shout" in x.error]
    assert f"attempt {TRIES} did not come back" in letter.error
    assert world.due(firm)[0].done_at is not None
    with world.uow(firm) as uow:
        uow.session.execute(text("UPDATE notes SET text = 'later works'"))
    assert replay(world.runtime, letter.id) == 1
    assert world.run_due(firm) == 1
    assert world.api(firm).get(f"/notes/{id}").json["text"] == "LATER WORKS"


@contextmanager
def _workers(world: World, firm: UUID) -> Iterator[Callable[[], int]]:
    """Runs the firm's due work in a process of its own, each time it is called; answers its exit code. They are forked from
    one that has everything imported."""
    script = (
        "import os, sys\nfrom uuid import UUID\nfrom chassis.due import Timers\nfrom chassis.service import Runtime\n"
        "from notes.app import service\n"
        "for _ in sys.stdin:\n"
        "    if (child := os.fork()) == 0:\n"
        "        Timers(Runtime(service, service.settings.load())).run_due(firm_id=UUID(sys.argv[1]))\n"
        "        os._exit(0)\n"
        "    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)\n"
    )
    environment = os.environ | {
        "PRAXIS_DATABASE_URL": world.runtime.settings.database_url,
        "PYTHONPATH": str(Path(__file__).parent / "example"),
    }
    command = [sys.executable, "-c", script, str(firm)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment, **pipes) as nursery:
        sending, answers = nursery.stdin, nursery.stdout
        assert sending
        assert answers

        def run() -> int:
            sending.write("next\n")
            sending.flush()
            return int(answers.readline())

        yield run
        sending.close()


def test_work_that_found_a_service_away_many_times_is_not_taken_for_lost(world: World) -> None:
    firm = world.firm()
    id = note(world, firm, "later waits")
    for _ in range(TRIES + 3):
        with world.runtime.engine.begin() as connection:  # its pause is over
            connection.execute(text("UPDATE due SET run_at = now() WHERE firm_id = :firm"), {"firm": firm})
        assert world.run_due(firm) == 1
    with world.uow(firm) as uow:
        uow.session.execute(text("UPDATE notes SET text = 'later works'"))
    assert world.run_due(firm, at=datetime.now(UTC) + timedelta(days=99)) == 1
    assert world.api(firm).get(f"/notes/{id}").json["text"] == "LATER WORKS"


def test_the_audit_chain_shows_tampering(world: World) -> None:
    firm = world.firm()
    for i in range(3):
        note(world, firm, f"n{i}")
    keep_house(world.runtime)
    with world.uow(firm) as uow:
        assert sealing.broken(uow) == []
    with pytest.raises(Exception, match="permission denied"), world.uow(firm) as uow:
        uow.session.execute(text("UPDATE audit SET actor_name = 'somebody else'"))
    tamper(world, firm)
    assert len([v for v in check(world.runtime) if str(firm) in v and "audit chain" in v]) >= 1


def tamper(world: World, firm) -> None:
    from sqlalchemy import create_engine

    owner = create_engine(world.runtime.settings.owner_database_url)
    with owner.begin() as connection:
        connection.execute(
            text("UPDATE audit SET action = 'note.denied' WHERE firm_id = :f AND position = 2"), {"f": firm}
        )
    owner.dispose()


def test_a_call_names_its_service_and_is_refused_to_others(world: World) -> None:
    firm = world.firm()
    request = identity_pb2.IssuePortalTokenRequest(contact_id="c", client_ids=["a", "b"])
    assert (
        world.grpc(firm, caller="portal").call("IssuePortalToken", request).access_token == f"service:portal {firm} 2"
    )
    with pytest.raises(Forbidden) as refused:
        world.grpc(firm, caller="clients").call("IssuePortalToken", request)
    assert refused.value.code == "caller_not_allowed"


def test_a_call_under_the_same_key_takes_effect_once(world: World) -> None:
    firm = world.firm()
    grpc_client = world.grpc(firm, caller="portal")
    request = identity_pb2.IssuePortalTokenRequest(contact_id="c")
    assert grpc_client.call("IssuePortalToken", request, key="k") == grpc_client.call(
        "IssuePortalToken", request, key="k"
    )
    assert len(world.audit(firm)) == 1


def test_a_refusal_crosses_grpc_with_its_code(world: World) -> None:
    with pytest.raises(Conflict) as refused:
        world.grpc(world.firm(), caller="portal").call(
            "IssuePortalToken", identity_pb2.IssuePortalTokenRequest(contact_id="taken")
        )
    assert refused.value.code == "contact_taken"


def test_asking_a_service_carries_its_answer_and_its_refusal(world: World) -> None:
    firm = world.firm()
    api = world.api(firm)
    calls = world.answers(
        "identity", {"IssuePortalToken": lambda r: identity_pb2.IssuePortalTokenResponse(access_token=r.contact_id)}
    )
    assert api.get("/identity").expect(200).json == {"token": "x"}
    assert len(calls) == 1

    def refuse(_request: object) -> identity_pb2.IssuePortalTokenResponse:
        raise NotFound("contact_not_found", "No such contact.")

    world.answers("identity", {"IssuePortalToken": refuse})
    api.get("/identity").problem(404, "contact_not_found")


def test_a_service_that_is_away_is_a_clear_503(world: World) -> None:
    object.__setattr__(world.runtime.settings, "identity_grpc", "127.0.0.1:1")
    world.runtime.channels.close()
    answer = world.api(world.firm()).get("/identity").problem(503, "identity_unavailable")
    assert int(answer.headers["retry-after"]) > 0


def test_a_hanging_service_meets_the_deadline_and_then_the_breaker(world: World) -> None:
    import threading

    from chassis.rpc import Breaker

    release = threading.Event()

    def hang(_request: object) -> identity_pb2.IssuePortalTokenResponse:
        release.wait(20)
        return identity_pb2.IssuePortalTokenResponse()

    calls = world.answers("identity", {"IssuePortalToken": hang})
    world.runtime.channels._breakers.clear()
    api = world.api(world.firm())
    for _ in range(Breaker.FAILURES + 2):
        api.get("/identity").problem(503, "identity_unavailable")
    release.set()
    assert len(calls) <= Breaker.FAILURES
    world.runtime.channels._breakers.clear()


def test_every_table_of_a_firm_is_policed(world: World) -> None:
    with world.runtime.engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT relname, relrowsecurity AND relforcerowsecurity AS policed FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            )
        ).all()
    assert {r.relname for r in rows if not r.policed} == set(EXEMPT)


def test_the_mappings_match_the_migrated_database(world: World) -> None:
    from notes.app import Base

    assert unmapped_differences(world.service, Base.metadata, world.runtime.settings.owner_database_url) == []


def test_the_search_function_uses_its_index_and_keeps_to_the_firm(world: World) -> None:
    firm, other = world.firm(), world.firm()
    note(world, firm, "needle here")
    note(world, other, "needle there")
    with world.uow(firm) as uow:
        assert uow.session.execute(text("SELECT count(*) FROM search_notes('needle')")).scalar_one() == 1


@given(st.lists(st.one_of(st.text(), st.integers(-(2**53), 2**53)), min_size=1, max_size=4))
def test_a_cursor_carries_its_values(values: list[str | int]) -> None:
    try:
        encoded = encode_cursor(values)
    except TypeError:  # lone surrogates are no text a database can hold
        return
    assert decode_cursor(encoded, len(values)) == values


@pytest.mark.parametrize(
    ("cast", "good", "bad"),
    [
        ("uuid", "0197ffff-0000-7000-8000-000000000000", "7"),
        ("date", "2026-02-28", "2026-02-30"),
        ("timestamptz", "2026-02-28T10:00:00+00:00", "soon"),
        ("numeric", "12.50", "much"),
        ("bigint", 7, "7.5"),
        ("", "Müller", "a\0b"),
    ],
)
def test_a_forged_cursor_is_the_callers_mistake(cast: str, good: str | int, bad: str) -> None:
    where, parameters = keyset(["place"], encode_cursor([good]), casts=[cast])
    assert (where.startswith("AND (place) > ("), parameters) == (True, {"after_0": good})
    with pytest.raises(BadRequest) as refusal:
        keyset(["place"], encode_cursor([bad]), casts=[cast])
    assert refusal.value.code == "cursor_invalid"


def test_grpc_has_the_standard_health_service(world: World) -> None:
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    from chassis.rpc import make_server

    server, port = make_server(world.runtime)
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=30)
    server.stop(None)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_the_database_being_away_is_a_503_that_says_when_to_come_back() -> None:
    assert Unavailable("database_unavailable", "x", retry_after=2).problem()["status"] == 503


def test_a_number_too_large_for_its_column_is_the_callers_mistake(world: World) -> None:
    with pytest.raises(Invalid) as refusal, world.uow(world.firm()) as uow:
        uow.session.execute(text("SELECT CAST(:n AS bigint)"), {"n": 2**64})
    assert refusal.value.code == "number_out_of_range"
