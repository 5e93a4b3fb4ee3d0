"""Every service's HTTP contract keeps the conventions that callers of all of them count on."""

import importlib
import inspect
from typing import Any

import pytest
from openapi_spec_validator import validate

from tests.contract import specs

# Operations that differ from a convention, and why. One that has come to keep it must leave the list.
WHOLE = {
    "clients.search.http.search": "the best hits for what was typed so far; who wants more types more",
    "documents.files.http.search_documents": "the same",
    "timebilling.invoices.http.search": "the same",
    "timebilling.numbering.http.list_numbering": "one per type of document",
    "workflow.jobs.http.search": "the same",
    "identity.staff.http.list_permissions": "as many as the release has",
    "workflow.stages.http.list_stages": "the columns of one board",
    "clients.custom_fields.http.list_custom_fields": "a hundred at most",
    "workflow.capacity.http.get_capacity": "everybody at the firm",
    "workflow.capacity.http.list_candidates": "everybody at the firm at most",
    "workflow.capacity.http.list_suggestions": "fifty at most",
    "workflow.starters.http.list_starters": "as many as the release has",
    "workflow.schedules.http.list_occurrences": "a hundred at most, of an endless series",
    "workflow.calendars.http.list_days_off": "two years at most",
    "workflow.calendars.http.list_closures": "two years at most",
    "workflow.calendars.http.list_holiday_calendars": "as many as there are countries",
}
OPEN = {"identity.api_clients.http.token": "RFC 6749: unknown parameters are ignored, errors have a form of their own"}
UNREPEATED = {
    "identity.api_clients.http.create_api_client": "the answer holds a secret, which must not be kept for a replay",
    "workflow.automations.http.dry_run": "changes nothing",
    "workflow.capacity.http.what_if": "changes nothing",
    "workflow.feeds.http.create_feed": "the answer holds a secret, which must not be kept for a replay",
    "workflow.templates.http.preview_template": "changes nothing",
    "workflow.applications.http.preview": "the same",
    "workflow.schedules.http.preview": "the same",
    "workflow.rollouts.http.preview": "the same",
}
UNVERSIONED = {"identity.sessions.http.sign_out": "a session has one state only"}

each_service = pytest.mark.parametrize("service", specs.files())
each_operation = pytest.mark.parametrize(
    ("service", "operation"),
    [pytest.param(s, o, id=f"{s} {o['method'].upper()} {o['path']}") for s, o in specs.operations()],
)


def public(operation: specs.Operation) -> bool:
    return bool(operation["security"] == [])


@each_service
def test_who_lists_by_client_follows_clients_that_become_one(service: str) -> None:
    """Such a list, asked for by the id given up, would be empty otherwise (`chassis.merged`)."""
    by_client = [
        operation["operationId"]
        for of, operation in specs.operations()
        if of == service and operation["method"] == "get"
        for parameter in (specs.resolve(service, named) for named in operation.get("parameters", ()))
        if (parameter["name"], parameter["in"]) == ("client_id", "query")
    ]
    described = importlib.import_module(f"{service}.app").service
    assert not by_client or (described.merged == "client_id" and "repoint" in described.timers), by_client


@each_service
def test_the_specification_is_one(service: str) -> None:
    validate(specs.spec(service))
    assert specs.spec(service)["openapi"].startswith("3.0.")
    assert specs.spec(service)["servers"] == [{"url": f"/api/{service}/v1"}]


def test_operations_are_named_once() -> None:
    ids = [operation["operationId"] for _, operation in specs.operations()]
    assert len(ids) == len(set(ids))


@each_operation
def test_an_operation_is_a_function_of_its_service(service: str, operation: specs.Operation) -> None:
    module, _, name = operation["operationId"].rpartition(".")
    assert module.split(".")[0] == service
    function = getattr(importlib.import_module(module), name)
    assert inspect.isfunction(function)
    accepted = inspect.signature(function)
    sent = {p: None for p in specs.parameters(service, operation) if p.islower()}  # headers are chassis' business
    accepted.bind(None, **sent, **({"body": None} if "requestBody" in operation else {}))


@each_operation
def test_an_operation_says_what_it_does_and_what_goes_wrong(service: str, operation: specs.Operation) -> None:
    assert operation.get("summary")
    assert operation["responses"]["default"] == {"$ref": "#/components/responses/Problem"}


@each_operation
def test_request_objects_refuse_what_they_do_not_know(service: str, operation: specs.Operation) -> None:
    """Where the firm itself names the keys, so many typed values at most."""
    if operation["operationId"] in OPEN:
        return
    for content_type, schema in specs.request_schemas(service, operation):
        for at, inside in specs.inner(service, schema):
            if inside.get("type") == "object":
                named_by_the_firm = isinstance(inside.get("additionalProperties"), dict) and "maxProperties" in inside
                assert inside.get("additionalProperties") is False or named_by_the_firm, f"{content_type}{at}"


@each_operation
def test_texts_and_arrays_in_requests_have_a_limit(service: str, operation: specs.Operation) -> None:
    if operation["operationId"] in OPEN:
        return
    for _, schema in specs.request_schemas(service, operation):
        for at, inside in specs.inner(service, schema):
            if inside.get("type") == "array":
                assert "maxItems" in inside, at
            if inside.get("type") == "string":
                assert {"maxLength", "pattern", "enum", "format"} & set(inside), at


def lists(service: str, operation: specs.Operation) -> bool:
    """Whether an operation answers a list: `items`, without being a thing of its own."""
    properties = specs.answer_schema(service, operation).get("properties", {})
    return operation["method"] == "get" and "items" in properties and "id" not in properties


@each_operation
def test_a_list_is_paged(service: str, operation: specs.Operation) -> None:
    schema = specs.answer_schema(service, operation)
    assert schema.get("type") != "array", "a list answers an object with `items`"
    if lists(service, operation):
        paged = {"limit", "cursor"} <= specs.parameters(service, operation)
        paged = paged and {"items", "next_cursor"} <= set(schema["required"])
        assert paged is not (operation["operationId"] in WHOLE)


@each_operation
def test_acts_may_be_repeated_safely(service: str, operation: specs.Operation) -> None:
    named = specs.parameters(service, operation)
    if operation["method"] == "post":
        # Before anybody is known there is nobody to whom a key could belong.
        unrepeated = public(operation) or operation["operationId"] in UNREPEATED
        assert ("Idempotency-Key" in named) is not unrepeated
    if operation["method"] in {"patch", "put", "delete"}:
        assert ("If-Match" in named) is not (operation["operationId"] in UNVERSIONED)


def test_exceptions_are_operations_that_exist() -> None:
    ids = {operation["operationId"] for _, operation in specs.operations()}
    assert {*WHOLE, *OPEN, *UNREPEATED, *UNVERSIONED} <= ids


@each_service
def test_money_is_an_amount_with_its_currency(service: str) -> None:
    """Numbers are for counting; an amount of money is text with its currency beside it."""
    for name, schema in specs.spec(service)["components"]["schemas"].items():
        for at, inside in specs.inner(service, schema):
            last = at.rpartition("/")[2]
            if last in {"amount", "total", "balance", "fee", "price"}:
                assert inside.get("type") != "number", f"{name}{at}"


@pytest.mark.parametrize("wrong", ["list", "map"])
def test_the_walk_through_schemas_reaches_nested_objects(wrong: str) -> None:
    inside: dict[str, Any] = {"type": "object", "properties": {"deep": {"type": "object"}}}
    schema = {"type": "array", "items": inside} if wrong == "list" else {"allOf": [inside]}
    places = [at for at, found in specs.inner("clients", schema) if found == {"type": "object"}]
    assert len(places) == 1
