"""Makes what compose.yaml needs and nobody should know: `python3 deploy/secrets.py` writes .env and .praxis/compose/keys.

Copies .env.example, fills in every empty value, and makes identity's signing key by openssl. What is there stays as
it is, so running it again is harmless. Standard library only.
"""

import base64
import secrets
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def make_environment(example: Path, target: Path) -> None:
    """`target` as `example`, with a random value where the example has none. Leaves an existing file alone."""
    if target.exists():
        return
    lines = [_filled(line) for line in example.read_text().splitlines()]
    target.touch(mode=0o600)
    target.write_text("\n".join(lines) + "\n")


def _filled(line: str) -> str:
    name, equals, value = line.partition("=")
    if line.startswith("#") or not equals or value:
        return line
    # Passwords stand in URLs, so they are letters and digits; the field key is 32 bytes in base64.
    key = name == "PRAXIS_FIELD_KEY" or name.endswith("_FIELD_KEY")
    return f"{name}={base64.b64encode(secrets.token_bytes(32)).decode() if key else secrets.token_hex(20)}"


def make_signing_key(folder: Path) -> None:
    """An Ed25519 key as `signing.pem` and an empty `public` beside it. Leaves an existing key alone."""
    key = folder / "signing.pem"
    if key.exists():
        return
    # Only its owner may enter the folder; inside the container another user reads the file.
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / "public").mkdir(exist_ok=True)
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(key)], check=True)  # noqa: S603, S607
    key.chmod(0o644)


def main() -> None:
    try:
        make_environment(ROOT / ".env.example", ROOT / ".env")
        make_signing_key(ROOT / ".praxis" / "compose" / "keys")
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"secrets not made: {error}")
    print("Secrets are in .env and .praxis/compose/keys. Next: docker compose up --build")


if __name__ == "__main__":
    main()
