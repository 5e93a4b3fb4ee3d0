import base64

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from clients.sealed import FieldKey

KEY = FieldKey.decode(base64.b64encode(bytes(range(32))).decode())
OTHER = FieldKey.decode(base64.b64encode(bytes(32)).decode())


@given(st.text())
def test_what_was_sealed_opens_to_the_same(value):
    assert KEY.open(KEY.seal(value, "here"), "here") == value


def test_sealing_twice_looks_different():
    assert KEY.seal("GB200049136", "here") != KEY.seal("GB200049136", "here")


def test_a_sealed_value_opens_only_in_its_place():
    with pytest.raises(InvalidTag):
        KEY.open(KEY.seal("GB200049136", "firm/ada/vat"), "firm/ben/vat")


def test_a_tampered_value_does_not_open():
    sealed = bytearray(KEY.seal("GB200049136", "here"))
    sealed[-1] ^= 1
    with pytest.raises(InvalidTag):
        KEY.open(bytes(sealed), "here")


def test_another_key_does_not_open():
    with pytest.raises(InvalidTag):
        OTHER.open(KEY.seal("GB200049136", "here"), "here")


def test_equal_values_are_found_within_a_firm_and_unlinkable_across_firms():
    assert KEY.lookup("GB200049136", "one") == KEY.lookup("GB200049136", "one")
    assert KEY.lookup("GB200049136", "one") != KEY.lookup("GB200049136", "two")
    assert KEY.lookup("GB200049136", "one") != OTHER.lookup("GB200049136", "one")


def test_the_index_is_not_made_with_the_encryption_key():
    assert KEY.encryption != KEY.index


@pytest.mark.parametrize(
    "secret", ["short", base64.b64encode(bytes(16)).decode(), base64.b64encode(bytes(33)).decode(), "??"]
)
def test_a_key_is_32_bytes_in_base64(secret):
    with pytest.raises(ValueError, match="base64"):
        FieldKey.decode(secret)
