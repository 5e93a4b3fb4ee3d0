"""Figures side by side with their bound: printed as they come, kept as JSON at the end."""

import json
import math
import os
import platform
import statistics
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

KEPT = Path(__file__).resolve().parents[1] / ".praxis" / "bench"


@dataclass
class Figure:
    """One measurement: ours, the bound's, and the ratio that should be reached (None: no bound of that kind)."""

    what: str
    ours: float
    bound: float | None
    unit: str
    reach: str = ""
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        return self.ours / self.bound if self.bound else None


class Report:
    """Collects a scenario's figures."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.figures: list[Figure] = []
        self.before_ms = yardstick()
        print(f"{name}\n{'what':<58} {'ours':>10} {'bound':>10} {'ratio':>6}  reach", flush=True)

    def add(self, figure: Figure) -> None:
        self.figures.append(figure)
        bound = f"{figure.bound:,.1f}" if figure.bound is not None else ""
        ratio = f"{figure.ratio:.2f}" if figure.ratio is not None else ""
        print(
            f"{figure.what:<58} {figure.ours:>10,.1f} {bound:>10} {ratio:>6}  {figure.reach} ({figure.unit})",
            flush=True,
        )

    def keep(self) -> Path:
        """Writes the figures; returns the file."""
        KEPT.mkdir(parents=True, exist_ok=True)
        path = KEPT / f"{self.name}.json"
        speed = {"before_ms": self.before_ms, "after_ms": yardstick()}
        print(f"yardstick {speed['before_ms']:.0f} ms before, {speed['after_ms']:.0f} ms after")
        machine = {"cores": os.cpu_count(), "python": platform.python_version(), "yardstick": speed}
        figures = [asdict(f) | {"ratio": f.ratio} for f in self.figures]
        path.write_text(
            json.dumps({"at": datetime.now(UTC).isoformat(), "machine": machine, "figures": figures}, indent=2)
        )
        print(f"kept in {path.relative_to(KEPT.parents[1])}")
        return path


def yardstick() -> float:
    """Milliseconds that two million additions in Python take, the best of five: what the processors gave just then. On a
    machine shared with others that can be half of it an hour later, so milliseconds of two runs are compared with it in mind."""
    best = math.inf
    for _ in range(5):
        started, total = time.perf_counter(), 0
        for number in range(2_000_000):
            total += number
        best = min(best, (time.perf_counter() - started) * 1000)
    return best


def median(values: list[float]) -> float:
    return statistics.median(values)
