"""What this service reads from the environment."""

from functools import cached_property
from typing import cast

from pydantic import field_validator

from chassis.settings import ServiceSettings
from chassis.uow import Uow
from clients.sealed import FieldKey


class Settings(ServiceSettings):
    field_key: str = ""  # 32 bytes, base64: encrypts tax numbers and makes the index they are found by

    @field_validator("field_key")
    @classmethod
    def _is_a_key(cls, value: str) -> str:
        if value:
            FieldKey.decode(value)
        return value

    @cached_property
    def fields(self) -> FieldKey:
        return FieldKey.decode(self.field_key)


def fields(uow: Uow) -> FieldKey:
    """The key that seals fields, from the settings of the process."""
    return cast(Settings, uow.runtime.settings).fields
