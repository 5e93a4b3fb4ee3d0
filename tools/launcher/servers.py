"""What the platform stands on: PostgreSQL, RabbitMQ, the object store and the mail page; each may be somebody else's."""

import sys
from collections.abc import Callable

from tools.launcher import objectstore, postgres, rabbitmq
from tools.launcher.area import PROJECT
from tools.launcher.part import Node, Part, responds
from tools.launcher.platform import VHOST, Platform


def plan(platform: Platform, say: Callable[[str], None]) -> list[Node]:
    """What the platform stands on, where it isn't somebody else's."""
    area, external = platform.area, platform.external
    nodes: list[Node] = []
    if "postgres" not in external:
        nodes.append(postgres.part(area, postgres.FOR_RUNNING))
    if "rabbitmq" not in external:
        nodes += rabbitmq.parts(area, VHOST, say)
    if "s3" not in external:
        nodes.append(objectstore.part(area))
    if "mail" not in external:
        nodes.append(_mail(platform))
    return nodes


def _mail(platform: Platform) -> Part:
    page = platform.mail_url
    smtp = platform.bind("mail", "smtp")
    argv = [
        sys.executable,
        "-m",
        "tools.mail",
        "--smtp",
        smtp,
        "--http",
        page.removeprefix("http://"),
    ]
    return Part(name="mail", argv=argv, ready=lambda: responds(f"{page}/readyz"), cwd=PROJECT)


def present(platform: Platform, *names: str) -> tuple[str, ...]:
    """Of these servers, those that are ours to wait for."""
    return tuple(name for name in names if name not in platform.external)
