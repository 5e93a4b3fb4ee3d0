"""The servers that tests use: private, fast and forgetful, and left running between runs."""

from collections.abc import Callable

from tools.launcher import objectstore, postgres, processes, rabbitmq
from tools.launcher.area import Area
from tools.launcher.part import Part, start, wait_ready

NAMES = (postgres.NAME, rabbitmq.EPMD, rabbitmq.NAME, objectstore.NAME)


def test_parts(area: Area, say: Callable[[str], None]) -> list[Part]:
    """Fast and forgetful servers for tests; the broker with its HTTP API, by which tests make virtual hosts."""
    return [
        postgres.part(area, postgres.FOR_TESTS),
        *rabbitmq.parts(area, "/", say, management=True),
        objectstore.part(area),
    ]


def test_environment(area: Area) -> dict[str, str]:
    return {
        "PRAXIS_TEST_POSTGRES_URL": postgres.url(area),
        "PRAXIS_TEST_AMQP_URL": rabbitmq.url(area, "/"),
        "PRAXIS_TEST_AMQP_API": rabbitmq.management_url(area),
        "PRAXIS_TEST_S3_URL": objectstore.url(area),
        "PRAXIS_TEST_S3_ACCESS_KEY": objectstore.ACCESS_KEY,
        "PRAXIS_TEST_S3_SECRET_KEY": objectstore.secret_key(area),
    }


def up(area: Area, say: Callable[[str], None]) -> dict[str, str]:
    """Start what doesn't run, wait until all answer, and leave the addresses in `env`. Returns them."""
    area.create()
    with area.lock():
        _clean_leftovers(area, say)
        parts = test_parts(area, say)
        started = [(part, start(area, part)) for part in parts]
        for part, entry in started:
            wait_ready(area, part, entry)
            say(f"{part.name} ready")
        found = test_environment(area)
        target = area.path / "env"
        draft = area.path / ".env"
        draft.touch(mode=0o600)
        draft.write_text("".join(f"{key}={value}\n" for key, value in found.items()))
        draft.replace(target)
    return found


def down(area: Area, say: Callable[[str], None]) -> None:
    """Stop what `up` started here, and nothing else."""
    area.create()
    with area.lock():
        (area.path / "env").unlink(missing_ok=True)
        for name in processes.stop_area(area):
            say(f"{name} stopped")


def _clean_leftovers(area: Area, say: Callable[[str], None]) -> None:
    """A server killed by force may leave children on its ports and files: end them before starting anew."""
    dead = [entry for entry in processes.recorded(area) if not entry.alive]
    for entry in dead:
        for name in processes.stop_session(area, entry):
            say(f"ended {name}, left over from a {entry.name} that was killed")
        processes.forget(area, entry.name)
