"""The bus on a real broker: nothing lost, nothing twice, failures set aside and replayed, dropped copies rebuilt."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import text

from chassis import bus, events, worker
from chassis.consumer import Consumer
from chassis.service import republish
from chassis.testing import World, eventually, private_virtual_host
from praxis.identity.v1.events_pb2 import FirmUpdated, StaffChanged

STAFF = events.type_of(StaffChanged)
FIRM = events.type_of(FirmUpdated)


@pytest.fixture(scope="module")
def amqp() -> Iterator[str]:
    with private_virtual_host() as url:
        yield url


@pytest.fixture
def wired(world: World, amqp: str) -> World:
    object.__setattr__(world.runtime.settings, "amqp_url", amqp)
    bus.declare(amqp, "notes", [FIRM])
    return world


@contextmanager
def running(world: World) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(world.runtime, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)


def send(world: World, *messages: FirmUpdated, firm) -> None:
    publisher = bus.Publisher(world.runtime.settings.amqp_url)
    envelopes = [
        events.wrap(m, source="identity", subject=m.firm_id, firm_id=firm, version=m.version, at=datetime.now(UTC))
        for m in messages
    ]
    assert publisher.publish([(str(e.id), e.type, e.encode()) for e in envelopes]) == set()
    publisher.close()


def firm_name(world: World, firm) -> str | None:
    with world.uow(firm) as uow:
        return uow.session.execute(text("SELECT name FROM firm_copy")).scalar()


def messages_in(world: World, queue: str) -> list[events.Envelope]:
    found = []
    with bus.connect(world.runtime.settings.amqp_url) as connection, connection.channel() as channel:
        while (message := channel.basic_get(queue, no_ack=True)) is not None:
            body = message.body
            found.append(events.Envelope.decode(body if isinstance(body, bytes) else body.encode()))
    return found


@pytest.fixture
def listener(wired: World) -> str:
    """A queue that hears what the example announces."""
    bus.declare(wired.runtime.settings.amqp_url, "listener", [STAFF])
    messages_in(wired, "listener.events")
    return "listener.events"


def test_what_is_committed_reaches_the_broker_once_and_in_order(wired: World, listener: str) -> None:
    firm = wired.firm()
    for i in range(5):
        wired.api(firm).post("/notes", {"text": f"n{i}"}).expect(201)
    with running(wired):
        eventually(lambda: pending(wired) == 0)
    heard = [e for e in messages_in(wired, listener) if e.firm_id == firm]
    assert [e.data["name"] for e in heard] == [f"n{i}" for i in range(5)]


def pending(world: World) -> int:
    with world.runtime.engine.connect() as connection:
        return connection.execute(text("SELECT count(*) FROM outbox WHERE published_at IS NULL")).scalar_one()


def test_two_relays_publish_each_row_once(wired: World, listener: str) -> None:
    firm = wired.firm()
    with wired.uow(firm) as uow:
        for i in range(500):
            uow.announce(StaffChanged(staff_id=str(i), name=str(i)), subject=str(i))
    relays = [bus.Relay(wired.runtime) for _ in range(2)]

    def drain(relay: bus.Relay) -> None:
        while relay.move():
            pass

    threads = [threading.Thread(target=drain, args=(r,)) for r in relays]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while relays[0].move():  # what one relay held while the other looked
        pass
    heard = [e.data["name"] for e in messages_in(wired, listener) if e.firm_id == firm]
    assert sorted(heard, key=int) == [str(i) for i in range(500)]


def test_confirms_may_come_in_any_order() -> None:
    confirms = bus.Confirms()
    for _ in range(6):
        confirms.sent()
    confirms.on_ack(5, False)
    confirms.on_ack(4, True)
    assert confirms.open == {6}
    confirms.on_nack(6, True)
    assert confirms.open == set()
    assert confirms.refused == {6}


def test_two_queues_that_hear_the_same_confirm_all(wired: World) -> None:
    """Each queue confirms for itself, so with several the confirms of a channel are out of order."""
    for name in ("left", "right", "third"):
        bus.declare(wired.runtime.settings.amqp_url, name, [STAFF])
    firm = wired.firm()
    with wired.uow(firm) as uow:
        for i in range(1000):
            uow.announce(StaffChanged(staff_id=str(i), name=str(i)), subject=str(i))
    relay = bus.Relay(wired.runtime)
    while relay.move():
        pass
    for name in ("left", "right", "third"):
        assert len([e for e in messages_in(wired, f"{name}.events") if e.firm_id == firm]) == 1000


def test_an_event_is_consumed_and_its_duplicate_absorbed(wired: World) -> None:
    firm = wired.firm()
    with running(wired):
        send(wired, FirmUpdated(firm_id=str(firm), name="one", version=1), firm=firm)
        send(wired, FirmUpdated(firm_id=str(firm), name="two", version=2), firm=firm)
        assert eventually(lambda: firm_name(wired, firm) == "two")
        send(
            wired,
            FirmUpdated(firm_id=str(firm), name="one", version=1),
            FirmUpdated(firm_id=str(firm), name="three", version=3),
            firm=firm,
        )
        assert eventually(lambda: firm_name(wired, firm) == "three")


def test_a_message_that_fails_does_not_stop_the_next_and_is_kept(wired: World) -> None:
    firm = wired.firm()
    with running(wired):
        send(
            wired,
            FirmUpdated(firm_id=str(firm), name="poison", version=1),
            FirmUpdated(firm_id=str(firm), name="fine", version=2),
            firm=firm,
        )
        assert eventually(lambda: firm_name(wired, firm) == "fine")
    with wired.runtime.engine.connect() as connection:
        kept = connection.execute(text("SELECT error FROM retry WHERE type = :t"), {"t": FIRM}).scalars().all()
    assert any("this one can't be handled" in e for e in kept)


def test_an_event_is_buried_after_its_last_try_and_comes_back_by_replay(wired: World) -> None:
    from chassis.consumer import TRIES, Handler

    handler = Handler(wired.runtime)
    firm = wired.firm()
    envelope = events.wrap(
        FirmUpdated(firm_id=str(firm), name="poison", version=1),
        source="x",
        subject="s",
        firm_id=firm,
        version=1,
        at=datetime.now(UTC),
    )
    handler.handle_or_set_aside(envelope.encode())
    for _ in range(TRIES):
        with wired.runtime.engine.begin() as connection:
            connection.execute(text("UPDATE retry SET next_at = now() - interval '1 second'"))
        handler.retry_due()
    letters = [x for x in worker.dead_letters(wired.runtime) if x.source == "event" and x.type == FIRM]
    assert len(letters) >= 1
    with wired.runtime.engine.connect() as connection:
        assert (
            connection.execute(
                text("SELECT count(*) FROM retry WHERE event_id = :id"), {"id": envelope.id}
            ).scalar_one()
            == 0
        )
    assert worker.replay(wired.runtime, letters[-1].id) == 1
    assert handler.retry_due() >= 1


def test_a_retry_that_never_comes_back_is_buried_with_its_reason(wired: World) -> None:
    from chassis.consumer import TRIES, Handler

    handler = Handler(wired.runtime)
    firm = wired.firm()
    envelope = _firm_event(firm, "poison", 1)
    handler.handle_or_set_aside(envelope.encode())
    soon = text("UPDATE retry SET next_at = now() - interval '1 second' WHERE event_id = :id")
    for _ in range(TRIES):  # a worker takes it and ends before it could say anything
        with wired.runtime.engine.begin() as connection:
            connection.execute(soon, {"id": envelope.id})
        while (row := handler._take_due()) is not None and row.event_id != envelope.id:
            pass
        assert row is not None
    with wired.runtime.engine.begin() as connection:
        connection.execute(soon, {"id": envelope.id})
    handler.retry_due()
    assert any("did not come back" in x.error for x in worker.dead_letters(wired.runtime) if x.type == FIRM)
    with wired.runtime.engine.connect() as connection:
        left = text("SELECT count(*) FROM retry WHERE event_id = :id")
        assert connection.execute(left, {"id": envelope.id}).scalar_one() == 0


def test_what_is_no_event_becomes_a_dead_letter(wired: World) -> None:
    from chassis.consumer import Handler

    before = len(worker.dead_letters(wired.runtime))
    Handler(wired.runtime).handle_or_set_aside(b"\xff not json")
    Handler(wired.runtime).handle_or_set_aside(b'{"id": "7"}')
    assert len(worker.dead_letters(wired.runtime)) == before + 2


def test_a_dropped_copy_is_rebuilt_by_republishing(wired: World) -> None:
    firm = wired.firm()
    for i in range(3):
        wired.api(firm).post("/notes", {"text": f"state {i}"}).expect(201)
    bus.declare(wired.runtime.settings.amqp_url, "newcomer", [STAFF])
    messages_in(wired, "newcomer.events")
    assert republish(wired.runtime, STAFF, "newcomer.events", str(firm)) == 3
    assert sorted(e.data["name"] for e in messages_in(wired, "newcomer.events")) == ["state 0", "state 1", "state 2"]
    with pytest.raises(SystemExit, match="there is no queue"):
        republish(wired.runtime, STAFF, "nobody.events", str(firm))


def test_writes_go_on_while_the_broker_is_away(world: World) -> None:
    object.__setattr__(world.runtime.settings, "amqp_url", "amqp://nobody:x@127.0.0.1:1//")
    firm = world.firm()
    with running(world):
        world.api(firm).post("/notes", {"text": "written"}).expect(201)
    assert pending(world) >= 1


def test_the_queue_is_a_quorum_queue_with_a_delivery_limit(wired: World) -> None:
    queue = bus.queue_of("notes", [FIRM])
    assert queue.queue_arguments["x-queue-type"] == "quorum"
    assert queue.queue_arguments["x-delivery-limit"] == bus.DELIVERY_LIMIT
    assert Consumer(wired.runtime)._types == [FIRM]


def test_what_comes_together_is_handled_in_order_in_one_transaction(wired: World) -> None:
    from chassis.consumer import Handler

    firm, other = wired.firm(), wired.firm()
    came = [
        *(_firm_event(firm, f"name {n}", n) for n in (1, 3, 2)),
        _firm_event(other, "another firm", 1),
    ]
    Handler(wired.runtime).handle_or_set_aside_all([*(e.encode() for e in came), came[0].encode()])
    assert (firm_name(wired, firm), firm_name(wired, other)) == ("name 3", "another firm")
    with wired.runtime.engine.connect() as connection:
        stamps = connection.execute(
            text("SELECT DISTINCT at FROM inbox WHERE event_id = ANY(:ids)"), {"ids": [e.id for e in came[:3]]}
        ).all()
    assert len(stamps) == 1  # now() is the transaction's


def test_one_that_fails_takes_none_of_those_it_came_with_along(wired: World) -> None:
    from chassis.consumer import Handler

    firm = wired.firm()
    came = [_firm_event(firm, "first", 1), _firm_event(firm, "poison", 2), _firm_event(firm, "last", 3)]
    Handler(wired.runtime).handle_or_set_aside_all([b"not json", *(e.encode() for e in came)])
    assert firm_name(wired, firm) == "last"
    with wired.runtime.engine.connect() as connection:
        aside = connection.execute(
            text("SELECT event_id FROM retry WHERE event_id = ANY(:ids)"), {"ids": [e.id for e in came]}
        ).scalars()
        assert list(aside) == [came[1].id]


def _firm_event(firm: UUID, name: str, version: int) -> events.Envelope:
    event = FirmUpdated(firm_id=str(firm), name=name, version=version)
    return events.wrap(event, source="x", subject=str(firm), firm_id=firm, version=version, at=datetime.now(UTC))
