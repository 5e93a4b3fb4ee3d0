"""E-mail addresses as people type them."""

from email_validator import EmailNotValidError, validate_email

from chassis.errors import Invalid
from identity.staff.rules import normal_email


def valid_email(text: str, pointer: str) -> str:
    """The address as it is stored. Errors: `email_invalid` (422). Whether mail arrives there, the mail will show."""
    try:
        return normal_email(validate_email(text.strip(), check_deliverability=False, test_environment=True).normalized)
    except EmailNotValidError as error:
        raise Invalid("email_invalid", f"This is not an e-mail address. {error}", pointer=pointer) from error
