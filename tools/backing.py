"""Servers for tests and development: `python -m tools.backing up | down | status`.

`up` starts a private PostgreSQL, RabbitMQ and S3 under .praxis/test, or finds them running, and writes their
addresses to .praxis/test/env. They go on running after the command has ended.
"""

import argparse
import sys

from tools.launcher import backing, processes
from tools.launcher.area import Area, test_area
from tools.launcher.errors import LauncherError


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.backing", description=__doc__)
    parser.add_argument("command", choices=["up", "down", "status"])
    command = parser.parse_args(argv).command
    try:
        return {"up": _up, "down": _down, "status": _status}[command](test_area())
    except LauncherError as error:
        print(error, file=sys.stderr)
        return 1


def _up(area: Area) -> int:
    backing.up(area, print)
    print(f"addresses: {area.path / 'env'}")
    return 0


def _down(area: Area) -> int:
    backing.down(area, print)
    return 0


def _status(area: Area) -> int:
    running = {name: processes.find(area, name) for name in backing.NAMES}
    for name, entry in running.items():
        print(f"{name:10} {f'running, process {entry.pid}' if entry else 'down'}")
    return 0 if all(running.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
