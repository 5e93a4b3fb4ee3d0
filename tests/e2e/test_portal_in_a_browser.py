"""The portal as a client has it in hand: a phone, a real browser, its script, its colours, and what axe says of it all."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright

from chassis.testing import eventually
from tests.e2e.support import Firm, Platform, open_firm
from tests.e2e.test_main_job import apply_template, create_client, create_contact, publish_template

pytestmark = pytest.mark.browser

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def asked(platform: Platform) -> tuple[Firm, dict[str, Any], dict[str, Any]]:
    """A firm that has asked a client's contact for something: firm, contact, job."""
    firm = open_firm(platform)
    manager = firm.hire("manager", roles=["manager"], grade="manager")
    senior = firm.hire("senior", roles=["staff"], grade="senior")
    client = create_client(firm, manager)
    contact = create_contact(firm, manager, client)
    return firm, contact, apply_template(manager, senior, client, publish_template(manager))


@pytest.fixture(params=["light", "dark"])
def phone(request: pytest.FixtureRequest) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        page = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme=request.param)
        page.set_default_timeout(20_000)
        yield page
        browser.close()


def test_a_client_sends_papers_from_a_phone(platform: Platform, asked: tuple[Firm, dict, dict], phone: Page) -> None:
    firm, contact, job = asked
    told: list[str] = []
    phone.on("pageerror", lambda error: told.append(str(error)))
    phone.on("console", lambda line: told.append(line.text) if "Content Security Policy" in line.text else None)
    known = len(platform.messages(contact["email"]))

    phone.goto(f"{platform.app}/portal")
    sound(phone)
    phone.get_by_label("Your e-mail address").fill(contact["email"])
    phone.get_by_role("button", name="Send me a code").click()
    sound(phone)
    eventually(lambda: len(platform.messages(contact["email"])) > known)
    phone.get_by_label("Code").fill(platform.mailed(contact["email"], r"\b(\d{3} ?\d{3})\b"))
    phone.get_by_role("button", name="Sign in").click()

    phone.get_by_role("link", name="Records for your VAT return").wait_for()
    sound(phone)
    phone.get_by_role("link", name="Records for your VAT return").click()
    phone.get_by_label("Anything unusual?").fill("A new bank account.")
    statements = phone.locator("section.item", has_text="Bank statements")
    there = statements.locator(".files li").count()
    files = [
        {"name": name, "mimeType": "application/pdf", "buffer": b"%PDF-1.4\n" + name.encode() * 4000}
        for name in ("july.pdf", "ägäis.pdf")
    ]
    statements.locator("input[type=file]").set_input_files(files)  # type: ignore[arg-type]
    statements.locator(f".files li:nth-child({there + 2})").wait_for()
    assert phone.get_by_label("Anything unusual?").input_value() == "A new bank account."
    sound(phone)

    phone.get_by_role("button", name="Save for later").click()
    phone.get_by_text("Saved. You can come back any time.").wait_for()
    assert phone.get_by_label("Anything unusual?").input_value() == "A new bank account."
    for tab in ("Our work", "Documents", "Invoices"):
        phone.get_by_role("link", name=tab, exact=True).click()
        phone.locator(f'a[aria-current="page"]:has-text("{tab}")').wait_for()
        sound(phone)
    kept = firm.people["senior"].get(f"documents/v1/documents?job_id={job['id']}")["items"]
    assert {"july.pdf", "ägäis.pdf"} <= {d["name"] for d in kept}
    assert told == []


def sound(page: Page) -> None:
    """Nothing that axe calls a violation, and nothing that makes a phone scroll sideways."""
    page.wait_for_load_state("load")
    found = Axe().run(page).response
    assert found["passes"], "axe has looked at nothing"
    violations = [(v["id"], [n["html"][:200] for n in v["nodes"]]) for v in found["violations"]]
    assert violations == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
