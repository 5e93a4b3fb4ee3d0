"""Loopback ports: which are free, and which to take."""

import contextlib
import random
import socket

import psutil

# Below the range the kernel hands to outgoing connections, so that none of those can take one away from us.
_RANGE = range(20000, 32000)
_reserved: dict[int, socket.socket] = {}


def is_free(port: int) -> bool:
    """Whether we could listen on this port of the loopback now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def reserve(port: int) -> bool:
    """Keep this port from other launchers on this machine while this process lives, also before anything listens there.

    An abstract socket's name is one per machine, whoever the user is, and gone with its process.
    """
    if port in _reserved:
        return True
    mark = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        mark.bind(f"\0praxis-port-{port}")
    except OSError:
        mark.close()
        return False
    _reserved[port] = mark
    return True


def answers(port: int) -> bool:
    """Whether something accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port(avoid: set[int]) -> int:
    """A free port, reserved for this process."""
    while True:
        port = random.choice(_RANGE)  # noqa: S311 - spreads, hides nothing
        if port not in avoid and is_free(port) and reserve(port):
            return port


def holder(port: int) -> str:
    """Who listens there, as far as we may see it."""
    for connection in psutil.net_connections("tcp"):
        if (
            connection.status == psutil.CONN_LISTEN
            and connection.laddr
            and connection.laddr[1] == port
            and connection.pid
        ):
            with contextlib.suppress(psutil.Error):
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    return "another program"
