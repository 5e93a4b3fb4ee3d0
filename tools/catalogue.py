"""What the services say to each other, read from contracts and code: `python -m tools.catalogue` writes it into the docs.

docs/events.md is written whole; in docs/architecture.md the tables between their markers are. tests/contract compares.
"""

import ast
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from chassis import events
from chassis.rpc import access_of
from praxis.common.v1 import options_pb2

ROOT = Path(__file__).resolve().parents[1]
SERVICES = ("identity", "clients", "workflow", "timebilling", "documents", "portal")


def code_of(service: str) -> Path:
    """The folder of a service's package."""
    return ROOT / ("gateway" if service == "identity" else "services") / service / service


@dataclass(frozen=True)
class Announced:
    """An event: what it says of itself, and which services listen."""

    service: str
    descriptor: Descriptor
    type: str
    kind: str
    unheard: str
    listeners: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """A gRPC method, by its contract."""

    service: str
    method: MethodDescriptor
    callers: tuple[str, ...]
    permission: str


def announced() -> list[Announced]:
    """Every event of every contract."""
    listens = {name: _listens_to(name) for name in SERVICES}
    found = []
    for service in SERVICES:
        module = importlib.import_module(f"praxis.{service}.v1.events_pb2")
        for descriptor in module.DESCRIPTOR.message_types_by_name.values():
            option = events.event_option(descriptor)
            if option is not None:
                listeners = tuple(name for name in SERVICES if option.type in listens[name])
                kind = options_pb2.EventKind.Name(option.kind).lower()
                found.append(Announced(service, descriptor, option.type, kind, option.unheard, listeners))
    return found


def _listens_to(service: str) -> set[str]:
    app = importlib.import_module(f"{service}.app")
    return {listen.type for listen in app.service.listens}


def questions() -> list[Question]:
    """Every method of every gRPC contract."""
    found = []
    for service in SERVICES:
        module = importlib.import_module(f"praxis.{service}.v1.{service}_pb2")
        for descriptor in module.DESCRIPTOR.services_by_name.values():
            for method in descriptor.methods:
                access = access_of(method)
                found.append(Question(service, method, tuple(access.callers), access.permission))
    return found


def asked() -> set[tuple[str, str, str]]:
    """(caller, service, method) of every question in the code: `uow.ask("clients", "GetClient", …)`."""
    found = set()
    for caller in SERVICES:
        for call in _calls(code_of(caller)):
            if isinstance(call.func, ast.Attribute) and call.func.attr == "ask" and len(call.args) >= 2:
                names = [a.value for a in call.args[:2] if isinstance(a, ast.Constant) and isinstance(a.value, str)]
                if len(names) == 2:
                    found.add((caller, names[0], names[1]))
    return found


def made_in(service: str) -> set[str]:
    """Names of everything the service's code calls by name: an event it announces is made there."""
    made = set()
    for call in _calls(code_of(service)):
        if isinstance(call.func, ast.Name):
            made.add(call.func.id)
        elif isinstance(call.func, ast.Attribute):
            made.add(call.func.attr)
    return made


def _calls(folder: Path) -> Iterator[ast.Call]:
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                yield node


# --- the docs ---------------------------------------------------------------------------------------------------------

_EVENTS_HEAD = """# Events

Written by `python -m tools.catalogue` from the contracts in `proto/` and from what each service listens to; a test compares.

Every event is a JSON message in a CloudEvents envelope (`id`, `type`, `source`, `subject`, `time`, `firm`, `aggregateversion`,
`traceparent`, `data`) on the topic exchange `praxis.events`; its type is its routing key. A **state** is the subject as it now is: keep it if
`aggregateversion` is newer than what you have. A **fact** happened once: handle each `id` once, in any order. Fields are only ever added
within a version; unknown ones are to be ignored. Delivery is at least once, so the same `id` may arrive again.
"""


def events_page() -> str:
    """docs/events.md."""
    found = announced()
    lines = [_EVENTS_HEAD, "| event | kind | who listens |", "|---|---|---|"]
    lines += [
        f"| [`{e.type}`](#{_anchor(e)}) | {e.kind} | {', '.join(e.listeners) or f'nobody: {e.unheard}'} |"
        for e in found
    ]
    for event in found:
        lines += [
            "",
            f"## {event.descriptor.name}",
            "",
            f"`{event.type}` · {event.kind} · announced by {event.service}",
            "",
        ]
        comments = _comments(event)
        if comments.get(""):
            lines += [comments[""], ""]
        lines += ["| field | type | |", "|---|---|---|"]
        lines += [f"| `{f.name}` | {_type(f)} | {comments.get(f.name, '')} |" for f in event.descriptor.fields]
    return "\n".join(lines) + "\n"


def _anchor(event: Announced) -> str:
    return str(event.descriptor.name).lower()


def _type(field: FieldDescriptor) -> str:
    kind = (
        field.message_type.name
        if field.message_type
        else {3: "integer", 5: "integer", 8: "boolean", 9: "text"}[field.type]
    )
    return f"list of {kind}" if field.is_repeated else str(kind)


def _comments(event: Announced) -> dict[str, str]:
    """What the contract says beside the message ("") and its fields: the compiled descriptors don't keep comments."""
    text = (ROOT / "proto" / event.descriptor.file.name).read_text()
    match = re.search(rf"((?://[^\n]*\n)*)message {event.descriptor.name} {{\n(.*?)\n}}", text, re.S)
    assert match is not None
    found = {"": " ".join(line.removeprefix("//").strip() for line in match[1].splitlines())}
    for line in match[2].splitlines():
        if field := re.match(r"\s*(?:repeated )?[\w.]+ (\w+) = \d+;\s*// (.*)", line):
            found[field[1]] = field[2]
    return found


def asks_table() -> str:
    """Who asks whom, over gRPC."""
    rows = [
        f"| {q.service} | `{q.method.name}` | {', '.join(q.callers)} | {q.permission or '–'} |" for q in questions()
    ]
    return "\n".join(["| asked | method | by | for a person who holds |", "|---|---|---|---|", *rows])


def hears_table() -> str:
    """Who hears whom: one row per service that announces, one column per service that listens."""
    found = announced()
    head = f"| announced by ↓ · heard by → | {' | '.join(SERVICES)} |"
    rows = []
    for service in SERVICES:
        cells = []
        for listener in SERVICES:
            heard = [f"{e.descriptor.name}" for e in found if e.service == service and listener in e.listeners]
            cells.append(", ".join(heard) or " ")
        rows.append(f"| **{service}** | {' | '.join(cells)} |")
    return "\n".join([head, "|---" * (len(SERVICES) + 1) + "|", *rows])


def with_tables(page: str) -> str:
    """A page with its generated tables brought up to date."""
    for name, table in (("asks", asks_table()), ("hears", hears_table())):
        head, rest = page.split(f"<!-- {name} -->\n", 1)
        _, tail = rest.split(f"\n<!-- /{name} -->", 1)
        page = f"{head}<!-- {name} -->\n{table}\n<!-- /{name} -->{tail}"
    return page


def write() -> None:
    (ROOT / "docs" / "events.md").write_text(events_page())
    architecture = ROOT / "docs" / "architecture.md"
    architecture.write_text(with_tables(architecture.read_text()))


if __name__ == "__main__":
    write()
