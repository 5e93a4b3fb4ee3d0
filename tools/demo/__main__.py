"""`./praxis demo`: makes the demo firm on a running platform, or goes on making it."""

import argparse
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from tools.demo import files, firm, money, work
from tools.demo.api import RefusedError


def main() -> None:
    parser = argparse.ArgumentParser(prog="./praxis demo", description="Make the demo firm.")
    parser.add_argument("--scale", type=int, default=1, help="so many times as many clients and their work")
    scale = parser.parse_args().scale
    demo = firm.open_firm(*firm.environment(), today=datetime.now(UTC).date())
    steps: list[tuple[str, Callable[[], object]]] = [
        ("colleagues", lambda: firm.hire(demo)),
        ("branding", lambda: firm.brand(demo)),
        ("rates", lambda: money.set_rates(demo)),
        ("clients", lambda: firm.take_on_clients(demo, 120 * scale)),
        ("jobs", lambda: work.make_jobs(demo)),
        ("time", lambda: money.log_time(demo)),
        ("invoices and payments", lambda: money.bill(demo)),
        ("documents", lambda: files.upload(demo, 30 * scale)),
        ("portal users", lambda: firm.invite_contacts(demo, 12)),
    ]
    for n, (name, step) in enumerate(steps, 1):
        began = time.monotonic()
        print(f"demo firm {n}/{len(steps)}: {name} …", flush=True)
        try:
            step()
        except RefusedError as error:
            sys.exit(f"demo firm: {name} could not be made: {error}")
        print(f"demo firm {n}/{len(steps)}: {name} {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
