"""A name against everybody ever recorded; what is private is said to be there, and nothing more."""

import pytest

from chassis.db import new_id


def check(api, *names, **more):
    return api.post("/conflict-checks", {"names": list(names), **more}).expect(201).json


def found(result):
    return {(m["kind"], m["name"]) for m in result["matches"]}


@pytest.fixture
def parties(office):
    former = office.client("Quarterdeck Ltd")
    office.api.post(f"/clients/{former['id']}/archive", {"reason": "left"}).expect(200)
    renamed = office.client("Zenith Holdings", other_names=["Blue Heron Café"])
    office.api.patch(f"/clients/{renamed['id']}", {"name": "Apex Trading"}, if_match=1).expect(200)
    jo = office.contact("Josephine Baker", renamed)
    office.api.patch(f"/contacts/{jo['id']}", {"name": "Josephine Miller"}, if_match=1).expect(200)
    other = {"client_id": renamed["id"], "kind": "opposed_to", "other_name": "Ironside Industries"}
    office.api.post("/relationships", other).expect(201)
    office.client("Unlike Ltd")
    return {"former": former, "renamed": renamed, "jo": jo}


@pytest.mark.parametrize(
    ("asked", "kind", "name"),
    [
        ("Quarterdeck Limited", "client", "Quarterdeck Ltd"),
        ("quarterdek", "client", "Quarterdeck Ltd"),
        ("Quarterdeck International Holdings", "client", "Quarterdeck Ltd"),
        ("Zenith Holdings Ltd", "former_name", "Zenith Holdings"),
        ("BLUE HERON CAFE", "other_name", "Blue Heron Café"),
        ("Josephine Miller", "contact", "Josephine Miller"),
        ("Baker", "contact_former_name", "Josephine Baker"),
        ("Ironside", "related_party", "Ironside Industries"),
    ],
)
def test_whoever_was_ever_recorded_is_found(office, parties, asked, kind, name):
    result = check(office.api, asked)
    assert (kind, name) in found(result)
    assert result["hidden"] is None
    assert ("client", "Unlike Ltd") not in found(result)


def test_a_match_tells_whose_it_is_and_how_alike(office, parties):
    match = check(office.api, "Quarterdeck")["matches"][0]
    assert (match["client"]["id"], match["status"], match["likeness"]) == (parties["former"]["id"], "former", 1)
    match = check(office.api, "Ironside")["matches"][0]
    assert match["client"]["name"] == "Apex Trading"


def test_nobody_alike_is_an_answer_too(office, parties):
    result = check(office.api, "Wholly Different & Co", "!!")
    assert (result["matches"], result["hidden"]) == ([], None)


def test_the_result_is_kept_with_its_date(office, parties):
    made = check(office.api, "Quarterdeck")
    office.client("Quarterdeck Two")
    again = office.api.get(f"/conflict-checks/{made['id']}").expect(200).json
    assert again == made
    assert (made["by"], made["at"][:4].isdigit()) == ("Test", True)
    assert office.api.get("/conflict-checks").json["items"] == [made]


def test_a_private_match_is_said_to_be_there_and_nothing_more(office):
    office.client("Falcon Group", visible_to=[str(office.ada)], other_names=["Falcon Two"])
    office.contact("Felix Falcon", office.client("Hidden Ltd", visible_to=[str(office.ada)]))
    office.client("Falcon Bakery")
    bens = check(office.bens, "Falcon")
    assert found(bens) == {("client", "Falcon Bakery")}
    assert bens["hidden"] == "There is a match you may not see."
    assert "Group" not in str(bens)
    assert "Felix" not in str(bens)
    mine = office.api.get(f"/conflict-checks/{bens['id']}").expect(200).json
    assert len(mine["matches"]) == 4
    assert mine["hidden"] is None


def test_a_check_for_a_private_client_is_hidden_with_it_and_leaves_out_itself(office):
    secret = office.client("Falcon Group", visible_to=[str(office.ada)])
    made = check(office.api, "Falcon Group", client_id=secret["id"])
    assert (made["matches"], made["client"]["name"]) == ([], "Falcon Group")
    office.bens.get(f"/conflict-checks/{made['id']}").problem(404, "conflict_check_not_found")
    assert office.bens.get("/conflict-checks").json["items"] == []
    office.bens.post("/conflict-checks", {"names": ["x"], "client_id": secret["id"]}).problem(404, "client_not_found")


def test_what_was_found_is_decided_once(office, parties):
    made = check(office.api, "Quarterdeck", client_id=parties["renamed"]["id"])
    path = f"/conflict-checks/{made['id']}/decide"
    decided = office.api.post(path, {"decision": "waived", "reason": "both agreed"}).expect(200).json
    assert (decided["decision"], decided["reason"], decided["decided_by"]) == ("waived", "both agreed", "Test")
    office.api.post(path, {"decision": "clear", "reason": "x"}).problem(409, "conflict_check_decided")
    office.api.post(path, {"decision": "perhaps", "reason": "x"}).problem(400, "request_invalid")
    assert len(office.api.get(f"/conflict-checks?client_id={parties['renamed']['id']}").json["items"]) == 1


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"names": []}, 400, "request_invalid"),
        ({"names": [" "]}, 400, "request_invalid"),
        ({"names": ["x"], "client_id": str(new_id())}, 404, "client_not_found"),
    ],
)
def test_a_wrong_check_has_its_code_and_changes_nothing(office, body, status, code):
    before = office.traces()
    office.unchanged_by(office.api.post("/conflict-checks", body), status, code, before)


def test_another_firms_parties_are_nobodys_match(office, stranger):
    stranger.client("Lighthouse Ltd")
    made = check(office.api, "Lighthouse")
    assert (made["matches"], made["hidden"]) == ([], None)
    stranger.api.get(f"/conflict-checks/{made['id']}").problem(404, "conflict_check_not_found")
