"""Runs a plan of steps and parts: each as soon as what it needs is there; then watches the parts and heals them."""

import json
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from tools.launcher import processes
from tools.launcher.area import STATE, SUPERVISOR, Area
from tools.launcher.console import Console
from tools.launcher.part import Node, Part
from tools.launcher.slot import Slot

_TICK_SECONDS = 0.05
# More at once would only make each slower: starting is work for the processor.
_AT_ONCE = max(4, 3 * (os.cpu_count() or 2))


class Supervisor:
    """Starts, watches and stops the nodes of one area."""

    def __init__(self, area: Area, nodes: Sequence[Node], addresses: dict[str, str], console: Console) -> None:
        self._area = area
        self._addresses = addresses
        self._console = console
        self._slots = {node.name: Slot(node) for node in nodes}
        self._told: set[str] = set()
        self._written = ""
        self._pool = ThreadPoolExecutor(max_workers=4 * _AT_ONCE, thread_name_prefix="launcher")
        self.stopping = False

    def start(self) -> bool:
        """Bring everything up; False if it was stopped on the way. Raises LauncherError for the first that fails."""
        while not self.stopping:
            self._begin_what_can()
            self._tick()
            self._tell_finished_groups()
            self._console.progress(self._busy_groups())
            self._write_state(up=False)
            if all(slot.settled for slot in self._slots.values()):
                return True
            time.sleep(_TICK_SECONDS)
        return False

    def watch(self) -> None:
        """Heal what dies, until `stopping` is set."""
        while not self.stopping:
            self._tick()
            self._write_state(up=True)
            time.sleep(4 * _TICK_SECONDS)

    def stop(self) -> None:
        """Stop everything, in the reverse order of need; what may go together goes together."""
        self.stopping = True
        self._pool.shutdown(wait=False, cancel_futures=True)
        # What is being started or built ends with its process; what slipped through meanwhile is stopped after.
        processes.stop_area(self._area, keep=[SUPERVISOR])
        self._pool.shutdown(wait=True)
        processes.stop_area(self._area, keep=[SUPERVISOR])
        (self._area.path / STATE).unlink(missing_ok=True)

    def _begin_what_can(self) -> None:
        for slot in self._slots.values():
            if sum(other.busy for other in self._slots.values()) >= _AT_ONCE:
                return
            if slot.state == "waiting" and all(self._slots[name].settled for name in slot.node.after):
                slot.begin(self._area, self._pool)

    def _tick(self) -> None:
        for slot in self._slots.values():
            told = slot.tick(self._area, self._pool)
            if told:
                self._console.line(f"  {time.strftime('%H:%M:%S')} {told}")

    def _groups(self) -> dict[str, list[Slot]]:
        groups: dict[str, list[Slot]] = {}
        for slot in self._slots.values():
            groups.setdefault(slot.node.group or slot.node.name, []).append(slot)
        return groups

    def _tell_finished_groups(self) -> None:
        for name, slots in self._groups().items():
            if name not in self._told and all(slot.settled for slot in slots):
                self._told.add(name)
                took = max(slot.ended for slot in slots) - min(slot.began for slot in slots)
                state = "ready" if any(isinstance(slot.node, Part) for slot in slots) else "done"
                self._console.done(name, state, took)

    def _busy_groups(self) -> list[tuple[str, str, float]]:
        now = time.monotonic()
        busy = []
        for name, slots in self._groups().items():
            at = [slot for slot in slots if slot.busy]
            if at:
                detail = next((slot.detail for slot in at if slot.detail), "")
                busy.append(
                    (
                        name,
                        detail,
                        now - min(slot.began for slot in slots if slot.began),
                    )
                )
        return busy

    def _write_state(self, up: bool) -> None:
        """What `status` shows, for whoever asks from another terminal."""
        parts = [
            {"name": slot.node.name, "state": slot.state, "restarts": slot.restarts}
            for slot in self._slots.values()
            if isinstance(slot.node, Part)
        ]
        text = json.dumps({"supervisor": os.getpid(), "up": up, "addresses": self._addresses, "parts": parts})
        if text != self._written:
            draft = self._area.path / ".state.json"
            draft.write_text(text)
            draft.replace(self._area.path / STATE)
            self._written = text
