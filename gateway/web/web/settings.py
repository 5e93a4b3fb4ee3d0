"""What the web server reads from its environment."""

import sys
from pathlib import Path
from typing import Self

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

BUILT = Path(__file__).resolve().parent.parent / "app" / "dist"


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="PRAXIS_", frozen=True)

    http_bind: str
    web_root: Path = BUILT
    log_level: str = "INFO"

    @classmethod
    def load(cls) -> Self:
        """Settings of this process, or an exit that names each variable that is missing or wrong."""
        try:
            return cls()  # type: ignore[call-arg]  # fields come from the environment
        except ValidationError as error:
            lines = [f"PRAXIS_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors()]
            sys.exit("settings refused:\n  " + "\n  ".join(lines))

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of `PRAXIS_HTTP_BIND`; "[::1]:8080" is fine."""
        host, _, port = self.http_bind.rpartition(":")
        return host.strip("[]"), int(port)
