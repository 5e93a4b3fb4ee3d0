"""Signing in, staying signed in, and whoever tries without being allowed to.

OWASP ASVS 5.0: 6.2 (passwords), 6.3 (throttling, enumeration), 7.2 and 7.4 (sessions), 9.1 and 9.2 (tokens).
"""

import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from chassis.auth import Principal
from chassis.errors import TooMany, Unavailable
from identity.sessions import throttle
from identity.sessions.passwords import Hashing
from identity.sessions.queries import address_of
from identity.sessions.rules import ADDRESS, RACE

PASSWORD = "violet teapot under the stairs"
LONG = replace(ADDRESS, first=timedelta(minutes=2))  # a pause that no slow machine outlasts by accident


def actions(world, firm) -> list[str]:
    return [row.action for row in world.audit(firm.id)]


def age_refresh_tokens(world, firm, by: timedelta) -> None:
    """Lets time pass for the firm's refresh tokens."""
    with world.uow(firm.id) as uow:
        uow.session.execute(
            text("UPDATE refresh_tokens SET spent_at = spent_at - :by, issued_at = issued_at - :by"), {"by": by}
        )


# --- signing in -------------------------------------------------------------------------------------------------------


def test_a_right_password_signs_in(world, firm, door):
    answer = door.sign_in(firm.email).expect(200)
    assert answer.json["me"]["firm"]["id"] == str(firm.id)
    assert world.anonymous(answer.json["access_token"]).get("/me").expect(200).json == answer.json["me"]
    assert "session.started" in actions(world, firm)


def test_the_address_counts_without_case_and_spaces(firm, door):
    door.sign_in(f"  {firm.email.upper()} ").expect(200)


def test_cookies_are_bound_to_the_host_and_unreadable_for_scripts(firm, door):
    answer = door.sign_in(firm.email).expect(200)
    cookies = answer.headers.get_list("set-cookie")
    assert {c.partition("=")[0] for c in cookies} == {"__Host-praxis", "__Host-praxis-refresh"}
    for cookie in cookies:
        attributes = {a.strip().lower() for a in cookie.split(";")[1:]}
        assert {"path=/", "secure", "httponly", "samesite=lax"} <= attributes
        assert not any(a.startswith("domain") for a in attributes)
    assert answer.headers["cache-control"] == "no-store"
    assert door.cookie(answer, "__Host-praxis") == answer.json["access_token"]


def test_the_cookie_alone_is_enough(world, firm, door):
    token = door.cookie(door.sign_in(firm.email), "__Host-praxis")
    world.anonymous().get("/me", headers={"cookie": f"theme=dark; __Host-praxis={token}"}).expect(200)


def test_an_access_token_lives_ten_minutes_at_most_and_says_what_its_bearer_may_do(firm, door):
    token = door.sign_in(firm.email).json["access_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] <= 600
    assert claims["aud"] == "staff"
    assert claims["firm"] == str(firm.id)
    assert UUID(claims["sub"]) == UUID(firm.owner_id)
    assert "identity:firm:write" in claims["permissions"]
    assert {"iss", "jti", "name", "grade"} <= claims.keys()


@pytest.mark.parametrize(
    "body",
    [
        {"email": "a@b.example"},
        {"email": "a@b.example", "password": "x", "remember": True},
        {"email": "a@b.example", "password": ["x"]},
        {"email": "a@b.example", "password": "x", "firm_id": "no-uuid"},
        {"email": "a@b.example", "password": "x" * 201},
    ],
)
def test_a_malformed_sign_in_is_refused_before_anything_is_looked_up(world, body):
    world.anonymous().post("/sessions", body).problem(400, "request_invalid")


# --- whoever tries ----------------------------------------------------------------------------------------------------


def test_unknown_address_and_wrong_password_answer_alike(firm, door):
    wrong, unknown = (
        door.sign_in(firm.email, "not the password"),
        door.sign_in("nobody@harbour.example", "not the password"),
    )
    wrong.problem(401, "sign_in_failed")
    assert unknown.json == wrong.json
    volatile = {"date"}
    assert {k: v for k, v in unknown.headers.items() if k not in volatile} == {
        k: v for k, v in wrong.headers.items() if k not in volatile
    }


def test_a_firm_one_does_not_work_for_answers_like_a_wrong_password(practice, door):
    one, other = practice(), practice()
    assert (
        door.sign_in(one.email, firm_id=str(other.id)).problem(401, "sign_in_failed").json
        == door.sign_in(one.email, "not the password").json
    )


def test_an_unknown_address_costs_a_hash_too(world, firm, door):
    """Both ways run argon2id once. Compared with each other in the same run, with a wide margin; a missing hash is 20 times faster."""

    def took(email: str) -> float:
        started = time.perf_counter()
        door.sign_in(email, "not the password").expect(401)
        return time.perf_counter() - started

    known = statistics.median(took(firm.email) for _ in range(4))
    unknown = statistics.median(took(f"nobody{n}@harbour.example") for n in range(4))
    assert unknown > known / 3


def test_guessing_at_one_address_is_slowed_down_wherever_it_comes_from(world, firm, door, many_tries):
    for _ in range(ADDRESS.free):
        door.sign_in(firm.email, "not the password").problem(401, "sign_in_failed")
    many_tries("address", address_of(world.runtime.settings, firm.email).hex())
    refused = door.sign_in(firm.email, "not the password").problem(429, "too_many_attempts")
    assert 1 <= int(refused.headers["retry-after"]) <= 300
    # Not even the right password tells the guesser anything now.
    door.sign_in(firm.email).problem(429, "too_many_attempts")


def test_guessing_at_an_unknown_address_is_slowed_down_alike(world, door, many_tries):
    email = f"{uuid4()}@harbour.example"
    for _ in range(ADDRESS.free):
        door.sign_in(email, "not the password").problem(401, "sign_in_failed")
    many_tries("address", address_of(world.runtime.settings, email).hex())
    door.sign_in(email, "not the password").problem(429, "too_many_attempts")


def test_guessing_from_one_place_at_many_addresses_is_slowed_down(door, many_tries):
    for n in range(ADDRESS.free):
        door.sign_in(f"n{n}@harbour.example", "not the password", source="203.0.113.20").expect(401)
    for _ in range(3):
        many_tries("network", "203.0.113.20")
    door.sign_in("another@harbour.example", "not the password", source="203.0.113.20").problem(429, "too_many_attempts")


def test_a_right_password_forgives_the_wrong_ones(firm, door):
    for _ in range(2):
        for _ in range(ADDRESS.free - 1):
            door.sign_in(firm.email, "not the password").problem(401, "sign_in_failed")
        door.sign_in(firm.email).expect(200)


def test_guesses_sent_at_once_do_not_slip_through_together(world):
    """Counted before they are made: of forty at the same moment, no more than the free ones get as far as a hash."""
    keys = {uuid4().bytes: LONG}

    def attempt(_: int) -> bool:
        try:
            throttle.take(world.runtime.engine, keys)
            return True
        except TooMany:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(40))) == ADDRESS.free


def test_refused_tries_do_not_lengthen_the_pause(world):
    key = uuid4().bytes
    for _ in range(LONG.free):
        throttle.take(world.runtime.engine, {key: LONG})
    for _ in range(3):
        with pytest.raises(TooMany) as refused:
            throttle.take(world.runtime.engine, {key: LONG})
        assert refused.value.retry_after <= LONG.first.total_seconds()


def test_hashing_never_takes_more_than_its_share():
    """With one slot and a line of one, a third at the same moment is told to come back instead of waiting."""
    hashing, inside = Hashing(1, in_line=1), threading.Event()
    original = hashing._hasher

    class Slow:
        release = threading.Event()

        def verify(self, *arguments):
            inside.set()
            self.release.wait(10)
            return original.verify(*arguments)

    hashing._hasher = slow = Slow()
    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(hashing.fits, None, "x") for _ in range(2)]
        inside.wait(10)
        deadline = time.monotonic() + 10
        while hashing._line._value > 0 and time.monotonic() < deadline:  # until the second stands in line
            time.sleep(0.01)
        with pytest.raises(Unavailable):
            hashing.fits(None, "x")
        slow.release.set()
        assert [r.result() for r in running] == [False, False]


def test_a_try_that_was_never_judged_does_not_count(world):
    of_address, of_network = uuid4().bytes, uuid4().bytes
    for _ in range(ADDRESS.free * 3):
        throttle.take(world.runtime.engine, {of_address: ADDRESS, of_network: ADDRESS})
        throttle.give_back(world.runtime.engine, of_address, of_network)


def test_a_failed_sign_in_is_recorded_where_it_belongs(world, firm, door):
    door.sign_in(firm.email, "not the password", source="203.0.113.77")
    row = [r for r in world.audit(firm.id) if r.action == "sign_in.failed"][-1]
    assert (row.subject_id, row.source) == (firm.owner_id, "203.0.113.77")
    assert "not the password" not in str(row)


# --- a person of two firms ------------------------------------------------------------------------------------------


def test_a_person_of_two_firms_chooses(practice, door):
    one = practice()
    other = practice(one.email)
    choice = door.sign_in(one.email).problem(409, "choose_firm").json
    assert {f["id"] for f in choice["firms"]} == {str(one.id), str(other.id)}
    assert door.sign_in(one.email, firm_id=str(other.id)).expect(200).json["me"]["firm"]["id"] == str(other.id)


def test_the_choice_is_shown_only_for_the_right_password(practice, door):
    one = practice()
    practice(one.email)
    answer = door.sign_in(one.email, "not the password").problem(401, "sign_in_failed")
    assert "firms" not in answer.json


# --- staying signed in ------------------------------------------------------------------------------------------------


def test_a_refresh_gives_new_tokens(world, firm, door):
    first = door.sign_in(firm.email)
    second = door.refresh(door.cookie(first)).expect(200)
    assert door.cookie(second) != door.cookie(first)
    world.anonymous(second.json["access_token"]).get("/me").expect(200)
    door.refresh(door.cookie(second)).expect(200)


def test_two_tabs_that_refresh_at_once_do_not_sign_each_other_out(firm, door):
    shared = door.cookie(door.sign_in(firm.email))
    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(door.refresh, [shared, shared]), key=lambda a: a.status)
    assert [a.status for a in answers] == [200, 409]
    assert answers[1].json["code"] == "refresh_raced"
    door.refresh(door.cookie(answers[0])).expect(200)


def test_a_refresh_token_used_again_ends_the_whole_session(world, firm, door):
    stolen = door.cookie(door.sign_in(firm.email))
    current = door.cookie(door.refresh(stolen).expect(200))
    age_refresh_tokens(world, firm, RACE + timedelta(seconds=1))
    door.refresh(stolen).problem(401, "session_ended")
    door.refresh(current).problem(401, "session_ended")
    revoked = [r for r in world.audit(firm.id) if r.action == "session.revoked"]
    assert [r.reason for r in revoked] == ["reuse"]


def test_reuse_in_one_session_leaves_the_others_alone(world, firm, door):
    phone, stolen = door.cookie(door.sign_in(firm.email)), door.cookie(door.sign_in(firm.email))
    door.refresh(stolen).expect(200)
    age_refresh_tokens(world, firm, RACE + timedelta(seconds=1))
    door.refresh(stolen).problem(401, "session_ended")
    door.refresh(phone).expect(200)


def test_a_refresh_token_unused_for_a_week_is_worth_nothing(world, firm, door):
    token = door.cookie(door.sign_in(firm.email))
    age_refresh_tokens(world, firm, timedelta(days=7, seconds=1))
    door.refresh(token).problem(401, "session_ended")


@pytest.mark.parametrize("token", ["", "x", "A" * 107])
def test_what_is_no_refresh_token_refreshes_nothing(door, token):
    door.refresh(token).problem(401, "session_ended")


def test_a_refresh_token_for_a_firm_that_does_not_exist_leaves_no_trace(world, door):
    from identity.tokens import opaque

    firm = uuid4()
    door.refresh(opaque.new(firm, uuid4()).encode()).problem(401, "session_ended")
    assert firm not in world.runtime.known_firms()


def test_a_refresh_token_with_a_changed_secret_is_refused(firm, door):
    from identity.tokens import opaque

    token = opaque.decode(door.cookie(door.sign_in(firm.email)))
    forged = opaque.Opaque(token.firm_id, token.id, bytes(32)).encode()
    door.refresh(forged).problem(401, "session_ended")
    door.sign_out(forged).expect(204)
    door.refresh(token.encode()).expect(200)


def test_signing_out_ends_the_session_and_clears_the_cookies(world, firm, door):
    token = door.cookie(door.sign_in(firm.email))
    answer = door.sign_out(token).expect(204)
    assert all("Max-Age=0" in c for c in answer.headers.get_list("set-cookie"))
    assert len(answer.headers.get_list("set-cookie")) == 2
    door.refresh(token).problem(401, "session_ended")
    door.sign_out(token).expect(204)
    assert actions(world, firm).count("session.revoked") == 1


def test_each_sign_in_is_a_session_of_its_own(firm, door):
    """No fixation: what a browser brought along is never continued."""
    one = door.cookie(door.sign_in(firm.email))
    other = door.cookie(door.sign_in(firm.email))
    assert one != other
    door.sign_out(one).expect(204)
    door.refresh(other).expect(200)


def test_an_ended_session_is_forgotten_and_its_audit_stays(world, firm, door):
    door.sign_in(firm.email)
    world.run_due(firm.id, at=datetime.now(UTC) + timedelta(days=31))
    with world.uow(firm.id) as uow:
        assert uow.session.execute(text("SELECT count(*) FROM sessions")).scalar() == 0
        assert uow.session.execute(text("SELECT count(*) FROM refresh_tokens")).scalar() == 0
    assert "session.started" in actions(world, firm)


# --- forged tokens ----------------------------------------------------------------------------------------------------


def forged(practice, /, key=None, algorithm="EdDSA", kid="test", **claims) -> str:
    now = datetime.now(UTC)
    body = {
        "iss": "http://praxis.test",
        "aud": "staff",
        "sub": practice.owner_id,
        "firm": str(practice.id),
        "permissions": ["identity:me:read"],
        "iat": now,
        "exp": now + timedelta(minutes=5),
    }
    return jwt.encode(body | claims, key, algorithm=algorithm, headers={"kid": kid})


def test_the_forger_of_this_test_forges_well(world, firm):
    """The refusals below mean something only if the same token, well signed, is taken."""
    world.anonymous(forged(firm, world.keys.private)).get("/me").expect(200)


def test_a_token_without_a_signature_is_refused(world, firm):
    world.anonymous(forged(firm, None, "none")).get("/me").problem(401, "token_invalid")


def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(world, firm):
    import base64
    import hashlib
    import hmac
    import json

    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = world.keys.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    _, payload, _ = forged(firm, world.keys.private).split(".")
    header = (
        base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "typ": "JWT", "kid": "test"}).encode())
        .decode()
        .rstrip("=")
    )
    signature = hmac.digest(public, f"{header}.{payload}".encode(), hashlib.sha256)
    token = f"{header}.{payload}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"
    world.anonymous(token).get("/me").problem(401, "token_invalid")


def test_a_token_of_a_foreign_key_is_refused(world, firm):
    for kid in ("test", "unknown"):
        world.anonymous(forged(firm, Ed25519PrivateKey.generate(), kid=kid)).get("/me").problem(401, "token_invalid")


def test_a_token_of_another_issuer_or_for_several_audiences_is_refused(world, firm):
    for claims in ({"iss": "http://elsewhere.test"}, {"aud": ["staff", "portal"]}, {"aud": "admin"}, {"firm": "all"}):
        world.anonymous(forged(firm, world.keys.private, **claims)).get("/me").problem(401, "token_invalid")


def test_an_expired_token_is_refused(world, firm):
    past = datetime.now(UTC) - timedelta(minutes=5)
    world.anonymous(forged(firm, world.keys.private, exp=past)).get("/me").problem(401, "token_expired")


@pytest.mark.parametrize("audience", ["portal", "partner"])
def test_audiences_do_not_stand_in_for_each_other(world, firm, audience):
    token = forged(firm, world.keys.private, aud=audience)
    world.anonymous(token).get("/me").problem(403, "audience_not_allowed")


def test_a_portal_token_opens_nothing_of_staff(world, firm):
    token = world.portal_token(firm.id, [uuid4()])
    for path in ("/me", "/firm", "/staff", "/api-clients"):
        assert world.anonymous(token).get(path).status == 403


def test_the_principal_of_a_session_is_the_member_of_staff(world, firm):
    principal: Principal = world.runtime.verifier.verify(firm.owner.token)
    assert (principal.kind, principal.id, principal.firm_id) == ("staff", firm.owner_id, firm.id)


# --- a forgotten password -------------------------------------------------------------------------------------------


def test_asking_for_a_new_password_tells_nobody_who_has_an_account(world, firm):
    known = world.anonymous().post("/password-resets", {"email": firm.email}).expect(202)
    unknown = world.anonymous().post("/password-resets", {"email": f"{uuid4()}@harbour.example"}).expect(202)
    assert (known.response.content, known.headers) == (unknown.response.content, unknown.headers)


def test_asking_for_new_passwords_is_slowed_down(world, firm, many_tries):
    for _ in range(ADDRESS.free):
        world.anonymous().post("/password-resets", {"email": firm.email}).expect(202)
    many_tries("reset", address_of(world.runtime.settings, firm.email).hex())
    world.anonymous().post("/password-resets", {"email": firm.email}).problem(429, "too_many_attempts")


def test_a_mailed_link_sets_a_new_password_once_and_ends_all_sessions(world, firm, door, mailbox):
    session = door.cookie(door.sign_in(firm.email))
    world.anonymous().post("/password-resets", {"email": firm.email}).expect(202)
    world.run_due(firm.id)
    token = mailbox.token_for(firm.email)
    new = {"token": token, "password": "seven herons cross the ferry"}
    world.anonymous().post("/password-resets/complete", new).expect(204)
    door.refresh(session).problem(401, "session_ended")
    door.sign_in(firm.email).problem(401, "sign_in_failed")
    door.sign_in(firm.email, "seven herons cross the ferry").expect(200)
    world.anonymous().post("/password-resets/complete", new).problem(404, "reset_invalid")
    assert "password.changed" in actions(world, firm)


def test_a_weak_new_password_is_refused_and_the_link_goes_on_working(world, firm, mailbox):
    world.anonymous().post("/password-resets", {"email": firm.email}).expect(202)
    world.run_due(firm.id)
    token = mailbox.token_for(firm.email)
    answer = world.anonymous().post("/password-resets/complete", {"token": token, "password": "passwordpassword"})
    assert answer.problem(422, "password_weak").json["pointer"] == "/password"
    world.anonymous().post("/password-resets/complete", {"token": token, "password": PASSWORD + "!"}).expect(204)


@pytest.mark.parametrize("token", ["x", "A" * 86, "A" * 107])
def test_an_invented_reset_token_does_nothing(world, token):
    body = {"token": token, "password": PASSWORD}
    world.anonymous().post("/password-resets/complete", body).problem(404, "reset_invalid")


def test_an_old_reset_token_does_nothing(world, firm, mailbox):
    world.anonymous().post("/password-resets", {"email": firm.email}).expect(202)
    world.run_due(firm.id)
    with world.uow(firm.id) as uow:
        uow.session.execute(text("UPDATE password_resets SET expires_at = now()"))
    body = {"token": mailbox.token_for(firm.email), "password": PASSWORD}
    world.anonymous().post("/password-resets/complete", body).problem(404, "reset_invalid")
