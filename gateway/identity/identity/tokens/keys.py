"""The keys tokens are signed with: one active Ed25519 key, and the public ones that others must still, or already, know."""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)


@dataclass(frozen=True)
class SigningKeys:
    """The active key and every public key to publish, by key id."""

    active: Ed25519PrivateKey
    active_id: str
    published: dict[str, Ed25519PublicKey]

    @classmethod
    def load(cls, private_pem: Path, public_folder: Path | None = None) -> "SigningKeys":
        """Reads the active key (PKCS #8 PEM) and, from a folder of `*.pem`, further public keys.

        To rotate: publish the next key's public half in the folder, wait five minutes (the caches), make it the
        active key with the old one's public half in the folder, remove that after ten minutes (the last token's end).
        Errors: ValueError for a file that is no Ed25519 key.
        """
        active = load_pem_private_key(private_pem.read_bytes(), password=None)
        if not isinstance(active, Ed25519PrivateKey):
            raise ValueError(f"{private_pem}: not an Ed25519 private key")
        public = (
            [active.public_key(), *(_public(path) for path in sorted(public_folder.glob("*.pem")))]
            if public_folder
            else [active.public_key()]
        )
        return cls(active, thumbprint(active.public_key()), {thumbprint(key): key for key in public})

    def jwks(self) -> dict[str, Any]:
        """The JSON Web Key Set (RFC 7517, RFC 8037), the active key first."""
        return {
            "keys": [_members(key) | {"kid": kid, "alg": "EdDSA", "use": "sig"} for kid, key in self.published.items()]
        }

    def key(self, kid: str) -> Ed25519PublicKey | None:
        """The public key of that id: identity verifies by its own keys, without asking itself over HTTP."""
        return self.published.get(kid)


def thumbprint(key: Ed25519PublicKey) -> str:
    """The key's id: its RFC 7638 thumbprint, so that it need not be chosen or stored."""
    canonical = orjson.dumps(_members(key), option=orjson.OPT_SORT_KEYS)
    return _b64(hashlib.sha256(canonical).digest())


def _members(key: Ed25519PublicKey) -> dict[str, str]:
    return {"crv": "Ed25519", "kty": "OKP", "x": _b64(key.public_bytes(Encoding.Raw, PublicFormat.Raw))}


def _public(path: Path) -> Ed25519PublicKey:
    key = load_pem_public_key(path.read_bytes())
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError(f"{path}: not an Ed25519 public key")
    return key


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
