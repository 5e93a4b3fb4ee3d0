"""What identity reads from the environment beyond what every service does."""

import base64
import hmac
import json
from functools import cached_property
from typing import Annotated, Any

from pydantic import DirectoryPath, Field, FilePath, field_validator
from pydantic_settings import NoDecode

from chassis.settings import ServiceSettings
from identity.mail.smtp import Smtp


class Settings(ServiceSettings):
    """PRAXIS_SIGNING_KEY_FILE, PRAXIS_PUBLIC_KEYS_FOLDER, PRAXIS_SERVICE_SECRETS, PRAXIS_FIELD_KEY, PRAXIS_SMTP_URL,
    PRAXIS_MAIL_FROM, PRAXIS_SETUP_TOKEN, PRAXIS_HASHES_AT_ONCE."""

    signing_key_file: FilePath | None = None  # Ed25519, PEM
    public_keys_folder: DirectoryPath | None = None  # public halves of earlier and coming keys
    service_secrets: Annotated[dict[str, str], NoDecode] = Field(default_factory=dict)
    field_key: str = ""  # 32 bytes in base64
    smtp_url: str = ""
    mail_from: str = "Praxis <praxis@localhost>"
    setup_token: str = ""  # sets up the first firm, and only that; empty: `setup-token` makes one
    hashes_at_once: int = 2  # each takes 64 MiB and a core for a tenth of a second

    @field_validator("field_key")
    @classmethod
    def _is_32_bytes(cls, value: str) -> str:
        if value and len(base64.b64decode(value, validate=True)) != 32:
            raise ValueError("must be 32 bytes in base64")
        return value

    @field_validator("service_secrets", mode="before")
    @classmethod
    def _is_json(cls, value: Any) -> Any:
        try:
            return json.loads(value) if isinstance(value, str) else value
        except ValueError as error:  # its text would quote the secrets
            raise ValueError("must be a JSON object of service names and secrets") from error

    @field_validator("smtp_url")
    @classmethod
    def _is_a_mail_server(cls, value: str) -> str:
        if value:
            Smtp(value)
        return value

    @field_validator("setup_token")
    @classmethod
    def _is_long(cls, value: str) -> str:
        if value and len(value) < 20:
            raise ValueError("must have at least 20 characters")
        return value

    @cached_property
    def _key(self) -> bytes:
        self.require("field_key")
        return base64.b64decode(self.field_key)

    def key_for(self, purpose: str) -> bytes:
        """A key of its own for each purpose, derived from the one field key (HMAC as a PRF, as in RFC 5869's expand step)."""
        return hmac.digest(self._key, b"praxis identity " + purpose.encode(), "sha256")
