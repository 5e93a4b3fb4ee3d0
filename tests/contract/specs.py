"""The services' OpenAPI files as the contract tests read them."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from chassis import openapi

ROOT = Path(__file__).resolve().parents[2]

Spec = dict[str, Any]
Operation = dict[str, Any]


@cache
def files() -> dict[str, Path]:
    """Every service that has a specification, and where it is."""
    found = [*(ROOT / "services").glob("*/openapi.yaml"), ROOT / "gateway" / "identity" / "openapi.yaml"]
    return {file.parent.name: file for file in sorted(found)}


@cache
def spec(service: str) -> Spec:
    """A service's specification as it is served."""
    return openapi.load(files()[service])


@cache
def operations() -> list[tuple[str, Operation]]:
    """Every operation of every service, with its service."""
    return [(service, operation) for service in files() for operation in openapi.operations(spec(service))]


def resolve(service: str, thing: Any) -> Any:
    """What a `$ref` points at; anything else as it is."""
    while isinstance(thing, dict) and "$ref" in thing:
        found: Any = spec(service)
        for part in thing["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        thing = found
    return thing


def parameters(service: str, operation: Operation) -> set[str]:
    """The names of an operation's parameters, those of its path included."""
    shared = spec(service)["paths"][operation["path"]].get("parameters", [])
    return {resolve(service, p)["name"] for p in [*shared, *operation.get("parameters", [])]}


def request_schemas(service: str, operation: Operation) -> Iterator[tuple[str, Any]]:
    """The schemas a request body may have, by content type."""
    body = resolve(service, operation.get("requestBody", {}))
    for content_type, content in body.get("content", {}).items():
        yield content_type, content.get("schema", {})


def answer_schema(service: str, operation: Operation, status: str = "200") -> Any:
    """The schema of an operation's JSON answer, or an empty one."""
    answer = resolve(service, operation["responses"].get(status, {}))
    return resolve(service, answer.get("content", {}).get("application/json", {}).get("schema", {}))


def inner(service: str, schema: Any, at: str = "", seen: frozenset[str] = frozenset()) -> Iterator[tuple[str, Any]]:
    """A schema and all schemas inside it, each with its place."""
    if isinstance(schema, dict) and "$ref" in schema:
        if schema["$ref"] in seen:
            return
        seen |= {schema["$ref"]}
    schema = resolve(service, schema)
    yield at, schema
    for name, value in schema.get("properties", {}).items():
        yield from inner(service, value, f"{at}/{name}", seen)
    if "items" in schema:
        yield from inner(service, schema["items"], f"{at}/*", seen)
    for word in ("allOf", "anyOf", "oneOf"):
        for number, value in enumerate(schema.get(word, [])):
            yield from inner(service, value, f"{at}({word} {number})", seen)
