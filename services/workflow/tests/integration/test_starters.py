"""Starter templates: every one can be published and applied, and taking them over twice makes nothing twice."""

import pytest

from workflow.starters.usecases import PRACTICES


@pytest.mark.parametrize("practice", PRACTICES)
def test_starter_templates_become_the_firms_own_once(world, practice: str) -> None:
    api = world.api(world.firm())
    offered = next(p for p in api.get("/starter-templates").expect(200).json["items"] if p["practice"] == practice)
    made = api.post(f"/starter-templates/{practice}/take-over").expect(201).json["items"]
    assert [t["name"] for t in made] == [t["name"] for t in offered["templates"]]
    assert all(t["current_version"] == 1 and not t["draft_differs"] for t in made)
    assert api.post(f"/starter-templates/{practice}/take-over").expect(201).json["items"] == []
    assert len(api.get("/templates").json["items"]) == len(made)


def test_an_unknown_practice_is_not_found(world) -> None:
    api = world.api(world.firm())
    api.post("/starter-templates/astrology/take-over").problem(404, "practice_not_found")
    assert api.get("/templates").json["items"] == []
