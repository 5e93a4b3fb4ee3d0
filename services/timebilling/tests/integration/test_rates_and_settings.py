"""Rates, tax codes, activities, settings: one rate per key and day, clear refusals."""

from datetime import timedelta
from typing import Any

import pytest

from chassis.db import new_id


def money(amount: str, currency: str = "GBP") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


NOBODY = "018f0000-0000-7000-8000-000000000000"


def test_one_rate_per_key_and_day(firm: Any) -> None:
    firm.rate("100.00", level="grade", grade="senior", first="2026-01-01", until="2026-03-31")
    body = {"kind": "bill", "level": "grade", "grade": "senior", "rate": money("110.00")}
    firm.partner.post("/rates", body | {"from": "2026-03-31"}).problem(409, "rate_overlap")
    firm.partner.post("/rates", body | {"from": "2025-01-01"}).problem(409, "rate_overlap")
    firm.partner.post("/rates", body | {"from": "2026-04-01"}).expect(201)
    firm.partner.post("/rates", body | {"from": "2026-01-01", "grade": "junior"}).expect(201)
    firm.partner.post("/rates", body | {"from": "2026-01-01", "rate": money("90.00", "EUR")}).expect(201)
    firm.partner.post("/rates", body | {"from": "2026-01-01", "kind": "cost"}).expect(201)
    assert len(firm.partner.get("/rates").json["items"]) == 5


def test_setting_rates_from_a_day_on_ends_the_ones_in_force(firm: Any) -> None:
    firm.rate("100.00", first="2026-01-01")
    firm.rate("120.00", level="staff", staff_id=str(firm.ada), first="2026-01-01")
    new = [
        {"kind": "bill", "level": "firm", "rate": money("130.00")},
        {"kind": "bill", "level": "staff", "staff_id": str(firm.ada), "rate": money("150.00")},
        {
            "kind": "bill",
            "level": "client_grade",
            "client_id": str(firm.client),
            "grade": "senior",
            "rate": money("99.00"),
        },
    ]
    items = firm.partner.post("/rates/set", {"from": "2026-07-01", "rates": new}).expect(200).json["items"]
    assert [(r["rate"]["amount"], r["names"]) for r in items] == [
        ("130.00", "everyone"),
        ("150.00", "Ada Moss"),
        ("99.00", "Smith Ltd × senior"),
    ]
    spans = [(r["level"], r["from"], r["until"]) for r in firm.partner.get("/rates").json["items"]]
    assert ("firm", "2026-01-01", "2026-06-30") in spans
    assert ("firm", "2026-07-01", None) in spans
    assert [r["level"] for r in firm.partner.get("/rates?on=2026-03-01").json["items"]] == ["staff", "firm"]


def test_setting_rates_is_all_or_nothing(firm: Any) -> None:
    rates = [
        {"kind": "bill", "level": "firm", "rate": money("130.00")},
        {"kind": "bill", "level": "staff", "staff_id": NOBODY, "rate": money("1.00")},
    ]
    firm.partner.post("/rates/set", {"from": "2026-07-01", "rates": rates}).problem(404, "staff_member_not_found")
    assert firm.partner.get("/rates").json["items"] == []


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"rate": money("1.00", "XYZ")}, 422, "currency_unknown"),
        ({"rate": money("1.001")}, 422, "amount_precision"),
        ({"rate": money("-1.00")}, 422, "amount_negative"),
        ({"level": "staff"}, 422, "rate_key_incomplete"),
        ({"grade": "senior"}, 422, "rate_key_superfluous"),
        ({"level": "staff", "staff_id": NOBODY}, 404, "staff_member_not_found"),
        ({"level": "activity", "activity_id": NOBODY}, 404, "activity_not_found"),
        ({"level": "engagement", "engagement_id": NOBODY}, 404, "engagement_not_found"),
        ({"level": "job_grade", "job_id": NOBODY, "grade": "senior"}, 404, "job_not_found"),
        ({"kind": "cost", "level": "engagement", "engagement_id": NOBODY}, 422, "rate_level_unknown"),
        ({"until": "2025-12-31"}, 422, "rate_ends_before_it_starts"),
        ({"from": "2026-02-30"}, 400, "request_invalid"),
        ({"level": "moon"}, 400, "request_invalid"),
    ],
)
def test_bad_rates_are_refused_and_nothing_is_set(firm: Any, change: dict[str, Any], status: int, code: str) -> None:
    body = {"kind": "bill", "level": "firm", "rate": money("100.00"), "from": "2026-01-01"} | change
    firm.partner.post("/rates", body).problem(status, code)
    assert firm.partner.get("/rates").json["items"] == []


def test_why_this_rate_shows_every_level_looked_at(firm: Any) -> None:
    firm.rate("100.00")
    firm.rate("140.00", level="engagement", engagement_id=str(firm.engagement), first="2026-01-01")
    firm.rate("150.00", level="client_staff", client_id=str(firm.client), staff_id=str(firm.ada), first="2026-01-01")
    firm.rate("55.00", level="grade", grade="senior", kind="cost")
    why = firm.partner.get(f"/rates/why?job_id={firm.job}&staff_id={firm.ada}&day=2026-05-01").expect(200).json
    assert why["bill"]["says"] == "GBP 140.00/h: engagement rate of 2026-01-01"
    assert why["cost"]["figure"] == "55.00"
    looked = {x["level"]: (x["rate"] and x["rate"]["amount"], x["chosen"]) for x in why["looked_at"]}
    assert looked == {
        "job_staff": (None, False),
        "job_grade": (None, False),
        "engagement": ("140.00", True),
        "client_staff": ("150.00", False),
        "client_grade": (None, False),
        "staff": (None, False),
        "grade": (None, False),
        "firm": ("100.00", False),
    }
    before = firm.partner.get(f"/rates/why?job_id={firm.job}&staff_id={firm.ada}&day=2025-05-01").json
    assert before["bill"]["rule"] == "firm"


def test_another_firms_rates_are_not_found(firm: Any, new_firm: Any) -> None:
    rate, stranger = firm.rate(), new_firm()
    stranger.partner.delete(f"/rates/{rate['id']}", if_match=1).problem(404, "rate_not_found")
    assert stranger.partner.get("/rates").json["items"] == []
    firm.partner.delete(f"/rates/{rate['id']}", if_match=9).problem(412, "version_conflict")
    firm.partner.delete(f"/rates/{rate['id']}", if_match=1).expect(204)


def test_rates_are_paged_in_the_order_of_levels(firm: Any) -> None:
    for level, keys in (("firm", {}), ("grade", {"grade": "senior"}), ("staff", {"staff_id": str(firm.ada)})):
        firm.rate("10.00", level=level, **keys)
    first = firm.partner.get("/rates?limit=2").json
    rest = firm.partner.get(f"/rates?limit=2&cursor={first['next_cursor']}").json
    assert [r["level"] for r in first["items"] + rest["items"]] == ["staff", "grade", "firm"]


# --- tax codes, activities, settings ----------------------------------------------------------------------------------

VAT = {"code": "VAT", "label": "VAT", "category": "S", "percent": "17.5", "from": "2010-01-01"}


def test_a_tax_rate_changes_from_a_day_on(firm: Any) -> None:
    code = firm.partner.post("/tax-codes", VAT).expect(201).json
    changed = (
        firm.partner.post(f"/tax-codes/{code['id']}/rates", {"percent": "20", "from": "2011-01-04"}).expect(201).json
    )
    assert changed["rates"] == [
        {"percent": "17.5", "from": "2010-01-01", "until": "2011-01-03"},
        {"percent": "20", "from": "2011-01-04", "until": None},
    ]
    firm.partner.post(f"/tax-codes/{code['id']}/rates", {"percent": "15", "from": "2010-06-01"}).problem(
        409, "tax_rate_overlap"
    )
    firm.partner.post(f"/tax-codes/{NOBODY}/rates", {"percent": "15", "from": "2026-06-01"}).problem(
        404, "tax_code_not_found"
    )
    assert firm.partner.get("/tax-codes").json["items"] == [changed]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"percent": "0"}, 422, "tax_percent_impossible"),
        ({"percent": "101"}, 422, "tax_percent_impossible"),
        ({"category": "AE", "percent": "0"}, 422, "tax_text_missing"),
        ({"percent": "twenty"}, 400, "request_invalid"),
        ({"category": "VAT"}, 400, "request_invalid"),
    ],
)
def test_bad_tax_codes_are_refused(firm: Any, change: dict[str, Any], status: int, code: str) -> None:
    firm.partner.post("/tax-codes", VAT | change).problem(status, code)
    assert firm.partner.get("/tax-codes").json["items"] == []


def test_names_are_taken_once(firm: Any) -> None:
    firm.partner.post("/tax-codes", VAT).expect(201)
    firm.partner.post("/tax-codes", VAT).problem(409, "tax_code_taken")
    firm.partner.post("/activities", {"name": "Review"}).expect(201)
    firm.partner.post("/activities", {"name": "review"}).problem(409, "activity_name_taken")


def test_a_retired_activity_takes_no_new_time_and_stays_on_old(firm: Any) -> None:
    activity = firm.partner.post("/activities", {"name": "Travel", "billable": False}).expect(201).json
    entry = firm.log(activity_id=activity["id"])
    assert (entry["billable"], entry["activity_name"]) == (False, "Travel")
    firm.partner.patch(f"/activities/{activity['id']}", {"active": False}, if_match=1).expect(200)
    firm.partner.patch(f"/activities/{activity['id']}", {"active": True}, if_match=1).problem(412, "version_conflict")
    assert firm.log(activity_id=activity["id"], status=409)["code"] == "activity_retired"
    assert (
        firm.staff.patch(f"/time-entries/{entry['id']}", {"seconds": 60}, if_match=1).expect(200).json["activity_name"]
        == "Travel"
    )
    assert firm.partner.get("/activities?active=true").json["items"] == []
    assert [a["name"] for a in firm.partner.get("/activities").json["items"]] == ["Travel"]


def test_settings_have_defaults_and_count_versions(firm: Any) -> None:
    settings = firm.partner.get("/settings").expect(200)
    assert settings.etag == '"0"'
    assert settings.json["rounding"] == {
        "increment_seconds": 1,
        "direction": "up",
        "minimum_seconds": 0,
        "per": "entry",
    }
    assert firm.partner.patch("/settings", {"payment_terms_days": 30}, if_match=0).expect(200).json["version"] == 1
    firm.partner.patch("/settings", {"payment_terms_days": 7}, if_match=0).problem(412, "version_conflict")
    firm.partner.patch("/settings", {"default_tax_code_id": str(new_id())}, if_match=1).problem(
        404, "tax_code_not_found"
    )
    firm.partner.patch("/settings", {"payment_terms_days": -1}, if_match=1).problem(400, "request_invalid")
    assert firm.partner.get("/settings").json["payment_terms_days"] == 30


def test_a_missing_settings_version_is_a_lost_update(firm: Any) -> None:
    firm.partner.patch("/settings", {"payment_terms_days": 7}, if_match=3).problem(412, "version_conflict")


def test_locking_is_for_those_who_may(firm: Any) -> None:
    firm.staff.post("/settings/lock", {"locked_until": str(firm.today - timedelta(days=1))}).problem(
        403, "permission_missing"
    )
    assert firm.partner.get("/settings").json["locked_until"] is None
