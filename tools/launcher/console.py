"""Calm lines on the terminal: each part once, with its state and time, and progress for what takes longer."""

import sys
import time

_QUIET_SECONDS = 2
_REPEAT_SECONDS = 5


class Console:
    """Writes finished lines; on a terminal a line at the bottom also says what is still going on."""

    def __init__(self) -> None:
        self._tty = sys.stdout.isatty()
        self._progress_shown = False
        self._last_progress = 0.0

    def line(self, text: str = "") -> None:
        self._clear()
        print(text, flush=True)

    def done(self, name: str, state: str, seconds: float) -> None:
        self.line(f"  {name:<14} {state:<8} {seconds:5.1f} s")

    def progress(self, busy: list[tuple[str, str, float]]) -> None:
        """What is going on now: (name, detail, seconds since it began). Silent for what is quick."""
        slow = [entry for entry in busy if entry[2] > _QUIET_SECONDS]
        now = time.monotonic()
        if not slow or now - self._last_progress < (0.5 if self._tty else _REPEAT_SECONDS):
            return
        self._last_progress = now
        text = ", ".join(f"{name}{f': {detail}' if detail else ''} ({took:.0f} s)" for name, detail, took in slow)
        if self._tty:
            self._clear()
            print(f"  … {text}"[:110], end="", flush=True)
            self._progress_shown = True
        else:
            print(f"  … {text}", flush=True)

    def _clear(self) -> None:
        if self._progress_shown:
            print("\r\033[K", end="", flush=True)
            self._progress_shown = False
