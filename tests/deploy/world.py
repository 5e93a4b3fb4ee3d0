"""What compose.yaml, deploy/k8s, the Dockerfile and the code say, read into one shape so that tests can compare them.

A process is one container that runs code of ours: which service and mode it is, and the names of what it is told.
"""

import ast
import importlib
import inspect
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from praxis.common.v1 import options_pb2

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("identity", "clients", "workflow", "timebilling", "documents", "portal")
Object = dict[str, Any]


@dataclass(frozen=True)
class Process:
    """`told`: variable -> its value, or "" where it comes from a Secret or ConfigMap."""

    where: str
    name: str
    service: str
    mode: str
    told: dict[str, str]

    def __str__(self) -> str:
        return f"{self.where}:{self.name}"


# ---- code ------------------------------------------------------------------------------------------------------------


def settings_of(package: str) -> dict[str, Any]:
    """Variable -> its default, for everything that package's Settings reads."""
    settings = importlib.import_module(f"{package}.settings").Settings
    prefix = settings.model_config["env_prefix"]
    return {
        str(field.validation_alias or f"{prefix}{name}".upper()): field.get_default(call_default_factory=True)
        for name, field in settings.model_fields.items()
    }


def required_by_modes() -> dict[str, set[str]]:
    """Mode -> the variables without which chassis does not start it, read from its source."""
    from chassis import service

    tree = ast.parse(inspect.getsource(service))
    functions = {node.name.strip("_"): node for node in tree.body if isinstance(node, ast.FunctionDef)}
    return {mode: set(_required(functions[mode])) for mode in ("http", "grpc", "worker", "migrate")}


def _required(function: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "require":
            yield from (f"PRAXIS_{ast.literal_eval(argument).upper()}" for argument in node.args)


def callers() -> dict[str, set[str]]:
    """Service -> who may ask it by gRPC, read from the contracts."""
    return {service: _callers(service) for service in SERVICES}


def _callers(service: str) -> set[str]:
    contract = importlib.import_module(f"praxis.{service}.v1.{service}_pb2").DESCRIPTOR
    methods = [method for described in contract.services_by_name.values() for method in described.methods]
    return {caller for method in methods for caller in method.GetOptions().Extensions[options_pb2.access].callers}


def asked_by(service: str) -> set[str]:
    """Whom that service may ask by gRPC."""
    return {other for other, allowed in callers().items() if service in allowed}


# ---- compose ---------------------------------------------------------------------------------------------------------


def compose() -> Object:
    return dict(yaml.safe_load((ROOT / "compose.yaml").read_text()))


def compose_processes() -> list[Process]:
    found = []
    for name, service in compose()["services"].items():
        image = service["image"].split(":")[0].removeprefix("praxis/")
        if image != service["image"].split(":")[0] and "entrypoint" not in service:
            mode = (service.get("command") or [image])[0]
            found.append(Process("compose", name, image, mode, {k: str(v) for k, v in service["environment"].items()}))
    return found


# ---- Kubernetes ------------------------------------------------------------------------------------------------------


def copy_with_secrets(target: Path) -> Path:
    """A copy of deploy/k8s whose development overlay has its secrets; returns it."""
    shutil.copytree(ROOT / "deploy" / "k8s", target / "deploy" / "k8s")
    script = str(ROOT / "deploy" / "make_secrets.py")
    command = [sys.executable, script, "--kubernetes", "--root", str(target)]
    subprocess.run(command, check=True, capture_output=True)
    return target / "deploy" / "k8s"


def build(folder: Path) -> str:
    """What `kubectl kustomize` makes of a folder, YAML."""
    kubectl = Path(sys.executable).with_name("kubectl")
    built = subprocess.run([kubectl, "kustomize", folder], capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return built.stdout


def pods(objects: list[Object]) -> Iterator[tuple[Object, Object]]:
    """(the object that makes pods, the pod's specification)."""
    for thing in objects:
        if "template" in thing.get("spec", {}):
            yield thing, thing["spec"]["template"]["spec"]


def kubernetes_processes(objects: list[Object]) -> list[Process]:
    found = []
    for thing, pod in pods(objects):
        container = pod["containers"][0]
        image = re.sub(r".*praxis/(\w+)(:.*)?$", r"\1", container["image"])
        if image != container["image"] and "command" not in container:
            told = {variable["name"]: variable.get("value", "") for variable in container["env"]}
            mode = container.get("args", [image])[0]
            found.append(Process("kubernetes", thing["metadata"]["name"], image, mode, told))
    return found


def of_kind(objects: list[Object], kind: str) -> dict[str, Object]:
    """Name -> object."""
    return {thing["metadata"]["name"]: thing for thing in objects if thing["kind"] == kind}
