"""Saved views know the filters, orders and groups that the specification gives each list."""

from pathlib import Path
from typing import Any

import pytest

from chassis import openapi
from workflow.views.rules import FILTERS, GROUPS, SORTS, misfit

SPEC = openapi.load(Path(__file__).resolve().parents[2] / "openapi.yaml")
PATHS = {"jobs": "/jobs", "tasks": "/tasks", "requests": "/requests", "board": "/board"}
NO_FILTERS = {"limit", "cursor", "sort", "per_column"}


def parameters(path: str) -> dict[str, Any]:
    given = SPEC["paths"][path]["get"]["parameters"]
    resolved = [SPEC["components"]["parameters"][p["$ref"].rsplit("/", 1)[1]] if "$ref" in p else p for p in given]
    return {p["name"]: p["schema"] for p in resolved}


@pytest.mark.parametrize("list", sorted(PATHS))
def test_a_view_takes_what_its_list_takes(list: str) -> None:
    given = parameters(PATHS[list])
    assert FILTERS[list] == set(given) - NO_FILTERS
    assert SORTS[list] == set(given.get("sort", {}).get("enum", ()))
    assert FILTERS[list] <= set(SPEC["components"]["schemas"]["ViewFilters"]["properties"])


@pytest.mark.parametrize("list", ["jobs", "tasks"])
def test_a_view_groups_as_its_list_is_grouped(list: str) -> None:
    given = parameters(f"{PATHS[list]}/groups")
    assert GROUPS[list] == set(given["by"]["enum"])
    assert FILTERS[list] == set(given) - NO_FILTERS - {"by"}


def test_what_does_not_go_with_the_list_is_named() -> None:
    assert misfit("jobs", {"owner": "me"}, "priority", "client") is None
    assert misfit("board", {"owner": "me", "role": "preparer"}, None, None) == (
        "/filters/role",
        "There is no filter “role” on board.",
    )
    assert (misfit("tasks", {}, "-created_at", None) or ("",))[0] == "/sort"
    assert (misfit("requests", {}, None, "client") or ("",))[0] == "/group_by"
