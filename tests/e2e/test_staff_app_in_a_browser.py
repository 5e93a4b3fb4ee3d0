"""The staff app as people have it in hand: a real browser, two of them at once, and what axe says of every page."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from chassis.testing import eventually
from tests.e2e.support import PASSWORD, Firm, Platform, open_firm
from tests.e2e.test_main_job import apply_template, create_client, create_contact, gbp, publish_template
from tests.e2e.test_portal_in_a_browser import FLAGS

pytestmark = pytest.mark.browser

PATIENCE = 30_000  # ms; for what crosses services
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@dataclass
class World:
    """A firm with a client, a published template and a job made from it."""

    firm: Firm
    client: dict[str, Any]
    template: dict[str, Any]
    job: dict[str, Any]


@dataclass
class Desk:
    """Somebody at a browser of their own. `told` is what the browser complained of, `elsewhere` what left this machine."""

    page: Page
    context: BrowserContext
    told: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def sign_in(self, email: str) -> None:
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password", exact=True).fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in", exact=True).click()


@pytest.fixture(scope="module")
def world(platform: Platform) -> World:
    firm = open_firm(platform)
    manager = firm.hire("manager", roles=["manager"], grade="manager")
    senior = firm.hire("senior", roles=["staff"], grade="senior")
    firm.owner.post(
        "timebilling/v1/rates",
        {"kind": "bill", "level": "firm", "rate": gbp("100.00"), "from": "2026-01-01"},
        status=201,
    )
    client = create_client(firm, manager)
    create_contact(firm, manager, client)
    template = publish_template(manager)
    return World(firm, client, template, apply_template(manager, senior, client, template))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()


def desk(browser: Browser, platform: Platform, *, width: int = 1280, scheme: Any = "light") -> Desk:
    context = browser.new_context(viewport={"width": width, "height": 860}, color_scheme=scheme)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    made = Desk(page, context)
    page.on("pageerror", lambda error: made.told.append(str(error)))
    page.on("console", lambda line: made.told.append(line.text) if "Content Security Policy" in line.text else None)
    ours = (platform.app, platform.files, "data:", "blob:")
    page.on("request", lambda asked: None if asked.url.startswith(ours) else made.elsewhere.append(asked.url))
    return made


def test_the_main_job_on_screen(platform: Platform, world: World, browser: Browser) -> None:
    """One person works, another's board follows; time becomes an invoice, the invoice money."""
    owner, colleague = desk(browser, platform), desk(browser, platform)
    for one, who in ((owner, "owner"), (colleague, "manager")):
        one.page.goto(f"{platform.app}/work")
        one.page.wait_for_url("**/sign-in**")
        one.sign_in(world.firm.address(who))
        expect(one.page.get_by_role("heading", name="Work", exact=True)).to_be_visible()
        expect(one.page.get_by_text("Up to date")).to_be_visible()
    page = owner.page
    move_a_card(world, page, colleague.page)
    work_on_the_job(platform, world, page)
    bill_it(platform, page)
    assert owner.told == colleague.told == []
    assert owner.elsewhere == colleague.elsewhere == []
    owner.context.close()
    colleague.context.close()


def move_a_card(world: World, page: Page, other: Page) -> None:
    card = f'a[href="/work/jobs/{world.job["id"]}"]'
    stages = page.locator("section[aria-label]")
    first, second = (str(stages.nth(n).get_attribute("aria-label")) for n in (0, 1))
    page.get_by_role("listitem").filter(has=page.locator(card)).drag_to(column(page, second).get_by_role("list"))
    expect(column(page, second).locator(card)).to_be_visible()
    expect(column(other, second).locator(card)).to_be_visible()
    # What a mouse does by dragging, a keyboard does by the card's menu.
    moved = column(other, second).get_by_role("listitem").filter(has=other.locator(card))
    moved.hover()
    moved.get_by_role("button", name=re.compile("^Move ")).click()
    other.get_by_role("menuitem", name=first, exact=True).click()
    expect(column(page, first).locator(card)).to_be_visible()


def column(page: Page, stage: str) -> Locator:
    return page.locator(f'section[aria-label="{stage}"]')


def work_on_the_job(platform: Platform, world: World, page: Page) -> None:
    page.keyboard.press("Control+k")
    page.get_by_role("textbox", name="Search").fill("marlow potery")
    # The job bears the client's name too, and may be found first: Enter takes what is chosen then.
    page.locator("[data-action][data-selected]").get_by_text("Marlow Pottery Ltd", exact=True).wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/clients/{world.client['id']}")
    page.get_by_role("link", name=world.job["title"]).click()

    expect(page.get_by_text("Waits for Records for your VAT return")).to_be_visible()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Add files").click()
    records: Any = {"name": "ägäis.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 records"}
    chooser.value.set_files(records)
    expect(page.get_by_role("button", name="ägäis.pdf", exact=True)).to_be_visible()
    with page.expect_download() as fetched:
        page.get_by_role("button", name="ägäis.pdf", exact=True).click()
    assert fetched.value.suggested_filename == "ägäis.pdf"

    page.get_by_role("button", name="Do without").click()
    page.get_by_role("textbox", name="Why").fill("It came by post")
    page.get_by_role("dialog").get_by_role("button", name="Do without it").click()
    expect(page.get_by_text("Waits for Records for your VAT return")).to_have_count(0)
    page.get_by_role("button", name="Mark Check that records are complete as done").click()
    expect(page.get_by_role("button", name="Reopen Check that records are complete")).to_be_visible()

    page.get_by_role("button", name="Log time").click()
    page.get_by_role("textbox", name="Time", exact=True).fill("soon")
    page.get_by_role("dialog").get_by_role("button", name="Log time").click()
    expect(page.get_by_text("Write it as 1.5, 1:30 or 45m")).to_be_visible()
    page.get_by_role("textbox", name="Time", exact=True).fill("1.5")
    page.get_by_role("textbox", name="What was done").fill("Checked the records")
    page.get_by_role("dialog").get_by_role("button", name="Log time").click()
    expect(page.get_by_text("1:30 logged")).to_be_visible()

    page.goto(f"{platform.app}/time")
    page.get_by_role("button", name=re.compile("^Submit week")).click()
    expect(page.get_by_text("1 entry handed in")).to_be_visible()
    page.get_by_role("link", name="Approve").click()
    page.get_by_role("button", name="Rate?").click()
    page.get_by_role("button", name="Rate: why?").click()
    expect(page.get_by_text(re.compile("GBP 100.00/h"))).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Approve 1").click()
    expect(page.get_by_text("1 approved")).to_be_visible()


def bill_it(platform: Platform, page: Page) -> None:
    page.goto(f"{platform.app}/billing")
    page.get_by_role("link", name="Marlow Pottery Ltd").click()
    page.get_by_role("button", name="Draft an invoice").click()
    page.get_by_role("button", name="Adjust").click()
    page.get_by_role("textbox", name=re.compile("^Net total")).fill("120")
    page.get_by_role("textbox", name="Why").fill("As agreed")
    page.get_by_role("dialog").get_by_role("button", name="Adjust").click()
    expect(page.get_by_text("Standard £150.00: As agreed")).to_be_visible()
    page.get_by_role("button", name="Issue").click()
    page.get_by_role("dialog").get_by_role("button", name="Issue").click()
    expect(page.get_by_role("heading", name="INV-000001")).to_be_visible()
    with page.expect_download() as fetched:
        page.get_by_role("button", name="PDF").click()
    assert fetched.value.suggested_filename == "INV-000001.pdf"
    page.get_by_role("button", name="Record a payment").click()
    page.get_by_role("textbox", name=re.compile("^Amount")).fill("20")
    page.get_by_role("button", name="Record the payment").click()
    expect(page.get_by_role("heading", name="INV-000001").locator("..").get_by_text("Part paid")).to_be_visible()


def test_a_session_that_ends_loses_nothing_typed(platform: Platform, world: World, browser: Browser) -> None:
    mine = desk(browser, platform)
    page = mine.page
    page.goto(f"{platform.app}/work/jobs/{world.job['id']}")
    mine.sign_in(world.firm.address("senior"))
    page.get_by_role("button", name="Log time").click()
    page.get_by_role("textbox", name="Time", exact=True).fill("0:30")
    page.get_by_role("textbox", name="What was done").fill("Typed before the session ended")
    mine.context.clear_cookies()
    page.get_by_role("dialog").get_by_role("button", name="Log time").click()
    expect(page.get_by_text("Sign in again")).to_be_visible()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("0:30 logged")).to_be_visible()
    kept = world.firm.people["senior"].get(f"timebilling/v1/time-entries?job_id={world.job['id']}")["items"]
    assert [e["narrative"] for e in kept if e["seconds"] == 1800] == ["Typed before the session ended"]
    mine.context.close()


def test_a_timer_stays_in_sight_until_it_is_stopped(platform: Platform, world: World, browser: Browser) -> None:
    mine = desk(browser, platform)
    page = mine.page
    page.goto(f"{platform.app}/work/jobs/{world.job['id']}")
    mine.sign_in(world.firm.address("manager"))
    page.get_by_role("button", name="Start timer").click()
    timer = page.get_by_role("region", name="Running timer")
    expect(timer).to_contain_text("Marlow Pottery Ltd")
    page.get_by_role("link", name="Clients", exact=True).click()
    expect(timer.get_by_role("timer")).to_have_text(re.compile(r"0:00:0[2-9]|0:00:[1-9]\d"))
    page.reload()
    timer.get_by_role("button", name=f"Stop the timer on {world.job['title']} and log it").click()
    expect(page.get_by_text(f"logged on {world.job['title']}")).to_be_visible()
    expect(timer).to_have_count(0)
    assert mine.told == []
    mine.context.close()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_every_page_is_sound(platform: Platform, world: World, browser: Browser, width: int, scheme: str) -> None:
    mine = desk(browser, platform, width=width, scheme=scheme)
    page = mine.page
    page.goto(f"{platform.app}/sign-in")
    page.get_by_role("heading", name="Sign in").wait_for()
    sound(page, "sign-in", width)
    mine.sign_in(world.firm.address("owner"))
    page.locator("#main").wait_for()
    world.firm.owner.post(
        "timebilling/v1/timer/start", {"job_id": world.job["id"]}
    )  # shown on every page while it runs
    for path in pages(world):
        page.goto(f"{platform.app}/{path}")
        settled(page)
        sound(page, path, width)
    assert mine.told == []
    assert mine.elsewhere == []
    mine.context.close()


def pages(world: World) -> list[str]:
    invoices = world.firm.owner.get("timebilling/v1/invoices")["items"]
    return [
        "",
        "work",
        "work?view=list",
        "work/new",
        f"work/jobs/{world.job['id']}",
        "clients",
        f"clients/{world.client['id']}",
        "time",
        "time/approve",
        "billing",
        f"billing/clients/{world.client['id']}",
        "billing/invoices",
        *[f"billing/invoices/{i['id']}" for i in invoices[:1]],
        "billing/payments",
        "documents",
        "templates",
        f"templates/{world.template['id']}",
        "settings",
        "settings/staff",
        "settings/stages",
        "settings/rates",
        "settings/billing",
        "settings/portal",
        "settings/api-clients",
        "nowhere",
        "api/docs/",
    ]


def settled(page: Page) -> None:
    """Skeletons are gone: what the page asked for is there."""
    page.locator("h1").first.wait_for()
    eventually(lambda: page.locator('[role="status"][aria-label^="Loading"], .mantine-Skeleton-root').count() == 0)


def sound(page: Page, path: str, width: int) -> None:
    """Nothing that axe calls a violation of WCAG 2.2 AA, and nothing that makes a phone scroll sideways."""
    found = Axe().run(page, options={"runOnly": STANDARDS}).response
    assert found["passes"], "axe has looked at nothing"
    assert [(path, v["id"], [n["html"][:200] for n in v["nodes"]]) for v in found["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width, path
