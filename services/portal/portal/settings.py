"""What the portal reads from the environment, beside what every service reads."""

import base64
import hmac
from functools import cached_property
from typing import TYPE_CHECKING

from pydantic import field_validator

from chassis.settings import ServiceSettings

if TYPE_CHECKING:
    from chassis.service import Runtime


class Settings(ServiceSettings):
    field_key: str = ""  # 32 bytes in base64
    smtp_url: str = ""
    mail_from: str = "Praxis <praxis@localhost>"
    s3_public_url: str = ""  # the file origin, which pages may send files to
    identity_grpc: str = ""
    workflow_grpc: str = ""
    documents_grpc: str = ""
    timebilling_grpc: str = ""

    @field_validator("field_key")
    @classmethod
    def _is_32_bytes(cls, value: str) -> str:
        if value and len(base64.b64decode(value, validate=True)) != 32:
            raise ValueError("must be 32 bytes in base64")
        return value

    @cached_property
    def _key(self) -> bytes:
        self.require("field_key")
        return base64.b64decode(self.field_key)

    def key_for(self, purpose: str) -> bytes:
        """A key of its own for each purpose, derived from the one field key (HMAC as a PRF, as in RFC 5869's expand step)."""
        return hmac.digest(self._key, b"praxis portal " + purpose.encode(), "sha256")


def settings_of(runtime: "Runtime") -> Settings:
    settings = runtime.settings
    assert isinstance(settings, Settings)
    return settings
