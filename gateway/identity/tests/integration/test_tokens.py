"""Tokens for partner systems, services and the portal; keys. RFC 6749 for the errors of the token endpoint."""

import base64
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote_plus
from uuid import UUID, uuid4

import jwt
import pytest
from sqlalchemy import text

from chassis.errors import Forbidden, Invalid
from identity.sessions.rules import ADDRESS
from identity.staff.permissions import permissions_of
from praxis.identity.v1.identity_pb2 import IssuePortalTokenRequest

PASSWORD = "violet teapot under the stairs"
SCOPES = ["identity:firm:read", "identity:staff:read"]


def ask(world, source: str | None = None, **form: str):
    headers = {"x-praxis-source": source or str(uuid4())}
    return world.anonymous().post("/oauth/token", data={"grant_type": "client_credentials", **form}, headers=headers)


def refused(answer, status: int, error: str):
    """Expects a refusal in the form of RFC 6749, 5.2."""
    answer.expect(status)
    assert answer.json.keys() == {"error", "error_description"}
    assert answer.json["error"] == error
    assert answer.headers["cache-control"] == "no-store"
    return answer


def claims_of(token: str) -> dict:
    return jwt.decode(token, options={"verify_signature": False})


@pytest.fixture
def client(firm):
    return firm.owner.post("/api-clients", {"name": "Payroll bridge", "scopes": SCOPES}).expect(201).json


def credentials(client) -> dict[str, str]:
    return {"client_id": client["client_id"], "client_secret": client["client_secret"]}


# --- partner systems: access ------------------------------------------------------------------------------------------


def test_a_partner_system_gets_a_token_and_works_within_its_scopes(world, firm, client):
    answer = ask(world, **credentials(client)).expect(200)
    assert answer.json["token_type"] == "Bearer"
    assert answer.json["scope"] == " ".join(SCOPES)
    assert answer.headers["cache-control"] == "no-store"
    claims = claims_of(answer.json["access_token"])
    assert (claims["aud"], claims["sub"], claims["firm"]) == ("partner", client["id"], str(firm.id))
    assert claims["permissions"] == SCOPES
    assert claims["exp"] - claims["iat"] == answer.json["expires_in"] <= 600
    system = world.anonymous(answer.json["access_token"])
    assert system.get("/firm").expect(200).json["id"] == str(firm.id)
    system.patch("/firm", {"week_start": 7}, if_match=1).problem(403, "permission_missing")


def test_the_secret_is_shown_once_and_stored_nowhere(world, firm, client):
    for shown in (firm.owner.get("/api-clients").json["items"][0], firm.owner.get(f"/api-clients/{client['id']}").json):
        assert "client_secret" not in shown
        assert shown["client_id"] == client["client_id"]
    secret = base64.urlsafe_b64decode(client["client_secret"] + "==")[32:]
    with world.uow(firm.id) as uow:
        everything = str(uow.session.execute(text("SELECT * FROM api_clients")).all()) + str(
            uow.session.execute(text("SELECT body FROM idempotency WHERE firm_id = :firm"), {"firm": firm.id}).all()
        )
    assert client["client_secret"] not in everything
    assert repr(secret)[2:-1] not in everything


def test_a_repeated_creation_makes_one_client_and_does_not_tell_the_secret_again(world, firm):
    body = {"name": "Payroll bridge", "scopes": SCOPES}
    first = firm.owner.post("/api-clients", body, key="click").expect(201).json
    firm.owner.post("/api-clients", body, key="click").problem(409, "api_client_exists")
    assert len(firm.owner.get("/api-clients").json["items"]) == 1
    with world.uow(firm.id) as uow:
        stored = uow.session.execute(
            text("SELECT body FROM idempotency WHERE firm_id = :firm"), {"firm": firm.id}
        ).all()
    assert first["client_secret"] not in str(stored)


def test_creations_with_one_key_at_once_make_one_client(firm):
    body = {"name": "Payroll bridge", "scopes": SCOPES}
    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(lambda _: firm.owner.post("/api-clients", body, key="click").status, range(4)))
    assert answers == [201, 409, 409, 409]


def test_a_token_may_be_asked_for_with_less_scope_and_never_with_more(world, client):
    less = ask(world, **credentials(client), scope="identity:firm:read").expect(200).json
    assert claims_of(less["access_token"])["permissions"] == ["identity:firm:read"]
    refused(ask(world, **credentials(client), scope="identity:firm:read identity:firm:write"), 400, "invalid_scope")


def test_credentials_may_come_by_http_basic(world, client):
    pair = f"{quote_plus(client['client_id'])}:{quote_plus(client['client_secret'])}"
    headers = {"authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    world.anonymous().post("/oauth/token", data={"grant_type": "client_credentials"}, headers=headers).expect(200)


def test_unknown_parameters_of_the_token_request_are_ignored(world, client):
    ask(world, **credentials(client), resource="https://praxis.example").expect(200)


def test_wrong_credentials_answer_alike(world, firm, client):
    other = firm.owner.post("/api-clients", {"name": "Other", "scopes": SCOPES}).expect(201).json
    wrong = [
        ask(world, client_id=client["client_id"], client_secret=other["client_secret"]),
        ask(world, client_id=client["client_id"], client_secret="guess"),
        ask(world, client_id="unknown", client_secret=client["client_secret"]),
        ask(world, client_id="service:clients", client_secret="guess"),
        ask(world, client_id="service:unknown", client_secret="guess"),
        ask(world, client_id="service:", client_secret=""),
        ask(world),
    ]
    for answer in wrong:
        refused(answer, 401, "invalid_client")
        assert answer.headers["www-authenticate"].startswith("Basic")
    assert len({a.json["error_description"] for a in wrong[:5]}) == 1


def test_other_grants_are_refused(world, client):
    headers = {"x-praxis-source": str(uuid4())}
    form = {"grant_type": "password", "username": "a", "password": "b"}
    refused(world.anonymous().post("/oauth/token", data=form, headers=headers), 400, "unsupported_grant_type")
    refused(world.anonymous().post("/oauth/token", data=credentials(client), headers=headers), 400, "invalid_request")


def test_guessing_secrets_is_slowed_down(world, client, many_tries):
    for _ in range(ADDRESS.free):
        refused(ask(world, "203.0.113.5", client_id=client["client_id"], client_secret="guess"), 401, "invalid_client")
    many_tries("client", f"{client['client_id']} 203.0.113.5")
    slow = refused(ask(world, "203.0.113.5", client_id=client["client_id"], client_secret="guess"), 429, "slow_down")
    assert int(slow.headers["retry-after"]) >= 1
    ask(world, "203.0.113.6", **credentials(client)).expect(200)


def test_a_revoked_client_gets_no_more_tokens(world, firm, client):
    ask(world, **credentials(client)).expect(200)
    revoked = firm.owner.post(f"/api-clients/{client['id']}/revoke").expect(200).json
    assert revoked["revoked_at"] is not None
    assert revoked["last_used_at"] is not None
    refused(ask(world, **credentials(client)), 401, "invalid_client")
    firm.owner.post(f"/api-clients/{client['id']}/revoke").expect(200)
    made = [r.action for r in world.audit(firm.id) if r.subject_id == client["id"]]
    assert made == ["api_client.created", "api_client.token_issued", "api_client.revoked"]


# --- partner systems: who gives what ----------------------------------------------------------------------------------


def test_scopes_must_be_permissions_that_exist(firm):
    answer = firm.owner.post("/api-clients", {"name": "X", "scopes": ["identity:firm:read", "identity:gold:write"]})
    assert answer.problem(422, "scopes_unknown").json["scopes"] == ["identity:gold:write"]
    assert firm.owner.get("/api-clients").json["items"] == []


def test_nobody_gives_what_they_do_not_have(world, firm):
    """Not by their roles, and not by the token at hand."""
    answer = firm.owner.post("/api-clients", {"name": "X", "scopes": ["portal:self"]})
    assert answer.status == 400  # not even the form of a scope
    narrow = world.api(firm.id, staff=firm.owner_id, permissions=["identity:api_clients:write", "identity:firm:read"])
    answer = narrow.post("/api-clients", {"name": "X", "scopes": ["identity:firm:read", "identity:firm:write"]})
    assert answer.problem(422, "scopes_exceed_yours").json["scopes"] == ["identity:firm:write"]
    narrow.post("/api-clients", {"name": "X", "scopes": ["identity:firm:read"]}).expect(201)


def test_a_token_that_promises_more_than_its_bearers_roles_gives_no_more(world, firm, mailbox):
    staff = {"name": "Ada", "email": f"{uuid4()}@harbour.example", "roles": ["readonly"], "grade": "junior"}
    id = firm.owner.post("/staff", staff).expect(201).json["id"]
    forged = world.api(firm.id, staff=id)  # with every permission there is
    answer = forged.post("/api-clients", {"name": "X", "scopes": ["identity:firm:write"]})
    answer.problem(422, "scopes_exceed_yours")


def test_an_owner_can_give_everything_an_owner_has(world, firm):
    everything = permissions_of(["owner"])
    client = firm.owner.post("/api-clients", {"name": "Everything", "scopes": everything}).expect(201).json
    token = ask(world, **credentials(client)).expect(200).json["access_token"]
    assert claims_of(token)["permissions"] == everything


def test_partner_systems_do_not_manage_partner_systems(world, firm, client):
    system = world.api(firm.id, audience="partner")
    system.get("/api-clients").problem(403, "audience_not_allowed")
    system.post("/api-clients", {"name": "X", "scopes": SCOPES}).problem(403, "audience_not_allowed")
    system.post(f"/api-clients/{client['id']}/revoke").problem(403, "audience_not_allowed")


def test_staff_without_the_permission_do_not_see_partner_systems(world, firm):
    world.api(firm.id, permissions=permissions_of(["partner"])).get("/api-clients").problem(403, "permission_missing")


def test_another_firms_partner_systems_are_not_found(practice, client):
    other = practice()
    other.owner.get(f"/api-clients/{client['id']}").problem(404, "api_client_not_found")
    other.owner.post(f"/api-clients/{client['id']}/revoke").problem(404, "api_client_not_found")
    assert other.owner.get("/api-clients").json["items"] == []


@pytest.mark.parametrize(
    "wrong", [{"name": " "}, {"scopes": []}, {"scopes": SCOPES + SCOPES}, {"secret": "mine"}, {"scopes": "all"}]
)
def test_a_malformed_api_client_is_refused(firm, wrong):
    firm.owner.post("/api-clients", {"name": "X", "scopes": SCOPES} | wrong).problem(400, "request_invalid")
    assert firm.owner.get("/api-clients").json["items"] == []


# --- services -----------------------------------------------------------------------------------------------------------


def test_a_service_gets_a_token_for_one_firm_or_none(world):
    firm = uuid4()
    for form, expected in (({"firm": str(firm)}, str(firm)), ({}, None)):
        answer = ask(world, client_id="service:clients", client_secret="secret-of-clients", **form).expect(200).json
        claims = claims_of(answer["access_token"])
        assert (claims["aud"], claims["sub"], claims["permissions"]) == ("service", "service:clients", [])
        assert claims.get("firm") == expected
    refused(
        ask(world, client_id="service:clients", client_secret="secret-of-clients", firm="all"), 400, "invalid_request"
    )


def test_a_service_token_names_the_service_to_whoever_verifies_it(world):
    token = ask(world, client_id="service:portal", client_secret="secret-of-portal", firm=str(uuid4())).json[
        "access_token"
    ]
    principal = world.runtime.verifier.verify(token)
    assert (principal.kind, principal.id, principal.permissions) == ("service", "portal", frozenset())


def test_a_service_token_is_no_token_for_operations(world, firm):
    token = ask(world, client_id="service:clients", client_secret="secret-of-clients", firm=str(firm.id)).json[
        "access_token"
    ]
    assert world.anonymous(token).get("/firm").status == 403


# --- the portal ---------------------------------------------------------------------------------------------------------


def portal_request(firm, **more) -> IssuePortalTokenRequest:
    facts = {"firm_id": str(firm.id), "contact_id": str(uuid4()), "client_ids": [str(uuid4()), str(uuid4())]} | more
    return IssuePortalTokenRequest(**facts)


def test_the_portal_gets_a_token_for_a_verified_contact(world, firm):
    request = portal_request(firm)
    answer = world.grpc(firm.id, caller="portal").call("IssuePortalToken", request)
    claims = claims_of(answer.access_token)
    assert (claims["aud"], claims["sub"], claims["firm"]) == ("portal", request.contact_id, str(firm.id))
    assert claims["permissions"] == ["portal:self"]
    assert claims["clients"] == list(request.client_ids)
    assert answer.expires_in == claims["exp"] - claims["iat"] == 600
    principal = world.runtime.verifier.verify(answer.access_token)
    assert principal.client_ids == {UUID(c) for c in request.client_ids}
    row = [r for r in world.audit(firm.id) if r.action == "portal_token.issued"][-1]
    assert (row.subject_type, row.subject_id, row.actor) == ("contact", request.contact_id, "service:portal")


@pytest.mark.parametrize("caller", ["clients", "workflow", "timebilling", "documents", "identity"])
def test_no_other_service_gets_portal_tokens(world, firm, caller):
    with pytest.raises(Forbidden) as refusal:
        world.grpc(firm.id, caller=caller).call("IssuePortalToken", portal_request(firm))
    assert refusal.value.code == "caller_not_allowed"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"contact_id": "somebody"}, "contact_invalid"),
        ({"client_ids": ["all"]}, "contact_invalid"),
        ({"client_ids": []}, "contact_invalid"),
        ({"firm_id": str(uuid4())}, "firm_mismatch"),
    ],
)
def test_a_malformed_request_for_a_portal_token_gets_none(world, firm, wrong, code):
    with pytest.raises(Invalid) as refusal:
        world.grpc(firm.id, caller="portal").call("IssuePortalToken", portal_request(firm, **wrong))
    assert refusal.value.code == code
    assert "portal_token.issued" not in [r.action for r in world.audit(firm.id)]


# --- keys ---------------------------------------------------------------------------------------------------------------


def test_published_keys_verify_issued_tokens_and_may_be_cached(world, firm, door):
    answer = world.anonymous().get("/jwks").expect(200)
    assert "max-age=300" in answer.headers["cache-control"]
    token = door.sign_in(firm.email).json["access_token"]
    header = jwt.get_unverified_header(token)
    assert header["alg"] == "EdDSA"
    key = jwt.PyJWKSet.from_dict(answer.json)[header["kid"]]
    assert jwt.decode(token, key.key, algorithms=["EdDSA"], audience="staff", issuer="http://praxis.test")[
        "firm"
    ] == str(firm.id)
