import pytest

from chassis.errors import Invalid
from clients.contacts import rules


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Ada@Example.COM", "Ada@example.com"),
        ("jo+vat@firm.co.uk", "jo+vat@firm.co.uk"),
        ("müller@bäckerei.de", "müller@bäckerei.de"),
        (None, None),
    ],
)
def test_an_address_is_kept_with_its_domain_in_small_letters(given, kept):
    assert rules.email(given) == kept


@pytest.mark.parametrize(
    "given",
    ["", "ada", "ada@", "@example.com", "ada@example", "a b@example.com", "ada@example..com", "ada@[127.0.0.1]"],
)
def test_what_mail_cannot_be_sent_to_is_refused(given):
    with pytest.raises(Invalid) as refusal:
        rules.email(given)
    assert (refusal.value.code, refusal.value.pointer) == ("email_invalid", "/email")


def test_portal_access_needs_an_address_and_an_active_contact():
    rules.require_reachable(portal_access=True, active=True, email="ada@example.com")
    rules.require_reachable(portal_access=False, active=False, email=None)
    for facts, code in [
        ({"active": True, "email": None}, "portal_access_needs_email"),
        ({"active": False, "email": "ada@example.com"}, "portal_access_needs_active"),
    ]:
        with pytest.raises(Invalid) as refusal:
            rules.require_reachable(portal_access=True, **facts)
        assert refusal.value.code == code


def test_roles_are_kept_once_whatever_their_case():
    assert rules.roles(["Director", " director ", "spouse"]) == ["Director", "spouse"]
