"""Typed settings from the environment. A missing or impossible one stops the process and names the variable."""

import sys
from typing import Self

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """What every service reads. Field `database_url` is variable `PRAXIS_DATABASE_URL`, and so on.

    A mode needs only some of them (migrate has no HTTP address), hence the defaults; `require` names what is missing.
    """

    model_config = SettingsConfigDict(env_prefix="PRAXIS_", frozen=True)

    database_url: str = ""
    owner_database_url: str = ""
    amqp_url: str = ""
    http_bind: str = "127.0.0.1:0"
    grpc_bind: str = "127.0.0.1:0"
    health_bind: str = "127.0.0.1:0"
    http_workers: int = 1
    threads: int = 10  # request threads per process = connections in its pool
    public_url: str = ""
    issuer: str = ""
    jwks_url: str = ""
    token_url: str = ""
    service_secret: str = ""
    log_level: str = "INFO"
    validate_responses: bool = False
    max_body_bytes: int = 1_000_000

    @classmethod
    def load(cls) -> Self:
        """Settings of this process, or an exit that names each variable that is wrong."""
        try:
            return cls()
        except ValidationError as error:
            prefix = cls.model_config.get("env_prefix", "")
            lines = [f"{prefix}{'_'.join(str(p) for p in e['loc']).upper()}: {e['msg']}" for e in error.errors()]
            sys.exit("settings refused:\n  " + "\n  ".join(lines))

    def require(self, *names: str) -> None:
        """Stops the process if one of these fields was not set."""
        missing = [f"PRAXIS_{name.upper()}" for name in names if not getattr(self, name)]
        if missing:
            sys.exit("settings missing: " + ", ".join(missing))


def host_port(bind: str) -> tuple[str, int]:
    """Splits "127.0.0.1:8080" or "[::1]:8080"."""
    host, _, port = bind.rpartition(":")
    return host.strip("[]"), int(port)
