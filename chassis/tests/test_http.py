"""The HTTP side: permissions, errors, idempotency, versions, pages, the same for every service."""

import base64
import json
import threading

import jwt
from sqlalchemy import text

from chassis.db import new_id
from chassis.testing import TestKeys, World


def test_an_operation_needs_a_token(world: World) -> None:
    world.anonymous().get("/notes").problem(401, "token_missing")


def test_a_public_operation_needs_none(world: World) -> None:
    assert world.anonymous().get("/door").expect(200).json == {"hello": "world"}


def test_what_is_signed_comes_as_it_was_sent(world: World) -> None:
    sent, headers = '{ "b": 1,\n "a": 1.0 }', {"content-type": "application/json; charset=utf-8", "signature": "s"}
    came = world.anonymous().request("POST", "/door", content=sent, headers=headers).expect(200).json
    assert came == {"came": sent, "signed": "s"}
    world.anonymous().request("POST", "/door", content=b"", headers=headers).problem(400, "request_invalid")


def test_an_operation_needs_its_permission(world: World) -> None:
    api = world.api(world.firm(), permissions=["notes:notes:read"])
    api.post("/notes", {"text": "x"}).problem(403, "permission_missing")


def test_an_operation_serves_only_its_audiences(world: World) -> None:
    firm = world.firm()
    made = world.api(firm).post("/notes", {"text": "seen"}).expect(201).json
    portal = world.api(firm, audience="portal", permissions=["notes:notes:read"])
    portal.get(f"/notes/{made['id']}").expect(200)
    portal.get("/notes").problem(403, "audience_not_allowed")


def test_a_foreign_key_an_unsigned_token_and_another_algorithm_are_refused(world: World) -> None:
    firm = world.firm()
    claims = {"permissions": ["notes:notes:read"]}
    foreign = TestKeys().token("staff", str(new_id()), firm, **claims)
    mine = world.keys.token("staff", str(new_id()), firm, **claims)
    header, body, _ = mine.split(".")
    unsigned = (
        base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": "test"}).encode()).decode().rstrip("=") + f".{body}."
    )
    symmetric = jwt.encode(
        jwt.decode(mine, options={"verify_signature": False}), "x" * 32, algorithm="HS256", headers={"kid": "test"}
    )
    for token in (foreign, unsigned, symmetric, "nonsense", f"{header}.{body}.", mine[:-4] + "AAAA"):
        world.anonymous(token).get("/notes").problem(401, "token_invalid")


def test_a_token_for_several_audiences_stands_in_for_none(world: World) -> None:
    both = world.keys.token("staff", str(new_id()), world.firm(), permissions=["notes:notes:read"]) and jwt.encode(
        {
            **jwt.decode(world.staff_token(world.firm()), options={"verify_signature": False}),
            "aud": ["staff", "service"],
        },
        world.keys.private,
        algorithm="EdDSA",
        headers={"kid": "test"},
    )
    world.anonymous(both).get("/notes").problem(401, "token_invalid")


def test_the_cookie_carries_the_token_too(world: World) -> None:
    token = world.staff_token(world.firm())
    world.anonymous().get("/notes", headers={"cookie": f"a=b; __Host-praxis={token}"}).expect(200)


def test_a_bad_body_is_refused_with_its_place(world: World) -> None:
    api = world.api(world.firm())
    for body, pointer in (
        ({"text": "x", "firm_id": "y"}, ""),
        ({"text": 7}, "/text"),
        ({"text": ""}, "/text"),
        ({"text": "x", "day": "2026-02-30"}, "/day"),
    ):
        problem = api.post("/notes", body).problem(400, "request_invalid").json
        assert pointer in [e["pointer"] for e in problem["errors"]]
    for content in (
        b"{",
        b'{"text": NaN}',
        b'{"text": "\\ud800"}',
        b'{"text": "\xff"}',
        b"\x90",
        '{"text": "ü"}'.encode("latin-1"),
    ):
        sent = api.request("POST", "/notes", headers={"content-type": "application/json"}, content=content)
        sent.problem(400, "request_invalid")
    unheard = {"content-type": "application/json; charset=unheard-of"}
    api.request("POST", "/notes", headers=unheard, content=b"{").problem(400, "request_invalid")
    api.request("POST", "/notes", headers={"content-type": "text/plain"}, content=b"{}").problem(
        415, "media_type_not_supported"
    )
    assert api.get("/notes").json["items"] == []


def test_unknown_parameters_and_wrong_types_are_refused(world: World) -> None:
    api = world.api(world.firm())
    api.get("/notes?colour=red").problem(400, "request_invalid")
    api.get("/notes?limit=many").problem(400, "request_invalid")
    api.get("/notes?limit=0").problem(400, "request_invalid")
    api.get("/notes?cursor=%21%21").problem(400, "cursor_invalid")
    api.get("/notes/not-an-id").problem(400, "request_invalid")


def test_a_text_that_the_database_cannot_hold_is_refused(world: World) -> None:
    api = world.api(world.firm())
    api.post("/notes", {"text": "a\0b"}).problem(400, "request_invalid")
    api.get("/notes?cursor=%00").problem(400, "request_invalid")
    assert api.get("/notes").json["items"] == []


def test_a_null_is_allowed_where_the_specification_says_so(world: World) -> None:
    world.api(world.firm()).post("/notes", {"text": "x", "day": None}).expect(201)


def test_another_firms_thing_is_not_found(world: World) -> None:
    made = world.api(world.firm()).post("/notes", {"text": "mine"}).expect(201).json
    world.api(world.firm()).get(f"/notes/{made['id']}").problem(404, "note_not_found")


def test_a_private_row_is_hidden_from_those_not_named(world: World) -> None:
    firm, named, stranger = world.firm(), new_id(), new_id()
    made = world.api(firm, staff=named).post("/notes", {"text": "secret"}).expect(201).json
    with world.uow(firm) as uow:
        uow.session.execute(text("UPDATE notes SET visible_to = ARRAY[CAST(:s AS uuid)]"), {"s": named})
    world.api(firm, staff=named).get(f"/notes/{made['id']}").expect(200)
    world.api(firm, staff=stranger).get(f"/notes/{made['id']}").problem(404, "note_not_found")
    assert world.api(firm, staff=stranger).get("/notes").json["items"] == []


def test_no_row_is_seen_without_a_firm(world: World) -> None:
    world.api(world.firm()).post("/notes", {"text": "x"}).expect(201)
    with world.runtime.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM notes")).scalar_one() == 0


def test_a_rule_of_the_database_has_its_code(world: World) -> None:
    api = world.api(world.firm())
    api.post("/notes", {"text": "once"}).expect(201)
    api.post("/notes", {"text": "once"}).problem(409, "text_taken")


def test_the_same_key_answers_the_same_and_does_nothing_twice(world: World) -> None:
    firm, staff = world.firm(), new_id()
    api = world.api(firm, staff=staff)
    first = api.post("/notes", {"text": "x"}, key="k").expect(201)
    again = api.post("/notes", {"text": "x"}, key="k").expect(201)
    assert again.json == first.json
    assert again.headers["location"] == first.headers["location"]
    assert again.etag == first.etag
    assert len(world.events(firm)) == 1
    api.post("/notes", {"text": "y"}, key="k").problem(409, "idempotency_key_reused")


def test_a_key_belongs_to_its_caller(world: World) -> None:
    firm = world.firm()
    world.api(firm).post("/notes", {"text": "x"}, key="k").expect(201)
    world.api(firm).post("/notes", {"text": "y"}, key="k").expect(201)


def test_a_refused_act_may_be_tried_again_under_its_key(world: World) -> None:
    api = world.api(world.firm(), staff=new_id())
    api.post("/notes", {"text": "forbidden"}, key="k").problem(422, "text_forbidden")
    api.post("/notes", {"text": "allowed"}, key="k").expect(201)


def test_a_double_click_has_one_effect(world: World) -> None:
    firm, staff = world.firm(), new_id()
    api = world.api(firm, staff=staff)
    api.get("/notes")
    answers: list[object] = []
    threads = [
        threading.Thread(target=lambda: answers.append(api.post("/notes", {"text": "x"}, key="k").expect(201).json))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    assert all(a == answers[0] for a in answers)
    assert len(world.events(firm)) == 1


def test_a_lost_update_shows_both_versions_to_those_who_may_read(world: World) -> None:
    firm = world.firm()
    api = world.api(firm)
    made = api.post("/notes", {"text": "one"}).expect(201)
    path = f"/notes/{made.json['id']}"
    api.patch(path, {"text": "two"}, if_match=made.etag).expect(200)
    lost = api.patch(path, {"text": "three"}, if_match=made.etag).problem(412, "version_conflict").json
    assert lost["current"] == api.get(path).json
    assert lost["yours"] == {"version": 1, "change": {"text": "three"}}
    assert lost["current_version"] == 2
    gone = api.delete(path, if_match=made.etag).problem(412, "version_conflict").json
    assert (gone["current"]["text"], gone["yours"]) == ("two", {"version": 1, "change": None})
    writer = world.api(firm, permissions=["notes:notes:write"])
    hidden = writer.patch(path, {"text": "three"}, if_match=made.etag).problem(412, "version_conflict").json
    assert "current" not in hidden


def test_a_lost_update_is_refused(world: World) -> None:
    api = world.api(world.firm())
    made = api.post("/notes", {"text": "one"}).expect(201)
    path = f"/notes/{made.json['id']}"
    api.patch(path, {"text": "two"}).problem(428, "if_match_required")
    changed = api.patch(path, {"text": "two"}, if_match=made.etag).expect(200)
    assert changed.etag != made.etag
    api.patch(path, {"text": "three"}, if_match=made.etag).problem(412, "version_conflict")
    api.patch(path, {"text": "three"}, if_match="next").problem(400, "if_match_invalid")
    assert api.get(path).json["text"] == "two"
    api.get(path, headers={"if-none-match": changed.etag}).expect(304)
    api.delete(path, if_match=changed.etag).expect(204)
    api.get(path).problem(404, "note_not_found")


def test_pages_follow_one_another_and_end(world: World) -> None:
    api = world.api(world.firm())
    for i in range(7):
        api.post("/notes", {"text": f"note {i}"}).expect(201)
    seen, path = [], "/notes?limit=3"
    while path:
        page = api.get(path).expect(200).json
        seen += [n["text"] for n in page["items"]]
        path = f"/notes?limit=3&cursor={page['next_cursor']}" if page["next_cursor"] else ""
    assert seen == [f"note {i}" for i in range(7)]


def test_a_list_is_csv_on_request_and_disarms_formulas(world: World) -> None:
    api = world.api(world.firm())
    api.post("/notes", {"text": "=1+1"}).expect(201)
    api.post("/notes", {"text": 'a "quoted" note'}).expect(201)
    answer = api.get("/notes?limit=1", headers={"accept": "text/csv"}).expect(200)
    lines = answer.response.text.splitlines()
    assert lines[0] == "id,text,version"
    assert "'=1+1" in lines[1]
    assert len(lines) == 3


def test_a_long_answer_goes_out_while_it_is_read_after_its_trace_is_kept(world: World) -> None:
    api = world.api(world.firm())
    for note in ("b", "a"):
        api.post("/notes", {"text": note}).expect(201)
    answer = api.get("/told").expect(200)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.response.text == "a,1\nb,1\n1\n"


def test_a_large_body_is_refused_before_any_work(world: World) -> None:
    world.api(world.firm()).post("/notes", {"text": "x" * 1_000_001}).problem(413, "body_too_large")


def test_health_and_specification_are_served(world: World) -> None:
    api = world.anonymous()
    assert api.client.get("/healthz").text == "ok"
    assert api.client.get("/readyz").status_code == 200
    spec = api.client.get("/api/notes/v1/openapi.json").json()
    assert spec["components"]["schemas"]["Money"]
    assert "notes:notes:write" in spec["components"]["securitySchemes"]["token"]["flows"]["clientCredentials"]["scopes"]


def test_an_unknown_path_is_a_problem_too(world: World) -> None:
    world.api(world.firm()).get("/nowhere").problem(404, "not_found")
    world.api(world.firm()).request("PUT", "/notes", {}).problem(405, "method_not_allowed")
