import asyncio
import time
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from chassis.auth import Principal
from identity.live.hub import WAITING, Hub
from identity.live.rules import Hint, Ring, frame
from identity.live.server import EventStream

OURS, THEIRS = UUID(int=1), UUID(int=2)


def hint(firm: UUID = OURS, version: int = 1) -> Hint:
    return Hint(firm, "praxis.workflow.job.changed.v1", "job", version)


def test_who_was_away_is_told_what_the_firm_missed():
    ring = Ring("e")
    seen = ring.here
    added = [ring.add(hint(firm, n)) for n, firm in enumerate([OURS, THEIRS, OURS])]
    assert ring.missed(OURS, seen) == [added[0], added[2]]
    assert ring.missed(OURS, "e.2") == [added[2]]


def test_who_missed_nothing_is_told_nothing():
    ring = Ring("e")
    ring.add(hint())
    assert ring.missed(OURS, ring.here) == []


def test_who_was_away_too_long_must_ask_for_everything():
    ring = Ring("e", kept=2)
    seen = ring.here
    for n in range(3):
        ring.add(hint(version=n))
    assert ring.missed(OURS, seen) is None
    assert ring.missed(OURS, "e.1") is not None


@given(st.text(max_size=40))
def test_ids_of_another_run_or_of_nobody_are_not_understood(event_id):
    ring = Ring("e" * 12)
    ring.add(hint())
    assert ring.missed(OURS, event_id) is None


def test_a_number_not_given_yet_is_not_understood():
    assert Ring("e").missed(OURS, "e.1") is None


@given(st.text(), st.text())
def test_nothing_in_an_event_can_forge_another(type, id):
    from identity.live.rules import hint_data

    framed = frame(hint_data(Hint(OURS, type, id, 1)), id="e.1")
    assert framed.count(b"\n") == 3
    assert framed.endswith(b"\n\n")
    assert b"\r" not in framed


def test_a_stream_hears_its_own_firm_only():
    hub = Hub()
    ours, _ = hub.open(OURS, "ada", None)
    theirs, _ = hub.open(THEIRS, "ada", None)
    hub.publish(hint(OURS))
    assert (ours.frames.qsize(), theirs.frames.qsize()) == (1, 0)


def test_a_reader_that_lags_too_far_is_given_up():
    hub = Hub()
    stream, _ = hub.open(OURS, "ada", None)
    for n in range(WAITING):
        hub.publish(hint(version=n))
    assert not stream.closed.is_set()
    hub.publish(hint())
    assert stream.closed.is_set()
    assert stream.frames.qsize() == WAITING


def test_after_an_interruption_everybody_is_told_to_ask_again():
    hub = Hub()
    stream, beginning = hub.open(OURS, "ada", None)
    hub.interrupted()
    assert b"event: refetch" in stream.frames.get_nowait()
    resumed_from = beginning[0].split(b"\n")[0].removeprefix(b"id: ").decode()
    assert b"event: refetch" in hub.open(OURS, "ada", resumed_from)[1][0]


def test_closing_ends_every_stream():
    hub = Hub()
    streams = [hub.open(firm, "ada", None)[0] for firm in (OURS, THEIRS)]
    hub.close()
    assert all(s.closed.is_set() for s in streams)


def test_a_stream_that_left_is_forgotten():
    hub = Hub()
    stream, _ = hub.open(OURS, "ada", None)
    hub.leave(stream)
    hub.publish(hint())
    assert len(hub) == 0
    assert stream.frames.empty()


def test_a_reader_that_stopped_reading_is_dropped_and_its_stream_forgotten():
    async def scenario() -> None:
        hub = Hub()
        started, forever = asyncio.Event(), asyncio.Event()

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.body":
                started.set()
                await forever.wait()  # the network takes no more

        async def receive() -> dict[str, Any]:
            await forever.wait()
            return {"type": "http.disconnect"}

        principal = Principal("staff", str(UUID(int=9)), OURS)
        answer = asyncio.create_task(EventStream(hub, principal, time.time() + 600, None)({}, receive, send))
        await started.wait()
        for n in range(WAITING + 1):
            hub.publish(hint(version=n))
        await asyncio.wait_for(answer, 5)
        assert len(hub) == 0

    asyncio.run(scenario())
