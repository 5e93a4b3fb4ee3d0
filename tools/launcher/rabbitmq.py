"""A private RabbitMQ node: own name, ports, epmd, cookie and data, all on the loopback.

The machine's rabbitmq-server is used where there is one (its programs only, never its node); elsewhere
Debian's or Ubuntu's packages are fetched and unpacked, which needs no root.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import amqp

from tools.launcher import debian, ports
from tools.launcher.area import CACHE, Area
from tools.launcher.errors import LauncherError
from tools.launcher.part import Part, port_for

NAME = "rabbitmq"
EPMD = "epmd"
USER = "praxis"
_SYSTEM = Path("/")


@dataclass(frozen=True)
class Programs:
    """Where the server script and Erlang are."""

    server: Path
    erlang: Path
    """Folder of `erl` and `epmd`."""
    libraries: str
    """Search path for shared libraries that came along; may be empty."""


def installed() -> bool:
    """Whether the programs are here already, so that nothing has to be fetched."""
    return bool(_programs_under(_SYSTEM) or _programs_under(_unpacked()))


def parts(area: Area, vhost: str, say: Callable[[str], None], management: bool = False) -> list[Part]:
    """The port mapper and the node."""
    programs = _programs(say)
    env = _environment(area, programs, management)
    return [
        Part(
            name=EPMD,
            group=NAME,
            argv=[
                str(programs.erlang / "epmd"),
                "-port",
                env["ERL_EPMD_PORT"],
                "-address",
                "127.0.0.1",
            ],
            env=env,
            ready=lambda: ports.answers(int(env["ERL_EPMD_PORT"])),
            layer=0,
            patience=10,
        ),
        Part(
            name=NAME,
            group=NAME,
            argv=[str(programs.server)],
            env=env,
            ready=lambda: _accepts(area, vhost),
            prepare=lambda: _prepare(area, env, vhost, management),
            after=(EPMD,),
            layer=1,
            patience=90,
        ),
    ]


def url(area: Area, vhost: str) -> str:
    path = "%2F" if vhost == "/" else vhost
    return f"amqp://{USER}:{area.secret('rabbitmq')}@127.0.0.1:{area.last_port(NAME)}/{path}"


def management_url(area: Area) -> str:
    """The HTTP API of a node started with `management`."""
    return f"http://{USER}:{area.secret('rabbitmq')}@127.0.0.1:{area.last_port('rabbitmq-management')}"


def _unpacked() -> Path:
    return CACHE / "rabbitmq"


def _programs(say: Callable[[str], None]) -> Programs:
    found = _programs_under(_SYSTEM) or _programs_under(_unpacked())
    if found:
        return found
    if not debian.available():
        raise LauncherError(
            "RabbitMQ is not installed, and this is no Debian or Ubuntu to fetch it from. Install rabbitmq-server, "
            "or set PRAXIS_RABBITMQ_URL to a server of yours (amqp://user:password@host:port/vhost)."
        )
    say("fetching RabbitMQ's packages (35 MB)")
    try:
        debian.unpack(
            "rabbitmq-server",
            _unpacked(),
            CACHE,
            lambda name: name.startswith("erlang-") or name == "libsctp1",
        )
    except debian.AptError as error:
        raise LauncherError(
            f"RabbitMQ could not be fetched. Install rabbitmq-server yourself, or set PRAXIS_RABBITMQ_URL.\n{error}"
        ) from error
    _point_to_own_erlang(_unpacked())
    found = _programs_under(_unpacked())
    if found is None:
        raise LauncherError(f"the rabbitmq-server package unpacked under {_unpacked()} has no server script")
    return found


def _programs_under(root: Path) -> Programs | None:
    servers = sorted(root.glob("usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server"))
    erlang = root / "usr" / "lib" / "erlang" / "bin"
    if not servers or not (erlang / "erl").exists() or not (erlang / "epmd").exists():
        return None
    libraries = [] if root == _SYSTEM else [*root.glob("usr/lib/*-linux-gnu*"), *root.glob("lib/*-linux-gnu*")]
    return Programs(servers[-1], erlang, ":".join(map(str, libraries)))


def _point_to_own_erlang(root: Path) -> None:
    """Debian's `erl` has its folder written into it."""
    script = root / "usr" / "lib" / "erlang" / "bin" / "erl"
    text = script.read_text().replace("ROOTDIR=/usr/lib/erlang", f'ROOTDIR="{root}/usr/lib/erlang"')
    text = text.replace('ROOTDIR="/usr/lib/erlang"', f'ROOTDIR="{root}/usr/lib/erlang"')
    script.write_text(text)


def _environment(area: Area, programs: Programs, management: bool) -> dict[str, str]:
    home = area.path / NAME
    env = {
        "HOME": str(home),
        "PATH": f"{programs.erlang}:{os.environ.get('PATH', os.defpath)}",
        "LANG": "C.UTF-8",
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(port_for(area, EPMD)),
        "RABBITMQ_NODENAME": "praxis@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port_for(area, NAME)),
        "RABBITMQ_DIST_PORT": str(port_for(area, NAME, "rabbitmq-distribution")),
        "RABBITMQ_MNESIA_BASE": str(home / "data"),
        "RABBITMQ_LOG_BASE": str(home / "log"),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_PID_FILE": str(home / "pid"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
        "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
        "RABBITMQ_CONF_ENV_FILE": str(home / "empty.conf"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(home / "advanced.config"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}",
        # The script then becomes the node instead of waiting beside it: one process to watch and to stop.
        "RUNNING_UNDER_SYSTEMD": "true",
    }
    if management:
        env["PRAXIS_MANAGEMENT_PORT"] = str(port_for(area, NAME, "rabbitmq-management"))
    if programs.libraries:
        env["LD_LIBRARY_PATH"] = programs.libraries
    return env


def _prepare(area: Area, env: dict[str, str], vhost: str, management: bool) -> None:
    home = area.path / NAME
    home.mkdir(mode=0o700, exist_ok=True)
    lines = [
        f"listeners.tcp.1 = 127.0.0.1:{env['RABBITMQ_NODE_PORT']}",
        f"default_user = {USER}",
        f"default_pass = {area.secret('rabbitmq')}",
        f"default_vhost = {vhost}",
        "vm_memory_high_watermark.absolute = 512MB",
        "disk_free_limit.absolute = 50MB",
        "log.console = true",
        "log.console.level = warning",
        "log.file = false",
    ]
    if management:
        lines += [
            "management.tcp.ip = 127.0.0.1",
            f"management.tcp.port = {env['PRAXIS_MANAGEMENT_PORT']}",
        ]
    conf = home / "rabbitmq.conf"
    conf.touch(mode=0o600)
    conf.write_text("\n".join([*lines, ""]))
    (home / "enabled_plugins").write_text("[rabbitmq_management].\n" if management else "[].\n")
    (home / "empty.conf").touch()
    (home / "advanced.config").write_text("[].\n")


def _accepts(area: Area, vhost: str) -> bool:
    port = area.last_port(NAME)
    try:
        with amqp.Connection(
            f"127.0.0.1:{port}",
            USER,
            area.secret("rabbitmq"),
            virtual_host=vhost,
            connect_timeout=2,
            read_timeout=5,
        ):
            return True
    except (OSError, amqp.AMQPError):
        return False
