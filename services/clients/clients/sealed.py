"""Fields kept encrypted: AES-256-GCM for the value, a keyed hash to find it by exact value."""

import base64
import binascii
import hmac
import os
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION = b"\x01"  # of the format; lets a later release tell how a value was sealed
_NONCE = 12


@dataclass(frozen=True, slots=True)
class FieldKey:
    """Two keys from one secret, so that the index never tells anything about the encryption."""

    encryption: bytes
    index: bytes

    @classmethod
    def decode(cls, secret: str) -> "FieldKey":
        """The keys from 32 bytes in base64. Errors: ValueError for anything else."""
        try:
            master = base64.b64decode(secret, validate=True)
        except binascii.Error as error:
            raise ValueError("must be base64") from error
        if len(master) != 32:
            raise ValueError("must be 32 bytes in base64")
        return cls(_derive(master, b"praxis field encryption"), _derive(master, b"praxis field index"))

    def seal(self, value: str, place: str) -> bytes:
        """The value encrypted for one place (row and column): moved to another place it can't be opened."""
        return self.seal_bytes(value.encode(), place)

    def open(self, sealed: bytes, place: str) -> str:
        """The value again. Errors: cryptography's InvalidTag if it was tampered with or belongs elsewhere."""
        return self.open_bytes(sealed, place).decode()

    def seal_bytes(self, value: bytes, place: str) -> bytes:
        """As `seal`, of bytes."""
        nonce = os.urandom(_NONCE)
        return _VERSION + nonce + AESGCM(self.encryption).encrypt(nonce, value, place.encode())

    def open_bytes(self, sealed: bytes, place: str) -> bytes:
        """As `open`, of bytes."""
        nonce, rest = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
        return AESGCM(self.encryption).decrypt(nonce, rest, place.encode())

    def lookup(self, value: str, scope: str) -> bytes:
        """What the value is found by; `scope` (the firm) keeps two firms' equal values apart."""
        return hmac.digest(self.index, f"{scope}\0{value}".encode(), "sha256")


def _derive(master: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(master)
