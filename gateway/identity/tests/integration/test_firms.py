"""Setting up firms and changing their settings."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from chassis.testing import drop_database, make_world
from identity.app import service
from identity.commands import create_firm, setup_token
from identity.firms.usecases import make_setup_token
from praxis.identity.v1.events_pb2 import FirmUpdated, StaffChanged

PASSWORD = "violet teapot under the stairs"
FIRM = {"name": "Harbour & Finch", "time_zone": "Europe/London", "currency": "GBP", "country": "GB"}


def set_up(token: str, *, email: str | None = None, **firm) -> dict:
    owner = {"name": "Grace Harbour", "email": email or f"{uuid4()}@harbour.example", "password": PASSWORD}
    return {"token": token, "firm": FIRM | firm, "owner": owner}


def post(world, body):
    return world.anonymous().post("/setup", body, headers={"x-praxis-source": str(uuid4())})


def firms(world) -> int:
    with world.runtime.engine.connect() as connection:
        return connection.execute(text("SELECT count(DISTINCT firm_id) FROM sign_in_addresses")).scalar()


@pytest.fixture
def empty(world):
    """An installation without a firm."""
    made = make_world(
        service,
        signing_key_file=world.runtime.settings.signing_key_file,
        field_key=world.runtime.settings.field_key,
        setup_token="the-installations-own-token",
    )
    made.runtime.keys = world.runtime.keys
    yield made
    made.close()
    drop_database(made.runtime.settings.database_url)


# --- setting up -------------------------------------------------------------------------------------------------------


def test_a_token_of_the_operator_sets_up_a_firm_whose_owner_can_sign_in(world, door):
    body = set_up(make_setup_token(world.runtime))
    firm = post(world, body).expect(201).json
    assert firm == FIRM | {
        "id": firm["id"],
        "holidays_region": "",
        "language": "en",
        "week_start": 1,
        "quiet_from": "20:00",
        "quiet_until": "07:00",
        "version": 1,
    }
    me = door.sign_in(body["owner"]["email"]).expect(200).json["me"]
    assert (me["roles"], me["grade"], me["firm"]) == (["owner"], "partner", firm)


def test_a_new_firm_and_its_owner_are_announced(world):
    firm = post(world, set_up(make_setup_token(world.runtime))).expect(201).json
    updated, staff = world.events(UUID(firm["id"]))
    assert isinstance(updated, FirmUpdated)
    assert (updated.firm_id, updated.time_zone, updated.version) == (firm["id"], "Europe/London", 1)
    assert isinstance(staff, StaffChanged)
    assert (list(staff.roles), staff.active, staff.weekly_capacity_minutes) == (["owner"], True, 2250)
    assert [r.action for r in world.audit(UUID(firm["id"]))] == ["firm.set_up", "staff.joined"]


def test_a_setup_token_works_once(world):
    token = make_setup_token(world.runtime)
    post(world, set_up(token)).expect(201)
    before = firms(world)
    post(world, set_up(token)).problem(403, "setup_token_refused")
    assert firms(world) == before


def test_a_setup_token_sent_twice_at_once_sets_up_one_firm(world):
    token, before = make_setup_token(world.runtime), firms(world)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: post(world, set_up(token)).status, range(4)))
    assert sorted(answers) == [201, 403, 403, 403]
    assert firms(world) == before + 1


def test_an_invented_or_old_setup_token_is_refused(world):
    old = make_setup_token(world.runtime)
    with world.runtime.engine.begin() as connection:
        connection.execute(text("UPDATE setup_tokens SET expires_at = now() WHERE used_at IS NULL"))
    for token in ("x", "A" * 32, old):
        post(world, set_up(token)).problem(403, "setup_token_refused")


def test_guessing_setup_tokens_is_slowed_down(world):
    answers = [
        world.anonymous().post("/setup", set_up("guess"), headers={"x-praxis-source": "203.0.113.9"}).status
        for _ in range(51)
    ]
    assert answers == [403] * 50 + [429]


def test_setting_up_many_firms_is_no_guessing(world):
    source = {"x-praxis-source": "203.0.113.10"}
    for _ in range(49):
        world.anonymous().post("/setup", set_up("guess"), headers=source).problem(403, "setup_token_refused")
    for _ in range(2):
        world.anonymous().post("/setup", set_up(make_setup_token(world.runtime)), headers=source).expect(201)


def test_the_installations_own_token_sets_up_the_first_firm_and_no_other(empty):
    assert empty.anonymous().get("/setup").json == {"needed": True}
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: post(empty, set_up("the-installations-own-token")).status, range(2)))
    assert sorted(answers) == [201, 403]
    assert empty.anonymous().get("/setup").json == {"needed": False}
    post(empty, set_up("the-installations-own-token")).problem(403, "setup_token_refused")


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"time_zone": "Europe/Atlantis"}, "time_zone_unknown", "/firm/time_zone"),
        ({"currency": "XQZ"}, "currency_unknown", "/firm/currency"),
        ({"country": "XQ"}, "country_unknown", "/firm/country"),
        ({"holidays_region": "BY"}, "region_unknown", "/firm/holidays_region"),
    ],
)
def test_a_firm_with_impossible_settings_is_refused_and_its_token_stays_good(world, change, code, pointer):
    token = make_setup_token(world.runtime)
    assert post(world, set_up(token, **change)).problem(422, code).json["pointer"] == pointer
    post(world, set_up(token)).expect(201)


def test_a_guessable_password_or_impossible_address_is_refused(world):
    token = make_setup_token(world.runtime)
    body = set_up(token)
    body["owner"]["password"] = "passwordpassword"
    assert post(world, body).problem(422, "password_weak").json["pointer"] == "/owner/password"
    body = set_up(token, email="nobody@nowhere")
    assert post(world, body).status in (400, 422)


def test_unknown_fields_are_refused(world):
    post(world, set_up("x", plan="gold")).problem(400, "request_invalid")


def test_an_owner_known_here_already_gives_the_password_they_have(world, firm, door):
    body = set_up(make_setup_token(world.runtime), email=firm.email)
    body["owner"]["password"] = "somebody elses good password"
    post(world, body).problem(401, "sign_in_failed")
    body["owner"]["password"] = PASSWORD
    second = post(world, body).expect(201).json
    door.sign_in(firm.email, firm_id=second["id"]).expect(200)


def test_the_operator_sets_up_a_firm_on_the_command_line(world, door):
    email, settings = f"{uuid4()}@harbour.example", world.runtime.settings
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "identity",
            "create-firm",
            "--name",
            "Finch LLP",
            "--email",
            email,
            "--owner",
            "Ada Finch",
        ],
        env=os.environ | {"PRAXIS_DATABASE_URL": settings.database_url, "PRAXIS_FIELD_KEY": settings.field_key},
        input=PASSWORD + "\n",
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert done.returncode == 0, done.stderr
    me = door.sign_in(email).expect(200).json["me"]
    assert (me["firm"]["id"], me["firm"]["name"], me["name"]) == (done.stdout.strip(), "Finch LLP", "Ada Finch")


def test_the_command_says_what_is_wrong_and_makes_nothing(world, monkeypatch):
    before = firms(world)
    monkeypatch.setenv("PRAXIS_OWNER_PASSWORD", "short")
    with pytest.raises(SystemExit, match=r"^password_weak: "):
        create_firm(world.runtime, ["--name", "Finch LLP", "--email", "a@harbour.example"])
    assert firms(world) == before


def test_the_command_prints_a_setup_token_that_works(world, capsys):
    setup_token(world.runtime, [])
    post(world, set_up(capsys.readouterr().out.strip())).expect(201)


# --- settings ---------------------------------------------------------------------------------------------------------


def test_changed_settings_are_kept_announced_and_audited(world, firm):
    answer = firm.owner.patch("/firm", {"week_start": 7, "time_zone": "Asia/Tokyo"}, if_match=1).expect(200)
    assert answer.etag == '"2"'
    assert firm.owner.get("/firm").json == answer.json
    assert answer.json["week_start"] == 7
    last = world.events(firm.id, FirmUpdated)[-1]
    assert (last.week_start, last.time_zone, last.version) == (7, "Asia/Tokyo", 2)
    row = [r for r in world.audit(firm.id) if r.action == "firm.changed"][-1]
    assert (row.before["time_zone"], row.after["time_zone"], row.actor) == (
        "Europe/London",
        "Asia/Tokyo",
        f"staff:{firm.owner_id}",
    )


def test_a_lost_update_of_the_firm_is_refused(firm):
    firm.owner.patch("/firm", {"week_start": 7}, if_match=1).expect(200)
    firm.owner.patch("/firm", {"week_start": 2}, if_match=1).problem(412, "version_conflict")
    firm.owner.patch("/firm", {"week_start": 2}).problem(428, "if_match_required")
    assert firm.owner.get("/firm").json["week_start"] == 7


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"time_zone": "Mars/Olympus"}, 422),
        ({"holidays_region": "BY"}, 422),
        ({"week_start": 8}, 400),
        ({"quiet_from": "25:00"}, 400),
        ({"name": "   "}, 400),
        ({"id": str(uuid4())}, 400),
        ({"version": 9}, 400),
        ({}, 400),
    ],
)
def test_impossible_settings_change_nothing(world, firm, change, status):
    before = firm.owner.get("/firm").json
    firm.owner.patch("/firm", change, if_match=1).expect(status)
    assert firm.owner.get("/firm").json == before
    assert len(world.events(firm.id, FirmUpdated)) == 1


def test_a_change_that_changes_nothing_is_announced_to_nobody(world, firm):
    assert firm.owner.patch("/firm", {"week_start": 1}, if_match=1).expect(200).json["version"] == 1
    assert len(world.events(firm.id, FirmUpdated)) == 1


def test_who_may_not_change_settings_is_told_so(world, firm):
    reader = world.api(firm.id, permissions=["identity:firm:read"])
    assert (
        reader.patch("/firm", {"week_start": 7}, if_match=1).problem(403, "permission_missing").json["permission"]
        == "identity:firm:write"
    )


def test_each_firm_sees_itself_only(practice):
    one, other = practice(), practice()
    assert one.owner.get("/firm").json["id"] == str(one.id)
    assert other.owner.get("/firm").json["id"] == str(other.id)


def test_a_firm_not_set_up_here_is_not_found(world):
    world.api(world.firm()).get("/firm").problem(404, "firm_not_found")
