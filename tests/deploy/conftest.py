"""Both overlays, built once."""

from pathlib import Path

import pytest
import yaml

from tests.deploy.world import Object, build, copy_with_secrets


@pytest.fixture(scope="session")
def overlays(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Overlay -> what kustomize makes of it, YAML."""
    folder: Path = copy_with_secrets(tmp_path_factory.mktemp("k8s"))
    return {name: build(folder / "overlays" / name) for name in ("dev", "production")}


def _objects(text: str) -> list[Object]:
    return list(yaml.safe_load_all(text))


@pytest.fixture(scope="session")
def dev(overlays: dict[str, str]) -> list[Object]:
    return _objects(overlays["dev"])


@pytest.fixture(scope="session")
def production(overlays: dict[str, str]) -> list[Object]:
    return _objects(overlays["production"])


@pytest.fixture(scope="session", params=["dev", "production"])
def objects(request: pytest.FixtureRequest, overlays: dict[str, str]) -> list[Object]:
    """Of each overlay in turn."""
    return _objects(overlays[request.param])
