"""Hands each hint to the open streams of its firm. Lives in the event loop; other threads come in by `call_soon_threadsafe`."""

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Callable
from uuid import UUID

from identity.live.rules import Hint, Ring, ready, refetch

WAITING = 256  # frames a stream may lag behind before it is dropped


class Stream:
    """One open screen's queue. `closed` is set when it should end: too slow, or the process stops."""

    def __init__(self, firm_id: UUID, staff_id: str) -> None:
        self.firm_id, self.staff_id = firm_id, staff_id
        self.frames: asyncio.Queue[bytes] = asyncio.Queue(WAITING)
        self.closed = asyncio.Event()

    def put(self, frame: bytes) -> None:
        """Queues a frame, or gives the stream up: its reader comes back and resumes from what it has seen."""
        try:
            self.frames.put_nowait(frame)
        except asyncio.QueueFull:
            self.closed.set()


class Hub:
    """All open streams of this process, and what was said lately."""

    def __init__(self, may_hear: Callable[[Hint, str], bool] = lambda _hint, _staff_id: True) -> None:
        self._may_hear = may_hear
        self._ring = Ring(secrets.token_hex(6))
        self._streams: defaultdict[UUID, set[Stream]] = defaultdict(set)
        self.closing = False

    def open(self, firm_id: UUID, staff_id: str, last_event_id: str | None) -> tuple[Stream, list[bytes]]:
        """Somebody's stream, and the frames it begins with: what was missed since `last_event_id`, or `refetch` if that can't be told."""
        stream = Stream(firm_id, staff_id)
        self._streams[firm_id].add(stream)
        if not last_event_id:
            return stream, [ready(self._ring.here)]
        missed = self._ring.missed(firm_id, last_event_id)
        if missed is None:
            return stream, [refetch(self._ring.here)]
        heard = [m.frame for m in missed if self._may_hear(m.hint, staff_id)]
        return stream, [*heard, ready(self._ring.here)]

    def leave(self, stream: Stream) -> None:
        streams = self._streams[stream.firm_id]
        streams.discard(stream)
        if not streams:
            del self._streams[stream.firm_id]

    def publish(self, hint: Hint) -> None:
        """Sends a hint to whoever of its firm is there and may hear it, and keeps it for who is away for a moment."""
        numbered = self._ring.add(hint)
        for stream in self._streams.get(hint.firm_id, ()):
            if self._may_hear(hint, stream.staff_id):
                stream.put(numbered.frame)

    def interrupted(self) -> None:
        """The bus was away: nobody knows what was missed. Begins a new epoch and tells everybody to ask again."""
        self._ring = Ring(secrets.token_hex(6))
        for stream in self._everybody():
            stream.put(refetch(self._ring.here))

    def close(self) -> None:
        """Ends all streams: the process is about to stop, and their readers will find another."""
        self.closing = True
        for stream in self._everybody():
            stream.closed.set()

    def _everybody(self) -> list[Stream]:
        return [s for streams in self._streams.values() for s in streams]

    def __len__(self) -> int:
        return sum(len(s) for s in self._streams.values())
