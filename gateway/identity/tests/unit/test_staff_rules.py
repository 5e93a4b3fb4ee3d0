from datetime import UTC, datetime

import pytest

from identity.api_clients.rules import excess, granted
from identity.firms.rules import DEFAULTS, Known, faults
from identity.staff.rules import deactivation_refused, normal_email, role_change_refused, status

KNOWN = Known({"Europe/London"}, {"GBP"}, {"GB", "DE"}, {"GB-ENG"})
FIRM = DEFAULTS | {"time_zone": "Europe/London", "currency": "GBP", "country": "GB"}


def change(**facts):
    refused = role_change_refused(
        **(
            {"actor_is_owner": True, "before": ["staff"], "after": ["staff"], "active": True, "other_active_owners": 1}
            | facts
        )
    )
    return refused.code if refused else None


def test_roles_below_owner_need_no_owner():
    assert change(actor_is_owner=False, before=["staff"], after=["partner", "billing"]) is None


def test_nobody_but_an_owner_makes_an_owner():
    assert change(actor_is_owner=False, after=["owner"]) == "owner_needed"


def test_nobody_but_an_owner_unmakes_an_owner():
    assert change(actor_is_owner=False, before=["owner"]) == "owner_needed"


def test_the_last_owner_stays_one():
    assert change(before=["owner"], other_active_owners=0) == "last_owner"
    assert change(before=["owner"], other_active_owners=1) is None


def end(**facts):
    refused = deactivation_refused(
        **({"actor_is_owner": True, "himself": False, "roles": ["staff"], "other_active_owners": 1} | facts)
    )
    return refused.code if refused else None


def test_nobody_ends_their_own_access():
    assert end(himself=True) == "own_account"


def test_only_an_owner_ends_an_owners_access_and_never_the_last_ones():
    assert end(roles=["owner"], actor_is_owner=False) == "owner_needed"
    assert end(roles=["owner"], other_active_owners=0) == "last_owner"
    assert end(roles=["owner"]) is None


def test_status_follows_from_active_and_joined():
    assert [status(active=a, joined_at=j) for a, j in ((True, None), (True, datetime.now(UTC)), (False, None))] == [
        "invited",
        "active",
        "deactivated",
    ]


def test_addresses_compare_without_case_and_spaces():
    assert normal_email("  Ada@Harbour.Example ") == "ada@harbour.example"


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("time_zone", "Europe/Atlantis", "time_zone_unknown"),
        ("currency", "XQZ", "currency_unknown"),
        ("country", "XQ", "country_unknown"),
        ("holidays_region", "BY", "region_unknown"),
    ],
)
def test_settings_that_do_not_exist_are_named(field, value, code):
    assert [(f.field, f.code) for f in faults(FIRM | {field: value}, KNOWN)] == [(field, code)]


def test_good_settings_have_no_faults():
    assert faults(FIRM | {"holidays_region": "ENG"}, KNOWN) == []


def test_an_api_client_gets_what_it_asks_of_its_scopes_and_all_by_default():
    assert granted("a:b:read", ["a:b:read", "a:b:write"], ["a:b:read", "a:b:write"]) == ["a:b:read"]
    assert granted(None, ["a:b:write", "a:b:read"], ["a:b:read", "a:b:write"]) == ["a:b:read", "a:b:write"]


def test_an_api_client_gets_nothing_beyond_its_scopes():
    assert granted("a:b:read a:b:write", ["a:b:read"], ["a:b:read", "a:b:write"]) is None


def test_a_permission_no_longer_in_the_data_is_granted_to_nobody():
    assert granted(None, ["a:b:read", "a:gone:read"], ["a:b:read"]) == ["a:b:read"]


def test_excess_names_what_is_too_much():
    assert excess(["b", "a", "c"], {"c"}) == ["a", "b"]
