"""Coming in by a mailed code, staying in, going out; and what strangers try."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from chassis.errors import Unavailable
from chassis.testing import World
from portal.sessions.rules import CODE_TRIES

from .conftest import Browser, Firm, Mailbox


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_a_contact_signs_in_by_a_mailed_code(firm: Firm) -> None:
    browser = firm.browser()
    answer = browser.get("/portal")
    assert (answer.status_code, answer.headers["location"]) == (303, "/portal/sign-in?back=/portal")
    browser.follow(answer)
    page = browser.follow(browser.post("/portal/sign-in", {"email": f" {firm.email.upper()} "}))
    assert "six digits" in page.text
    code = firm.code()
    message = firm.mailbox.to(firm.email)[-1]
    assert message["From"] == "Hartley & Moss <portal@praxis.test>"
    assert message["Message-ID"].startswith("<code-")
    assert "Hartley" in message.get_body(("plain",)).get_content()
    assert code[:3] in message.get_body(("html",)).get_content()

    home = browser.follow(browser.post(page.url.path, {"code": f"{code[:3]} {code[3:]}"}))
    assert "Nothing to do" in home.text
    assert set(browser.cookies) == {"__Host-praxis-portal", "__Host-praxis-portal-device"}
    assert home.headers["cache-control"] == "no-store"
    assert [a.action for a in firm.world.audit(firm.id)][-1] == "contact.signed_in"
    users = firm.api.get("/users").expect(200).json["items"]
    assert users[0]["last_seen_at"] is not None


def test_an_unknown_address_gets_the_same_answer_and_no_mail(firm: Firm) -> None:
    before = len(firm.mailbox.messages)
    pages = []
    for email in (firm.email, "nobody@example.com"):
        browser = firm.browser()
        browser.get("/portal/sign-in")
        answer = browser.post("/portal/sign-in", {"email": email})
        path = answer.headers["location"]
        pages.append((answer.status_code, path.rsplit("/", 1)[0], browser.follow(answer).text.replace(path, "")))
    assert pages[0] == pages[1]
    firm.world.run_due(firm.id)
    firm.world.run_due(UUID(int=0))
    assert [m["To"] for m in firm.mailbox.messages[before:]] == [f"Ada Lovelace <{firm.email}>"]


def test_a_wrong_code_is_refused_and_five_of_them_end_it(firm: Firm) -> None:
    browser = firm.browser()
    browser.get("/portal/sign-in")
    page = browser.follow(browser.post("/portal/sign-in", {"email": firm.email}))
    code = firm.code()
    for left in range(CODE_TRIES - 1, 0, -1):
        answer = browser.post(page.url.path, {"code": wrong(code)})
        assert answer.status_code == 401
        assert f"{left} {'try' if left == 1 else 'tries'} left" in answer.text
    assert "Ask for a new one" in browser.post(page.url.path, {"code": wrong(code)}).text
    right = browser.post(page.url.path, {"code": code})
    assert right.status_code == 401
    assert "no longer works" in right.text
    assert browser.cookies == {}


def test_an_expired_code_is_refused(firm: Firm) -> None:
    browser = firm.browser()
    browser.get("/portal/sign-in")
    page = browser.follow(browser.post("/portal/sign-in", {"email": firm.email}))
    code = firm.code()
    with firm.world.uow(firm.id) as uow:
        uow.session.execute(
            text("UPDATE sign_ins SET expires_at = now() - interval '1 second' WHERE id = :id"),
            {"id": page.url.path.rsplit("/", 1)[1]},
        )
    answer = browser.post(page.url.path, {"code": code})
    assert answer.status_code == 401
    assert "no longer works" in answer.text
    problem = browser.post(page.url.path, {"code": code}, accept="application/json")
    assert (problem.headers["content-type"], problem.json()["code"]) == ("application/problem+json", "code_expired")
    assert browser.cookies == {}
    assert "contact.signed_in" not in [a.action for a in firm.world.audit(firm.id)]


def test_a_code_works_once(firm: Firm) -> None:
    browser = firm.browser()
    browser.get("/portal/sign-in")
    page = browser.follow(browser.post("/portal/sign-in", {"email": firm.email}))
    code = firm.code()
    assert browser.post(page.url.path, {"code": code}).status_code == 303
    assert Browser(firm.world, "192.0.2.200").post(page.url.path, {"code": code}).status_code == 401


def test_a_code_is_not_used_up_while_identity_is_away(firm: Firm) -> None:
    def away(_asked: object) -> None:
        raise Unavailable("identity_unavailable", "Away.")

    firm.world.answers("identity", {"IssuePortalToken": away})
    browser = firm.browser()
    browser.get("/portal/sign-in")
    page = browser.follow(browser.post("/portal/sign-in", {"email": firm.email}))
    code = firm.code()
    for _ in range(CODE_TRIES + 1):
        assert browser.post(page.url.path, {"code": code}).status_code == 503
        firm.world.runtime.channels._breakers.clear()
    firm.world.answers("identity", {"IssuePortalToken": firm._token})
    assert browser.post(page.url.path, {"code": code}).status_code == 303
    assert browser.post(page.url.path, {"code": code}).status_code == 401


def test_codes_for_one_address_are_throttled_before_any_work(firm: Firm) -> None:
    answers = []
    for _ in range(6):
        browser = firm.browser()  # another network each time
        browser.get("/portal/sign-in")
        answers.append(browser.post("/portal/sign-in", {"email": firm.email}))
    assert [a.status_code for a in answers] == [303] * 5 + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
    planned = [d for d in firm.world.due(firm.id) if d.kind == "mail_code"]
    assert len(planned) == 5


def test_nonsense_for_an_address_is_refused(firm: Firm) -> None:
    browser = firm.browser()
    browser.get("/portal/sign-in")
    answer = browser.post("/portal/sign-in", {"email": "ada"})
    assert answer.status_code == 422
    assert 'value="ada"' in answer.text
    assert browser.post(f"/portal/sign-in/{uuid4()}", {"code": "123456"}).status_code == 401


def test_somebody_known_to_two_firms_chooses_after_the_code(world: World, mailbox: Mailbox, firm: Firm) -> None:
    other = Firm(world, mailbox)
    other.add_contact("A. Lovelace", firm.email, [other.client])
    browser = firm.browser()
    browser.get("/portal/sign-in")
    page = browser.follow(browser.post("/portal/sign-in", {"email": firm.email}))
    firm.world.run_due(firm.id)
    code = other.code(firm.email)
    assert "Hartley" not in mailbox.to(firm.email)[-1].get_body(("plain",)).get_content()
    choice = browser.post(page.url.path, {"code": code})
    assert choice.status_code == 200
    assert "as Ada Lovelace" in choice.text
    assert "as A. Lovelace" in choice.text
    assert browser.cookies == {}

    contact = f"{firm.id}:{firm.contact}"
    thief = Browser(world, "192.0.2.201")
    assert thief.post(f"{page.url.path}/firm", {"home": contact, "secret": "guess"}).status_code == 401
    assert thief.cookies == {}
    home = browser.follow(browser.post(f"{page.url.path}/firm", {"home": contact}))
    assert home.status_code == 200
    assert browser.post(f"{page.url.path}/firm", {"home": f"{other.id}:{other.contact}"}).status_code == 401


def test_a_device_stays_signed_in_and_its_secret_rotates(firm: Firm) -> None:
    browser = firm.signed_in()
    first = browser.cookies["__Host-praxis-portal-device"]
    del browser.cookies["__Host-praxis-portal"]  # it expired
    assert browser.get("/portal").status_code == 200
    second = browser.cookies["__Host-praxis-portal-device"]
    assert second != first
    # A tab that was renewing at the same moment still gets in, on the same secret.
    twin = Browser(firm.world)
    twin.cookies = {"__Host-praxis-portal-device": first}
    assert twin.get("/portal").status_code == 200
    assert twin.cookies["__Host-praxis-portal-device"] == first


def test_a_copied_device_secret_ends_the_session_for_both(firm: Firm) -> None:
    browser = firm.signed_in()
    copied = browser.cookies["__Host-praxis-portal-device"]
    for _ in range(2):
        browser.cookies.pop("__Host-praxis-portal")
        assert browser.get("/portal").status_code == 200
    thief = Browser(firm.world)
    thief.cookies = {"__Host-praxis-portal-device": copied}
    assert thief.get("/portal").status_code == 303
    browser.cookies.pop("__Host-praxis-portal")
    assert browser.get("/portal").headers["location"].startswith("/portal/sign-in")
    assert "device.revoked" in [a.action for a in firm.world.audit(firm.id)]


def test_a_device_not_used_for_thirty_days_is_signed_out_and_forgotten(firm: Firm) -> None:
    browser = firm.signed_in()
    browser.cookies.pop("__Host-praxis-portal")
    with firm.world.uow(firm.id) as uow:
        uow.session.execute(text("UPDATE devices SET rotated_at = now() - interval '30 days'"))
    assert browser.get("/portal").status_code == 303
    (planned,) = [d for d in firm.world.due(firm.id) if d.kind == "forget_device"]
    firm.world.run_due(firm.id, at=planned.run_at + timedelta(seconds=1))
    with firm.world.uow(firm.id) as uow:
        assert uow.session.execute(text("SELECT count(*) FROM devices")).scalar_one() == 0


def test_signing_out_ends_the_device(firm: Firm) -> None:
    browser = firm.signed_in()
    device = browser.cookies["__Host-praxis-portal-device"]
    assert browser.post("/portal/sign-out").status_code == 303
    assert browser.cookies == {}
    browser.cookies = {"__Host-praxis-portal-device": device}
    assert browser.get("/portal").status_code == 303


def test_a_contact_whose_access_was_taken_away_is_out_at_once(firm: Firm) -> None:
    browser = firm.signed_in()
    firm.add_contact("Ada Lovelace", firm.email, [firm.client], id=firm.contact, version=2, portal_access=False)
    assert browser.get("/portal").status_code == 401
    browser.cookies.pop("__Host-praxis-portal")
    assert browser.get("/portal").status_code == 303
    browser.get("/portal/sign-in")
    browser.post("/portal/sign-in", {"email": firm.email})
    before = len(firm.mailbox.messages)
    firm.world.run_due(firm.id)
    assert len(firm.mailbox.messages) == before


def test_a_changed_address_signs_in_and_the_old_one_does_not(firm: Firm) -> None:
    new = f"new-{firm.email}"
    firm.add_contact("Ada Lovelace", new, [firm.client], id=firm.contact, version=3)
    firm.add_contact(
        "Ada Lovelace", firm.email, [firm.client], id=firm.contact, version=2
    )  # comes late, changes nothing
    for email, mails in ((firm.email, 0), (new, 1)):
        browser = firm.browser()
        browser.get("/portal/sign-in")
        browser.post("/portal/sign-in", {"email": email})
        firm.world.run_due(firm.id)
        assert len([m for m in firm.mailbox.messages if m["To"] == f"Ada Lovelace <{email}>"]) == mails


@pytest.mark.parametrize("origin", ["https://evil.example", "null", None])
def test_a_form_from_elsewhere_is_refused(firm: Firm, origin: str | None) -> None:
    browser = firm.signed_in()
    assert browser.post("/portal/sign-out", origin=origin).status_code == 403
    assert Browser(firm.world).post("/portal/sign-in", {"email": firm.email}, origin=origin).status_code == 403
    assert browser.get("/portal").status_code == 200


def test_a_form_without_its_token_is_refused(firm: Firm) -> None:
    browser = firm.signed_in()
    assert browser.post("/portal/sign-out", csrf=False).status_code == 403
    assert browser.post("/portal/sign-out", {"csrf": "0" * 64}).status_code == 403
    assert browser.get("/portal").status_code == 200


def test_a_staff_token_opens_no_page(firm: Firm) -> None:
    browser = Browser(firm.world)
    browser.cookies = {"__Host-praxis-portal": firm.world.staff_token(firm.id)}
    assert browser.get("/portal").status_code in (303, 401)
    browser.cookies = {"__Host-praxis-portal": "nonsense", "__Host-praxis-portal-device": "nonsense"}
    assert browser.get("/portal").status_code == 303


@pytest.mark.parametrize(
    "back",
    ["https://evil.example/", "//evil.example", "/portal//evil.example", "/portal/\\evil", "javascript:alert(1)"],
)
def test_signing_in_leads_to_no_other_site(firm: Firm, back: str) -> None:
    browser = firm.browser()
    page = browser.get(f"/portal/sign-in?back={back}")
    assert "evil" not in page.text.replace(firm.email, "")
    assert 'name="back" value=""' in page.text


def test_the_way_back_is_kept_through_the_sign_in(firm: Firm) -> None:
    browser = firm.browser()
    browser.follow(browser.get("/portal/invoices"))
    page = browser.follow(browser.post("/portal/sign-in", {"email": firm.email}))
    answer = browser.post(page.url.path, {"code": firm.code()})
    assert answer.headers["location"] == "/portal/invoices"
