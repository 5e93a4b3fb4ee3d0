"""This process's signing keys and mint, read once from where the settings say."""

from functools import cache
from pathlib import Path

from identity.settings import Settings
from identity.tokens.keys import SigningKeys
from identity.tokens.minting import Mint


def keys_of(settings: Settings) -> SigningKeys:
    settings.require("signing_key_file")
    return _load(settings.signing_key_file, settings.public_keys_folder)


def mint_of(settings: Settings) -> Mint:
    settings.require("issuer")
    return Mint(keys_of(settings), settings.issuer)


@cache
def _load(file: Path, folder: Path | None) -> SigningKeys:
    return SigningKeys.load(file, folder)
