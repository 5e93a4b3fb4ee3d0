"""Makes code of the contracts; run on set-up, the result is not committed.

proto/ -> build/proto (Python messages and gRPC), openapi.yaml of every service -> build/openapi/<service>.json (common parts merged in).
"""

import json
import shutil
import sys
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parents[1]
PROTO = ROOT / "proto"


def generate(target: Path = ROOT / "build" / "proto") -> None:
    """Generates messages, type stubs and gRPC code for every contract into `target`, replacing what was there."""
    fresh = target.with_name(target.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    sources = sorted(str(p.relative_to(PROTO)) for p in PROTO.rglob("*.proto"))
    well_known = files("grpc_tools") / "_proto"
    code = protoc.main(
        [
            "protoc",
            f"-I{PROTO}",
            f"-I{well_known}",
            f"--python_out={fresh}",
            f"--pyi_out={fresh}",
            f"--grpc_python_out={fresh}",
            *sources,
        ]
    )
    if code:
        sys.exit(f"protoc refused the contracts (exit {code})")
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)


def merge_specifications(target: Path = ROOT / "build" / "openapi") -> None:
    """Writes each service's whole specification as JSON: what clients and types are generated from."""
    sys.path.insert(0, str(ROOT / "chassis"))
    from chassis import openapi

    target.mkdir(parents=True, exist_ok=True)
    for path in [*sorted(ROOT.glob("services/*/openapi.yaml")), *sorted(ROOT.glob("gateway/*/openapi.yaml"))]:
        (target / f"{path.parent.name}.json").write_text(json.dumps(openapi.load(path), indent=2, default=str))


if __name__ == "__main__":
    generate()
    merge_specifications()
