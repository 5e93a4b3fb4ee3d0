"""Staff: inviting, changing, ending access."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from praxis.identity.v1.events_pb2 import StaffChanged

PASSWORD = "violet teapot under the stairs"


def person(**more) -> dict:
    return {"name": "Ada Finch", "email": f"{uuid4()}@harbour.example", "roles": ["staff"], "grade": "senior"} | more


@pytest.fixture
def joined(world, mailbox, door):
    """Invites somebody, lets them accept, signs them in."""

    def make(firm, **more):
        staff = firm.owner.post("/staff", person(**more)).expect(201).json
        world.run_due(firm.id)
        body = {"token": mailbox.token_for(staff["email"]), "password": PASSWORD}
        world.anonymous().post("/invitations/accept", body).expect(200)
        return staff, world.anonymous(
            door.sign_in(staff["email"], firm_id=str(firm.id)).expect(200).json["access_token"]
        )

    return make


def last_staff_event(world, firm) -> StaffChanged:
    return world.events(firm.id, StaffChanged)[-1]


# --- inviting ---------------------------------------------------------------------------------------------------------


def test_an_invited_person_sets_a_password_and_works(world, firm, mailbox, door):
    staff = firm.owner.post("/staff", person(skills=["VAT"], weekly_capacity_minutes=1800)).expect(201).json
    assert (staff["status"], staff["active"], staff["last_sign_in_at"]) == ("invited", True, None)
    world.run_due(firm.id)
    [message] = mailbox.to(staff["email"])
    assert firm.name in message["subject"]
    token = mailbox.token_for(staff["email"])
    assert world.anonymous().post("/invitations/look-up", {"token": token}).expect(200).json == {
        "firm": {"id": str(firm.id), "name": firm.name},
        "name": "Ada Finch",
        "email": staff["email"],
        "has_password": False,
    }
    world.anonymous().post("/invitations/accept", {"token": token, "password": PASSWORD}).expect(200)
    me = door.sign_in(staff["email"]).expect(200).json["me"]
    assert (me["id"], me["roles"], me["grade"]) == (staff["id"], ["staff"], "senior")
    now = firm.owner.get(f"/staff/{staff['id']}").json
    assert now["status"] == "active"
    assert now["last_sign_in_at"] is not None
    assert [r.action for r in world.audit(firm.id) if r.subject_id == staff["id"]] == [
        "staff.invited",
        "invitation.mailed",
        "staff.joined",
    ]


def test_whoever_has_not_accepted_cannot_sign_in(firm, door):
    staff = firm.owner.post("/staff", person()).expect(201).json
    door.sign_in(staff["email"], "").expect(400)
    door.sign_in(staff["email"]).problem(401, "sign_in_failed")


def test_staff_changes_are_announced_with_their_versions(world, firm):
    staff = firm.owner.post("/staff", person(skills=["VAT"])).expect(201).json
    event = last_staff_event(world, firm)
    assert (event.staff_id, event.email, list(event.roles), event.grade) == (
        staff["id"],
        staff["email"],
        ["staff"],
        "senior",
    )
    assert (list(event.skills), event.active, event.version) == (["VAT"], True, 1)


def test_an_invitation_works_once(world, firm, mailbox):
    staff = firm.owner.post("/staff", person()).expect(201).json
    world.run_due(firm.id)
    body = {"token": mailbox.token_for(staff["email"]), "password": PASSWORD}
    with ThreadPoolExecutor(2) as pool:
        answers = pool.map(lambda _: world.anonymous().post("/invitations/accept", body).status, range(2))
    assert sorted(answers) == [200, 404]
    world.anonymous().post("/invitations/accept", body).problem(404, "invitation_invalid")


def test_a_new_invitation_makes_the_earlier_one_void(world, firm, mailbox):
    staff = firm.owner.post("/staff", person()).expect(201).json
    world.run_due(firm.id)
    first = mailbox.token_for(staff["email"])
    firm.owner.post(f"/staff/{staff['id']}/invite").expect(200)
    world.run_due(firm.id)
    second = mailbox.token_for(staff["email"])
    assert first != second
    world.anonymous().post("/invitations/look-up", {"token": first}).problem(404, "invitation_invalid")
    world.anonymous().post("/invitations/look-up", {"token": second}).expect(200)


def test_an_invitation_is_good_for_seven_days(world, firm, mailbox):
    staff = firm.owner.post("/staff", person()).expect(201).json
    world.run_due(firm.id)
    with world.uow(firm.id) as uow:
        uow.session.execute(text("UPDATE invitations SET expires_at = expires_at - :week"), {"week": timedelta(days=7)})
    body = {"token": mailbox.token_for(staff["email"]), "password": PASSWORD}
    world.anonymous().post("/invitations/accept", body).problem(404, "invitation_invalid")


@pytest.mark.parametrize("token", ["x", "A" * 107])
def test_an_invented_invitation_is_none(world, token):
    world.anonymous().post("/invitations/look-up", {"token": token}).problem(404, "invitation_invalid")
    world.anonymous().post("/invitations/accept", {"token": token, "password": PASSWORD}).problem(
        404, "invitation_invalid"
    )


def test_a_guessable_password_is_refused_and_the_invitation_stays_good(world, firm, mailbox):
    staff = firm.owner.post("/staff", person()).expect(201).json
    world.run_due(firm.id)
    token = mailbox.token_for(staff["email"])
    for weak in ("short", "passwordpassword", staff["email"]):
        world.anonymous().post("/invitations/accept", {"token": token, "password": weak}).problem(422, "password_weak")
    world.anonymous().post("/invitations/accept", {"token": token, "password": PASSWORD}).expect(200)


def test_a_mail_that_could_not_be_sent_is_sent_later_with_the_same_link(world, firm, mailbox):
    mailbox.refusing = True
    try:
        staff = firm.owner.post("/staff", person()).expect(201).json
        world.run_due(firm.id)
        assert mailbox.to(staff["email"]) == []
    finally:
        mailbox.refusing = False
    [due] = [d for d in world.due(firm.id) if d.kind == "mail_invitation"]
    assert due.done_at is None
    world.run_due(firm.id, at=due.run_at)
    assert len(mailbox.to(staff["email"])) == 1


def test_somebody_known_to_another_firm_joins_with_the_password_they_have(world, practice, mailbox, door):
    one, other = practice(), practice()
    other.owner.post("/staff", person(email=one.email)).expect(201)
    world.run_due(other.id)
    token = mailbox.token_for(one.email)
    assert world.anonymous().post("/invitations/look-up", {"token": token}).json["has_password"] is True
    wrong = {"token": token, "password": "a good password but not theirs"}
    world.anonymous().post("/invitations/accept", wrong).problem(401, "sign_in_failed")
    door.sign_in(one.email, firm_id=str(other.id)).problem(401, "sign_in_failed")
    world.anonymous().post("/invitations/accept", {"token": token, "password": PASSWORD}).expect(200)
    door.sign_in(one.email).problem(409, "choose_firm")
    door.sign_in(one.email, firm_id=str(other.id)).expect(200)


def test_an_address_is_taken_once_per_firm(practice):
    one, other = practice(), practice()
    somebody = person()
    one.owner.post("/staff", somebody).expect(201)
    one.owner.post("/staff", somebody | {"email": somebody["email"].upper()}).problem(409, "staff_email_taken")
    other.owner.post("/staff", somebody).expect(201)


def test_a_double_click_invites_once(world, firm, mailbox):
    somebody = person()
    first = firm.owner.post("/staff", somebody, key="click").expect(201)
    assert firm.owner.post("/staff", somebody, key="click").expect(201).json == first.json
    world.run_due(firm.id)
    assert len(mailbox.to(somebody["email"])) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "no address"},
        {"email": "a@localhost@b"},
        {"roles": []},
        {"roles": ["god"]},
        {"roles": ["staff", "staff"]},
        {"grade": "chief"},
        {"weekly_capacity_minutes": -1},
        {"weekly_capacity_minutes": 10081},
        {"name": " "},
        {"active": True},
        {"permissions": ["identity:firm:write"]},
    ],
)
def test_a_malformed_invitation_invites_nobody(world, firm, wrong):
    assert firm.owner.post("/staff", person(**wrong)).status in (400, 422)
    assert len(firm.owner.get("/staff").json["items"]) == 1
    assert len(world.events(firm.id, StaffChanged)) == 1


def test_names_cannot_smuggle_headers_into_the_mail(world, firm, mailbox):
    staff = firm.owner.post("/staff", person(name="Eve\r\nBcc: all@harbour.example")).expect(201).json
    world.run_due(firm.id)
    for message in mailbox.to(staff["email"]):
        assert message["bcc"] is None


# --- changing ---------------------------------------------------------------------------------------------------------


def test_a_change_of_roles_counts_from_the_next_token_on(world, firm, joined, door):
    staff, api = joined(firm)
    api.patch("/firm", {"week_start": 7}, if_match=1).problem(403, "permission_missing")
    firm.owner.patch(f"/staff/{staff['id']}", {"roles": ["partner"], "grade": "partner"}, if_match=2).expect(200)
    token = door.refresh(door.cookie(door.sign_in(staff["email"]))).json["access_token"]
    world.anonymous(token).patch("/firm", {"week_start": 7}, if_match=1).expect(200)
    event = last_staff_event(world, firm)
    assert (list(event.roles), event.grade, event.version) == (["partner"], "partner", 3)


def test_only_an_owner_makes_an_owner(firm, joined):
    _, partner = joined(firm, roles=["partner"])
    partner.post("/staff", person(roles=["owner"])).problem(403, "owner_needed")
    mine = partner.get("/me").json["id"]
    version = partner.get(f"/staff/{mine}").json["version"]
    partner.patch(f"/staff/{mine}", {"roles": ["owner"]}, if_match=version).problem(403, "owner_needed")
    partner.post("/staff", person(roles=["manager"])).expect(201)


def test_an_old_token_of_a_former_owner_makes_no_owner(firm, joined):
    staff, former = joined(firm, roles=["owner"])
    version = firm.owner.get(f"/staff/{staff['id']}").json["version"]
    firm.owner.patch(f"/staff/{staff['id']}", {"roles": ["staff"]}, if_match=version).expect(200)
    former.post("/staff", person(roles=["owner"])).problem(403, "owner_needed")


def test_a_partner_system_makes_no_owner(world, firm):
    system = world.api(firm.id, audience="partner", permissions=["identity:staff:write"])
    system.post("/staff", person(roles=["owner"])).problem(403, "owner_needed")
    system.post("/staff", person()).expect(201)


def test_the_last_owner_stays_one(world, firm):
    path = f"/staff/{firm.owner_id}"
    firm.owner.patch(path, {"roles": ["staff"]}, if_match=1).problem(409, "last_owner")
    firm.owner.post(f"{path}/deactivate").problem(409, "own_account")
    assert firm.owner.get(path).json["roles"] == ["owner"]


def test_an_owner_who_has_not_joined_does_not_count_as_one(firm):
    firm.owner.post("/staff", person(roles=["owner"])).expect(201)
    firm.owner.patch(f"/staff/{firm.owner_id}", {"roles": ["staff"]}, if_match=1).problem(409, "last_owner")


def test_two_owners_cannot_unmake_each_other_at_once(firm, joined):
    staff, other = joined(firm, roles=["owner"])
    versions = {i: firm.owner.get(f"/staff/{i}").json["version"] for i in (firm.owner_id, staff["id"])}

    def unmake(pair):
        api, id = pair
        return api.patch(f"/staff/{id}", {"roles": ["partner"]}, if_match=versions[id]).status

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(unmake, [(firm.owner, staff["id"]), (other, firm.owner_id)]))
    assert answers.count(200) == 1
    owners = [s for s in firm.owner.get("/staff").json["items"] if "owner" in s["roles"]]
    assert len(owners) == 1


def test_a_lost_update_of_staff_is_refused(firm):
    staff = firm.owner.post("/staff", person()).expect(201).json
    firm.owner.patch(f"/staff/{staff['id']}", {"grade": "junior"}, if_match=1).expect(200)
    firm.owner.patch(f"/staff/{staff['id']}", {"grade": "manager"}, if_match=1).problem(412, "version_conflict")


def test_an_address_is_not_changed(firm):
    firm.owner.patch(f"/staff/{firm.owner_id}", {"email": "x@y.example"}, if_match=1).problem(400, "request_invalid")


# --- ending access ----------------------------------------------------------------------------------------------------


def test_ended_access_ends_sessions_and_sign_in_and_can_be_given_again(world, firm, joined, door):
    staff, _ = joined(firm)
    session = door.cookie(door.sign_in(staff["email"]))
    ended = firm.owner.post(f"/staff/{staff['id']}/deactivate").expect(200).json
    assert (ended["status"], ended["active"]) == ("deactivated", False)
    assert last_staff_event(world, firm).active is False
    door.refresh(session).problem(401, "session_ended")
    door.sign_in(staff["email"]).problem(401, "sign_in_failed")
    firm.owner.post(f"/staff/{staff['id']}/deactivate").expect(200)
    firm.owner.post(f"/staff/{staff['id']}/reactivate").expect(200)
    assert last_staff_event(world, firm).active is True
    door.sign_in(staff["email"]).expect(200)
    door.refresh(session).problem(401, "session_ended")


def test_ended_access_makes_an_open_invitation_void(world, firm, mailbox):
    staff = firm.owner.post("/staff", person()).expect(201).json
    world.run_due(firm.id)
    firm.owner.post(f"/staff/{staff['id']}/deactivate").expect(200)
    body = {"token": mailbox.token_for(staff["email"]), "password": PASSWORD}
    world.anonymous().post("/invitations/accept", body).problem(404, "invitation_invalid")
    firm.owner.post(f"/staff/{staff['id']}/invite").problem(409, "staff_deactivated")


def test_a_partner_does_not_end_an_owners_access(firm, joined):
    _, partner = joined(firm, roles=["partner"])
    partner.post(f"/staff/{firm.owner_id}/deactivate").problem(403, "owner_needed")


def test_a_former_owner_is_made_one_again_by_owners_only(firm, joined):
    staff, _ = joined(firm, roles=["owner"])
    _, partner = joined(firm, roles=["partner"])
    firm.owner.post(f"/staff/{staff['id']}/deactivate").expect(200)
    partner.post(f"/staff/{staff['id']}/reactivate").problem(403, "owner_needed")
    firm.owner.post(f"/staff/{staff['id']}/reactivate").expect(200)


def test_whoever_joined_is_not_invited_again(firm, joined):
    staff, _ = joined(firm)
    firm.owner.post(f"/staff/{staff['id']}/invite").problem(409, "staff_already_joined")


# --- lists, and strangers ---------------------------------------------------------------------------------------------


def test_staff_are_listed_by_name_in_pages(firm):
    names = sorted(["Zoe", "Ada", "Mia", "Grace Harbour"])
    ended = firm.owner.post("/staff", person(name="Zoe")).json["id"]
    for name in ("Ada", "Mia"):
        firm.owner.post("/staff", person(name=name)).expect(201)
    firm.owner.post(f"/staff/{ended}/deactivate").expect(200)
    seen, cursor = [], None
    while True:
        page = firm.owner.get("/staff", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).expect(200).json
        seen += [s["name"] for s in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == names
    assert [s["name"] for s in firm.owner.get("/staff", params={"active": False}).json["items"]] == ["Zoe"]
    assert "Zoe" not in [s["name"] for s in firm.owner.get("/staff", params={"active": True}).json["items"]]


def test_staff_as_csv(firm):
    firm.owner.post("/staff", person(name="=HYPERLINK(1)")).expect(201)
    lines = firm.owner.get("/staff", headers={"accept": "text/csv"}).expect(200).response.text.splitlines()
    assert len(lines) == 3
    assert "'=HYPERLINK(1)" in lines[1]


def test_a_strangers_staff_is_not_found(practice):
    one, other = practice(), practice()
    path = f"/staff/{one.owner_id}"
    other.owner.get(path).problem(404, "staff_not_found")
    other.owner.patch(path, {"grade": "junior"}, if_match=1).problem(404, "staff_not_found")
    for act in ("invite", "deactivate", "reactivate"):
        other.owner.post(f"{path}/{act}").problem(404, "staff_not_found")
    assert [s["id"] for s in other.owner.get("/staff").json["items"]] == [other.owner_id]


def test_permissions_are_listed_with_their_roles(firm):
    items = {p["name"]: p for p in firm.owner.get("/permissions").expect(200).json["items"]}
    assert items["identity:firm:write"]["roles"] == ["owner", "partner"]
    assert items["portal:self"]["roles"] == []


def test_current_state_can_be_sent_again(world, firm):
    from identity.firms.usecases import all_firm_states
    from identity.staff.queries import all_staff_states

    firm.owner.post("/staff", person()).expect(201)
    with world.uow(firm.id) as uow:
        assert [(id, version) for id, version, _ in all_firm_states(uow)] == [(firm.id, 1)]
        states = all_staff_states(uow)
    assert UUID(firm.owner_id) in [id for id, _, _ in states]
    assert {e.staff_id for _, _, e in states} == {e.staff_id for e in world.events(firm.id, StaffChanged)}
