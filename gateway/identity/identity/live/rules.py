"""Which hints somebody who was away has missed, and what a stream says. Pure."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import orjson

KEPT = 10_000  # hints a process remembers, of all firms together: minutes of a busy day
RETRY_MS = 2_000  # how long a browser waits before it connects again


@dataclass(frozen=True, slots=True)
class Hint:
    """Something of a firm has changed. It says what to ask for again, never what it says now: whoever may not see it learns nothing."""

    firm_id: UUID
    type: str
    id: str
    version: int
    clients: frozenset[str] = frozenset()  # that it is about: a private one's hints go to those named on it
    named: frozenset[str] = frozenset()  # staff who hear of it besides
    only: frozenset[str] | None = None  # staff it is for, and nobody else; None: for everybody


@dataclass(frozen=True, slots=True)
class Numbered:
    """A hint in its place, as it is sent: encoded once for all streams."""

    number: int
    hint: Hint
    frame: bytes

    @property
    def firm_id(self) -> UUID:
        return self.hint.firm_id


class Ring:
    """The last hints, numbered. `epoch` names this uninterrupted run: a number of another one says nothing here."""

    def __init__(self, epoch: str, kept: int = KEPT) -> None:
        self.epoch = epoch
        self._hints: deque[Numbered] = deque(maxlen=kept)
        self._last = 0

    def add(self, hint: Hint) -> Numbered:
        self._last += 1
        numbered = Numbered(self._last, hint, frame(hint_data(hint), id=self._id(self._last)))
        self._hints.append(numbered)
        return numbered

    def missed(self, firm_id: UUID, last_event_id: str) -> list[Numbered] | None:
        """The firm's hints after that one, in order; None if they can't be told any more, so that everything must be asked for again."""
        number = self._number(last_event_id)
        oldest = self._hints[0].number if self._hints else self._last + 1
        if number is None or number > self._last or number + 1 < oldest:
            return None
        return [h for h in self._hints if h.number > number and h.firm_id == firm_id]

    @property
    def here(self) -> str:
        """The id of this moment, to resume from."""
        return self._id(self._last)

    def _id(self, number: int) -> str:
        return f"{self.epoch}.{number}"

    def _number(self, event_id: str) -> int | None:
        epoch, _, number = event_id.rpartition(".")
        return (
            int(number) if epoch == self.epoch and number.isascii() and number.isdigit() and len(number) < 19 else None
        )


def hint_data(hint: Hint) -> bytes:
    return orjson.dumps({"type": hint.type, "id": hint.id, "version": hint.version})


def frame(data: bytes, *, id: str | None = None, event: str | None = None) -> bytes:
    """One server-sent event (WHATWG HTML, 9.2.6). `data` is JSON on one line, so nothing in it can end the frame."""
    lines: Iterable[bytes] = (
        *([b"id: " + id.encode()] if id else []),
        *([b"event: " + event.encode()] if event else []),
        b"data: " + data,
    )
    return b"\n".join(lines) + b"\n\n"


HEARTBEAT = b":\n\n"
OPENING = b"retry: %d\n\n" % RETRY_MS


def ready(at: str) -> bytes:
    """The stream stands; from here on nothing is missed."""
    return frame(b"{}", id=at, event="ready")


def refetch(at: str) -> bytes:
    """Something may have been missed: ask for everything again."""
    return frame(b"{}", id=at, event="refetch")
