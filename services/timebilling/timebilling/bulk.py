"""Acts on many things at once: each is done or refused by itself, and the answer says which. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from chassis.errors import DomainError

T = TypeVar("T")


def each(
    ids: Sequence[UUID], loaded: Mapping[UUID, T], act: Callable[[T], None], missing: Callable[[], DomainError]
) -> tuple[list[T], dict[str, Any]]:
    """Does `act` to each of the loaded things once; what it raises is that thing's refusal. Returns those done, and the API's answer."""
    done: list[T] = []
    items = []
    for id in dict.fromkeys(ids):
        try:
            if id not in loaded:
                raise missing()
            act(loaded[id])
            done.append(loaded[id])
            items.append(answered(id, None))
        except DomainError as refused:
            items.append(answered(id, refused))
    return done, summed(items)


def answered(id: UUID, refused: DomainError | None) -> dict[str, Any]:
    return {"id": id, "ok": refused is None, "code": refused and refused.code, "message": refused and refused.message}


def summed(items: list[dict[str, Any]]) -> dict[str, Any]:
    done = sum(1 for i in items if i["ok"])
    return {"done": done, "failed": len(items) - done, "items": items}
