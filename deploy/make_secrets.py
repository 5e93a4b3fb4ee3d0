"""Makes what nobody should know, at random, for a first run:

    python3 deploy/make_secrets.py                for compose.yaml: .env and .praxis/compose/keys
    python3 deploy/make_secrets.py --kubernetes   for deploy/k8s/overlays/dev: its secrets/ folder

What is there already stays as it is, so running it again is harmless. Standard library only; the signing key comes
from openssl. Neither place is ever committed.
"""

import argparse
import base64
import json
import secrets
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SERVICES = ("identity", "clients", "workflow", "timebilling", "documents", "portal")
# Services that keep encrypted fields, and services that send mail.
SEALED, MAILING = ("identity", "clients", "portal"), ("identity", "portal")


def password() -> str:
    """Letters and digits only: passwords stand in URLs."""
    return secrets.token_hex(20)


def field_key() -> str:
    """32 bytes, base64."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def for_compose(example: Path, environment: Path, keys: Path) -> None:
    """`environment` as `example`, with a random value where the example has none; the signing key under `keys`."""
    if not environment.exists():
        write(environment, "\n".join(filled(line) for line in example.read_text().splitlines()) + "\n")
    # The containers' user must get into the folder that is mounted, other users of this machine not even near it.
    keys.parent.mkdir(parents=True, exist_ok=True)
    keys.parent.chmod(0o700)
    (keys / "public").mkdir(parents=True, exist_ok=True)
    for folder in (keys, keys / "public"):
        folder.chmod(0o755)
    make_signing_key(keys / "signing.pem")


def filled(line: str) -> str:
    name, equals, value = line.partition("=")
    if line.startswith("#") or not equals or value:
        return line
    return f"{name}={field_key() if name.endswith('_FIELD_KEY') else password()}"


def for_kubernetes(folder: Path) -> None:
    """One .env file for each Secret of overlays/dev, and the signing key."""
    if (folder / "signing.pem").exists():
        return
    for name, values in kubernetes_secrets().items():
        write(folder / f"{name}.env", "".join(f"{key}={value}\n" for key, value in values.items()))
    make_signing_key(folder / "signing.pem")


def kubernetes_secrets() -> dict[str, dict[str, str]]:
    """Secret -> its keys and values."""
    postgres, rabbitmq, s3_user, s3_password = (password() for _ in range(4))
    logins = {service: {"app": password(), "owner": password()} for service in SERVICES}
    proofs = {service: password() for service in SERVICES}
    found = {
        "postgres": {"POSTGRES_PASSWORD": postgres},
        "rabbitmq": {"RABBITMQ_DEFAULT_PASS": rabbitmq},
        "minio": {"MINIO_ROOT_USER": s3_user, "MINIO_ROOT_PASSWORD": s3_password},
        "bootstrap": {"PRAXIS_POSTGRES_URL": f"postgresql://postgres:{postgres}@postgres:5432/postgres"},
    }
    for service in SERVICES:
        for role, word in logins[service].items():
            found["bootstrap"][f"PRAXIS_{service.upper()}_{role.upper()}_PASSWORD"] = word
        urls = {
            role: f"postgresql://{service}_{role}:{word}@postgres:5432/praxis_{service}"
            for role, word in logins[service].items()
        }
        found[f"{service}-app"] = {"PRAXIS_DATABASE_URL": urls["app"], "PRAXIS_SERVICE_SECRET": proofs[service]}
        found[f"{service}-owner"] = {"PRAXIS_OWNER_DATABASE_URL": urls["owner"]}
        found[f"{service}-bus"] = {"PRAXIS_AMQP_URL": f"amqp://praxis:{rabbitmq}@rabbitmq:5672/praxis"}
    for service in SEALED:
        found[f"{service}-app"]["PRAXIS_FIELD_KEY"] = field_key()
    for service in MAILING:
        found[f"{service}-app"]["PRAXIS_SMTP_URL"] = "smtp://mail:1025"
    found["documents-app"] |= {"PRAXIS_S3_ACCESS_KEY": s3_user, "PRAXIS_S3_SECRET_KEY": s3_password}
    found["identity-app"] |= {"PRAXIS_SERVICE_SECRETS": json.dumps(proofs), "PRAXIS_SETUP_TOKEN": password()}
    return found


def make_signing_key(key: Path) -> None:
    """An Ed25519 key, in a folder that keeps others away; inside a container another user reads the file."""
    if key.exists():
        return
    key.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(key)], check=True)  # noqa: S603, S607
    key.chmod(0o644)


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.touch(mode=0o600)
    file.write_text(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kubernetes", action="store_true", help="for deploy/k8s/overlays/dev instead of compose.yaml")
    parser.add_argument("--root", type=Path, default=ROOT, help="the project's folder")
    options = parser.parse_args()
    root: Path = options.root
    try:
        if options.kubernetes:
            for_kubernetes(root / "deploy/k8s/overlays/dev/secrets")
            print("Secrets are in deploy/k8s/overlays/dev/secrets. Next: kubectl apply -k deploy/k8s/overlays/dev")
        else:
            for_compose(root / ".env.example", root / ".env", root / ".praxis/compose/keys")
            print("Secrets are in .env and .praxis/compose/keys. Next: docker compose up --build")
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"secrets not made: {error}")


if __name__ == "__main__":
    main()
