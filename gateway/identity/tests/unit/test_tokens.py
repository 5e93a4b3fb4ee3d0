from datetime import UTC, datetime
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from identity.staff.permissions import all_permissions, permissions_of
from identity.tokens import opaque
from identity.tokens.keys import SigningKeys, thumbprint
from identity.tokens.minting import LIFETIME, Mint

FIRM, STAFF, SESSION = UUID(int=1), UUID(int=2), UUID(int=3)
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def pem(key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture
def keys(tmp_path) -> SigningKeys:
    (tmp_path / "active.pem").write_bytes(pem(Ed25519PrivateKey.generate()))
    return SigningKeys.load(tmp_path / "active.pem")


def test_key_id_is_the_thumbprint_of_rfc_8037():
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from jwt.utils import base64url_decode

    key = Ed25519PublicKey.from_public_bytes(
        base64url_decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
    )  # appendix A.2
    assert thumbprint(key) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"  # appendix A.3


def test_published_keys_verify_what_was_signed(keys):
    token = Mint(keys, "https://praxis.example").service(service="clients", firm_id=None, now=datetime.now(UTC))
    published = jwt.PyJWKSet.from_dict(keys.jwks())[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, published.key, algorithms=["EdDSA"], audience="service", issuer="https://praxis.example")
    assert claims["sub"] == "service:clients"
    assert claims["exp"] - claims["iat"] == LIFETIME <= 600


def test_old_and_next_keys_are_published_beside_the_active_one(tmp_path):
    (tmp_path / "active.pem").write_bytes(pem(Ed25519PrivateKey.generate()))
    (tmp_path / "public").mkdir()
    old = Ed25519PrivateKey.generate().public_key()
    (tmp_path / "public" / "old.pem").write_bytes(old.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    keys = SigningKeys.load(tmp_path / "active.pem", tmp_path / "public")
    assert [k["kid"] for k in keys.jwks()["keys"]] == [keys.active_id, thumbprint(old)]


def test_the_private_key_is_never_published(keys):
    assert all("d" not in key for key in keys.jwks()["keys"])


def test_a_key_of_another_kind_is_refused(tmp_path):
    (tmp_path / "rsa.pem").write_bytes(pem(generate_private_key(65537, 2048)))
    with pytest.raises(ValueError, match="not an Ed25519"):
        SigningKeys.load(tmp_path / "rsa.pem")


def test_a_portal_token_carries_the_portals_permission_and_no_other(keys):
    token = Mint(keys, "i").portal(contact_id=STAFF, firm_id=FIRM, client_ids=[UUID(int=9)], now=NOW)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["aud"], claims["permissions"], claims["clients"]) == ("portal", ["portal:self"], [str(UUID(int=9))])


def test_an_owners_token_fits_into_a_cookie(keys):
    token = Mint(keys, "https://" + "p" * 60 + ".example").staff(
        staff_id=STAFF,
        firm_id=FIRM,
        name="W" * 80,
        permissions=permissions_of(["owner"]),
        grade="partner",
        session_id=SESSION,
        now=NOW,
    )
    assert len(token) < 3800  # browsers take 4,096 bytes, name and attributes included


@given(st.text())
def test_no_text_breaks_the_decoding_of_opaque_tokens(text):
    assert opaque.decode(text) is None or len(text) >= 80


def test_an_opaque_token_reads_back():
    token = opaque.new(FIRM, STAFF)
    assert opaque.decode(token.encode()) == token
    assert opaque.decode_reference(opaque.encode_reference(FIRM, STAFF)) == (FIRM, STAFF)


def test_a_derived_token_is_the_same_again_and_bound_to_firm_id_and_key():
    token = opaque.derived(b"k" * 32, FIRM, STAFF)
    assert token == opaque.derived(b"k" * 32, FIRM, STAFF)
    assert opaque.decode_derived(token.encode(), b"k" * 32) == token
    assert opaque.decode_derived(token.encode(), b"x" * 32) is None
    assert opaque.decode_derived(opaque.Opaque(STAFF, STAFF, token.secret).encode(), b"k" * 32) is None


def test_no_role_has_the_portals_permission():
    assert "portal:self" in all_permissions()
    assert "portal:self" not in permissions_of(["owner", "partner", "manager", "staff", "billing", "readonly"])
