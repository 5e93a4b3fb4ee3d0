"""The running platform's addresses and secrets: everything a part may be told through its environment."""

import base64
import json
import os
import secrets
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote, urlsplit, urlunsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tools.launcher import objectstore, ports, postgres, processes, rabbitmq
from tools.launcher.area import Area
from tools.launcher.errors import LauncherError
from tools.launcher.part import port_for

SERVICES = ("identity", "clients", "workflow", "timebilling", "documents", "portal")
VHOST = "praxis"
BUCKET = "praxis-documents"
# What a person may set for all parts; everything else in their environment that begins with PRAXIS_ is not passed on.
PASSED_ON = ("PRAXIS_LOG_LEVEL", "PRAXIS_HTTP_WORKERS", "PRAXIS_EDGE_RATE", "PRAXIS_EDGE_SIGN_IN_RATE")


@dataclass(frozen=True)
class PublicPort:
    """A port people see: fixed by default, so that bookmarks last; chosen by an environment variable."""

    part: str
    variable: str
    default: int


EDGE = PublicPort("edge", "PRAXIS_EDGE_PORT", 8080)
FILES = PublicPort("edge", "PRAXIS_FILES_PORT", 8081)
MAIL = PublicPort("mail", "PRAXIS_MAIL_PORT", 8082)


class Platform:
    """Addresses are looked up as they are asked for, and stay the same while their part runs."""

    def __init__(self, area: Area) -> None:
        self.area = area

    def public_port(self, wanted: PublicPort) -> int:
        """The port of something people open. Raises LauncherError naming it if somebody else has it."""
        text = os.environ.get(wanted.variable) or str(wanted.default)
        if not text.isdecimal() or int(text) > 65535:
            raise LauncherError(f"{wanted.variable} must be a port number, or 0 for any free one; it is {text!r}")
        port = int(text) or port_for(self.area, wanted.part, wanted.variable)
        if processes.find(self.area, wanted.part) is None and not ports.is_free(port):
            raise LauncherError(
                f"port {port} is taken by {ports.holder(port)}. Free it, or choose another with "
                f"{wanted.variable}=9080 (0 takes any free one)."
            )
        return port

    @cached_property
    def public_url(self) -> str:
        return f"http://127.0.0.1:{self.public_port(EDGE)}"

    @cached_property
    def files_url(self) -> str:
        return f"http://127.0.0.1:{self.public_port(FILES)}"

    @cached_property
    def mail_url(self) -> str:
        return f"http://127.0.0.1:{self.public_port(MAIL)}"

    def bind(self, process: str, kind: str = "http") -> str:
        """host:port where a process listens, e.g. bind("clients-worker", "health")."""
        return f"127.0.0.1:{port_for(self.area, process, f'{process}-{kind}')}"

    @cached_property
    def external(self) -> frozenset[str]:
        """Which servers are somebody else's, named by their URLs."""
        known = {
            "postgres": "PRAXIS_POSTGRES_URL",
            "rabbitmq": "PRAXIS_RABBITMQ_URL",
            "s3": "PRAXIS_S3_URL",
        }
        return frozenset(
            name for name, variable in {**known, "mail": "PRAXIS_SMTP_URL"}.items() if os.environ.get(variable)
        )

    @property
    def postgres_url(self) -> str:
        """The superuser's."""
        return os.environ.get("PRAXIS_POSTGRES_URL") or postgres.url(self.area)

    def database_url(self, service: str, role: str) -> str:
        """`role` is app or owner."""
        where = urlsplit(self.postgres_url)
        host = where.netloc.rpartition("@")[2]
        login = f"{service}_{role}:{quote(self.area.secret(f'database-{service}-{role}'), safe='')}"
        return urlunsplit((where.scheme, f"{login}@{host}", f"/praxis_{service}", where.query, ""))

    def database_passwords(self) -> dict[str, str]:
        return {
            f"PRAXIS_{service.upper()}_{role.upper()}_PASSWORD": self.area.secret(f"database-{service}-{role}")
            for service in SERVICES
            for role in ("app", "owner")
        }

    @property
    def amqp_url(self) -> str:
        return os.environ.get("PRAXIS_RABBITMQ_URL") or rabbitmq.url(self.area, VHOST)

    @property
    def smtp_url(self) -> str:
        return os.environ.get("PRAXIS_SMTP_URL") or f"smtp://{self.bind('mail', 'smtp')}"

    def object_store(self) -> dict[str, str]:
        if "s3" in self.external:
            names = ("PRAXIS_S3_URL", "PRAXIS_S3_ACCESS_KEY", "PRAXIS_S3_SECRET_KEY")
            missing = [name for name in names if not os.environ.get(name)]
            if missing:
                raise LauncherError(f"PRAXIS_S3_URL is set, so these must be too: {', '.join(missing)}")
            found = {name: os.environ[name] for name in names}
        else:
            found = {
                "PRAXIS_S3_URL": objectstore.url(self.area),
                "PRAXIS_S3_ACCESS_KEY": objectstore.ACCESS_KEY,
                "PRAXIS_S3_SECRET_KEY": objectstore.secret_key(self.area),
            }
        bucket = os.environ.get("PRAXIS_S3_BUCKET") or BUCKET
        return {
            **found,
            "PRAXIS_S3_PUBLIC_URL": self.files_url,
            "PRAXIS_S3_BUCKET": bucket,
        }

    def signing_key_file(self) -> str:
        return str(self.area.secret_file("signing-key.pem", _ed25519_pem))

    def field_key(self) -> str:
        """32 bytes, base64: encrypts and indexes what must not lie open in the database."""
        return self.area.secret("field-key", lambda: base64.b64encode(secrets.token_bytes(32)).decode())

    def setup_token(self) -> str:
        """What the first firm is set up with."""
        return self.area.secret("setup-token")

    def service_secret(self, service: str) -> str:
        return self.area.secret(f"service-{service}")

    def service_secrets(self) -> str:
        return json.dumps({service: self.service_secret(service) for service in SERVICES})


def _ed25519_pem() -> str:
    pem: bytes = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return pem.decode()
