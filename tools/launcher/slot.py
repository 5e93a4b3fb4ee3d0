"""Where one node of the plan stands: waiting, starting, ready; or, having died, waiting to be started again."""

import time
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field

from tools.launcher import processes
from tools.launcher.area import Area
from tools.launcher.errors import LauncherError
from tools.launcher.part import Node, Part, Step, start, tail

_PROBE_SECONDS = 0.15
_CHECK_UP_SECONDS = 5.0
_LONGEST_PAUSE = 30.0
_WELL_AGAIN_SECONDS = 60.0


@dataclass
class Slot:
    """A node and its state. `tick` moves it on; nothing here blocks."""

    node: Node
    state: str = "waiting"  # waiting, starting, ready, done, unready, down
    detail: str = ""
    entry: processes.Record | None = None
    began: float = 0.0
    ended: float = 0.0
    restarts: int = 0
    _job: Future[processes.Record | None] | None = None
    _probe: Future[bool] | None = None
    _next: float = 0.0
    _pause: float = field(default=0.5)

    @property
    def settled(self) -> bool:
        return self.state in ("ready", "done")

    @property
    def busy(self) -> bool:
        return self.state == "starting"

    def begin(self, area: Area, pool: Executor) -> None:
        self.began, self.state, self.detail = time.monotonic(), "starting", ""
        self._job = pool.submit(self._launch, area)

    def _launch(self, area: Area) -> processes.Record | None:
        if isinstance(self.node, Step):
            self.node.run(self._say)
            return None
        return start(area, self.node)

    def _say(self, text: str) -> None:
        self.detail = text

    def tick(self, area: Area, pool: Executor) -> str | None:
        """Move on; returns a line worth telling, if there is one. A first start that fails raises LauncherError."""
        if self._job and self._job.done():
            job, self._job = self._job, None
            self.entry = job.result()
            if isinstance(self.node, Step):
                self.state, self.ended = "done", time.monotonic()
        if self._job or not isinstance(self.node, Part) or self.state == "waiting":
            return None
        if self.state == "down":
            self._try_again(area, pool)
            return None
        if self.entry and not self.entry.alive:
            return self._died(area)
        return self._look(self.node, area, pool)

    def _look(self, part: Part, area: Area, pool: Executor) -> str | None:
        now = time.monotonic()
        if self._probe and self._probe.done():
            answer, self._probe = self._probe.result(), None
            return self._heard(part, area, answer)
        if self._probe is None and now >= self._next:
            self._next = now + (_PROBE_SECONDS if self.state == "starting" else _CHECK_UP_SECONDS)
            self._probe = pool.submit(part.ready)
        return None

    def _heard(self, part: Part, area: Area, answer: bool) -> str | None:
        now = time.monotonic()
        if answer:
            told = f"{part.name} is ready again" if self.state != "ready" and self.ended else None
            if self.state != "ready":
                self.state = "ready"
                self.ended = self.ended or now
            if now - self.began > _WELL_AGAIN_SECONDS:
                self._pause = 0.5
            return told if self.restarts else None
        if self.state == "ready":
            self.state = "unready"
        elif self.state == "starting" and not self.ended and now - self.began > part.patience:
            log = tail(area.log(part.name))
            raise LauncherError(f"{part.name} was not ready after {part.patience:.0f} s.\n{log}")
        return None

    def _died(self, area: Area) -> str:
        assert self.entry is not None
        left = processes.stop_session(area, self.entry)
        if not self.ended:
            raise LauncherError(f"{self.node.name} ended while starting.\n{tail(area.log(self.node.name))}")
        self.state, self._probe = "down", None
        self._next = time.monotonic() + self._pause
        also = f" (and {len(left)} of its children ended)" if left else ""
        return (
            f"{self.node.name} died{also}; starting it again in {self._pause:g} s, see `./praxis logs {self.node.name}`"
        )

    def _try_again(self, area: Area, pool: Executor) -> None:
        if time.monotonic() >= self._next:
            self.restarts += 1
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)
            self._next = 0.0
            self.begin(area, pool)
