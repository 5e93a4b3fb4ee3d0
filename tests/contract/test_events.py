"""Events and questions: what the contracts say, what the code does and what the docs show are one."""

import re

import pytest

from tools import catalogue


@pytest.fixture(scope="module")
def events() -> list[catalogue.Announced]:
    return catalogue.announced()


def test_every_event_is_named_for_its_service_and_says_its_kind(events: list[catalogue.Announced]) -> None:
    for event in events:
        assert re.fullmatch(rf"praxis\.{event.service}\.[a-z_]+\.[a-z_]+\.v1", event.type), event.type
        assert event.kind in ("state", "fact"), event.type


def test_types_are_unique(events: list[catalogue.Announced]) -> None:
    types = [event.type for event in events]
    assert len(types) == len(set(types))


def test_every_event_has_a_producer(events: list[catalogue.Announced]) -> None:
    made = {service: catalogue.made_in(service) for service in catalogue.SERVICES}
    assert [e.type for e in events if e.descriptor.name not in made[e.service]] == []


def test_every_event_has_a_listener_or_a_reason(events: list[catalogue.Announced]) -> None:
    assert [e.type for e in events if not e.listeners and not e.unheard] == []
    assert [e.type for e in events if e.listeners and e.unheard] == []


def test_nobody_listens_to_itself(events: list[catalogue.Announced]) -> None:
    assert [e.type for e in events if e.service in e.listeners] == []


def test_every_state_carries_its_version(events: list[catalogue.Announced]) -> None:
    assert [e.type for e in events if e.kind == "state" and "version" not in e.descriptor.fields_by_name] == []


def test_every_state_can_be_republished(events: list[catalogue.Announced]) -> None:
    import importlib

    missing = []
    for event in events:
        service = importlib.import_module(f"{event.service}.app").service
        if event.kind == "state" and event.descriptor.name not in {m.DESCRIPTOR.name for m in service.republish}:
            missing.append(event.type)
    assert missing == []


def test_who_asks_whom_is_who_may(events: list[catalogue.Announced]) -> None:
    allowed = {(caller, q.service, q.method.name) for q in catalogue.questions() for caller in q.callers}
    assert catalogue.asked() == allowed


def test_every_method_says_who_may_call_it() -> None:
    assert [q.method.full_name for q in catalogue.questions() if not q.callers] == []


def test_the_docs_show_what_the_contracts_say() -> None:
    assert (catalogue.ROOT / "docs" / "events.md").read_text() == catalogue.events_page(), (
        "run python -m tools.catalogue"
    )
    page = (catalogue.ROOT / "docs" / "architecture.md").read_text()
    assert catalogue.asks_table() in page
    assert catalogue.hears_table() in page
    assert page == catalogue.with_tables(page), "run python -m tools.catalogue"
