"""checkov over the Dockerfile and every Kubernetes object: no finding, and no skip without its reason."""

import copy
import fcntl
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.world import ROOT, Object
from tools.launcher import installer, once
from tools.launcher.area import CACHE, Area
from tools.launcher.setup import VENV

LOCK = ROOT / "requirements" / "checkov.lock"
SKIPS = ROOT / "deploy" / "checkov.yaml"


@pytest.fixture(scope="session")
def checkov() -> Path:
    """checkov, installed once into an environment of its own: its hundred packages are no business of ours."""
    home, cache = CACHE / "checkov", Area(CACHE)
    key = once.fingerprint([LOCK])
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "checkov.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if not once.is_done(cache, "checkov", key) or not (home / "bin" / "checkov").exists():
            installer.run_uv(VENV, ["venv", "--quiet", "--clear", str(home)])
            words = [
                "pip",
                "install",
                "--quiet",
                "--require-hashes",
                "-r",
                str(LOCK),
                "--python",
                str(home / "bin/python"),
            ]
            installer.run_uv(VENV, words)
            once.mark_done(cache, "checkov", key)
    return home / "bin" / "checkov"


def findings(checkov: Path, framework: str, file: Path, count: str) -> list[str]:
    """What it has to object to; fails if it has not looked at anything."""
    command = [checkov, "--file", file, "--framework", framework, "--config-file", SKIPS, "--output", "json"]
    ran = subprocess.run([*command, "--skip-download", "--compact"], capture_output=True, text=True, cwd=file.parent)
    assert ran.stdout, ran.stderr[-2000:]
    report: dict[str, Any] = json.loads(ran.stdout)
    assert report["summary"]["passed"] > 0, count
    assert report["summary"]["parsing_errors"] == 0
    return [f"{f['check_id']} {f['resource']}: {f['check_name']}" for f in report["results"]["failed_checks"]]


def test_nothing_to_object_to_in_the_dockerfile(checkov: Path) -> None:
    assert not findings(checkov, "dockerfile", ROOT / "Dockerfile", "no instruction was checked")


@pytest.mark.parametrize("overlay", ["dev", "production"])
def test_nothing_to_object_to_in_kubernetes(
    checkov: Path, overlays: dict[str, str], overlay: str, tmp_path: Path
) -> None:
    (tmp_path / "objects.yaml").write_text(overlays[overlay])
    assert not findings(checkov, "kubernetes", tmp_path / "objects.yaml", "no object was checked")


def test_it_would_object_if_there_were_reason_to(checkov: Path, production: list[Object], tmp_path: Path) -> None:
    (loose,) = (o for o in production if o["kind"] == "Deployment" and o["metadata"]["name"] == "web")
    loose = copy.deepcopy(loose)
    loose["spec"]["template"]["spec"]["containers"][0]["securityContext"]["readOnlyRootFilesystem"] = False
    (tmp_path / "objects.yaml").write_text(yaml.safe_dump(loose))
    assert any("CKV_K8S_22" in finding for finding in findings(checkov, "kubernetes", tmp_path / "objects.yaml", ""))


def test_every_skip_has_its_reason(dev: list[Object]) -> None:
    text = SKIPS.read_text()
    skipped = yaml.safe_load(text)["skip-check"]
    explained = re.findall(r"(?:^# .{20,}\n)+- (\w+)", text, re.M)
    assert explained == skipped
    for thing in dev:
        for name, value in thing["metadata"].get("annotations", {}).items():
            if name.startswith("checkov.io/skip"):
                assert re.fullmatch(r"CKV\w+=.{20,}", value), value
