"""The commands of `./praxis`."""

import argparse
import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence

from tools.launcher import processes
from tools.launcher.area import PROJECT, run_area
from tools.launcher.errors import LauncherError
from tools.launcher.installer import InstallError


def main(argv: Sequence[str] | None = None) -> int:
    options, more = _parser().parse_known_args(argv)
    if more and options.command not in ("test", "bench", "demo", "run"):
        _parser().error(f"unrecognised: {' '.join(more)}")
    try:
        return _run(options, more)
    except (LauncherError, InstallError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        # Python would complain about a closed pipe when it flushes at its end.
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./praxis", description="Praxis on this machine.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("up", help="run everything; Ctrl-C stops it")
    run.add_argument("--detach", action="store_true", help="return when all is ready")
    run.add_argument("--fresh", action="store_true", help="start over: forget all data and secrets of the last runs")
    run.add_argument("--servers", action="store_true", help="only what the services stand on")
    run.add_argument("--no-demo", action="store_true", help="without the demo firm")
    commands.add_parser("down", help="stop what `up --detach` started")
    show = commands.add_parser("status", help="each part's state and memory")
    show.add_argument("--json", action="store_true")
    logs = commands.add_parser("logs", help="what the parts have written")
    logs.add_argument("part", nargs="?", help="a part, or a service for all its processes")
    logs.add_argument("-f", "--follow", action="store_true")
    test = commands.add_parser("test", help="linters and all tests, or those of some parts")
    test.add_argument("part", nargs="*", help="clients, web, e2e, …; or a path")
    test.add_argument("-k", dest="expression", help="only tests that match, as in pytest")
    commands.add_parser("check", help="ask every service whether its books are right")
    bench = commands.add_parser("bench", help="measure a scenario against its bound")
    bench.add_argument("name", nargs="?", help="without a name: which there are")
    commands.add_parser("demo", help="make the demo firm (again, or larger: --scale 100)", add_help=False)
    run = commands.add_parser("run", help="a command of a service, e.g. run identity setup-token", add_help=False)
    run.add_argument("service")
    lock = commands.add_parser("lock", help="resolve the Python packages anew")
    lock.add_argument("--upgrade", action="store_true", help="to their newest versions that fit")
    return parser


def _run(options: argparse.Namespace, more: list[str]) -> int:
    # Each command loads what it needs: `status` shall answer at once.
    match options.command:
        case "up":
            from tools.launcher import up

            return up.up(up.Wish(options.fresh, options.servers, demo=not options.no_demo), options.detach)
        case "down":
            from tools.launcher import up

            return up.down()
        case "status":
            from tools.launcher import status

            return status.status(options.json)
        case "logs":
            from tools.launcher import status

            return status.logs(options.part, options.follow)
        case "test":
            from tools.launcher import testing

            return testing.test(options.part, options.expression, more)
        case "check":
            return _check()
        case "bench":
            return _module("bench", [options.name, *more] if options.name else more, {})
        case "demo":
            return _demo(more)
        case "run":
            return _service(options.service, more)
        case _:
            from tools.launcher import locking

            return locking.lock(options.upgrade)


def _demo(words: list[str]) -> int:
    from tools.launcher import seeding
    from tools.launcher.platform import Platform
    from tools.launcher.up import require_running

    require_running(run_area())
    return _module("tools.demo", words, seeding.environment(Platform(run_area())))


def _check() -> int:
    """Every service's own check of its invariants, one after the other. 0 if all hold."""
    from tools.launcher.platform import SERVICES

    return max(_service(name, ["check"]) for name in SERVICES)


def _service(name: str, words: list[str]) -> int:
    """A command of a service, told what its running processes are told."""
    from tools.launcher import parts
    from tools.launcher.platform import SERVICES, Platform
    from tools.launcher.up import require_running

    if name not in SERVICES:
        raise LauncherError(f"no service is called {name}. There are: {', '.join(SERVICES)}")
    require_running(run_area())
    return _module(name, words, parts.settings(Platform(run_area()), name))


def _module(name: str, words: Sequence[str], env: dict[str, str]) -> int:
    if importlib.util.find_spec(name) is None:
        raise LauncherError(f"there is no {name} here")
    command = [sys.executable, "-m", name, *words]
    return subprocess.run(command, cwd=PROJECT, env={**processes.base_environment(), **env}, check=False).returncode


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
