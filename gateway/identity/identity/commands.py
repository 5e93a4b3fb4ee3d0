"""What the operator does on the command line."""

import argparse
import getpass
import os
import sys
from typing import TYPE_CHECKING

from chassis.errors import DomainError
from identity.firms import usecases
from identity.firms.usecases import Owner
from identity.work import Caller

if TYPE_CHECKING:
    from chassis.service import Runtime

_CALLER = Caller("command line")


def setup_token(runtime: "Runtime", arguments: list[str]) -> None:
    """Prints a token with which one firm can be set up within a day."""
    argparse.ArgumentParser(prog="python -m identity setup-token", description=setup_token.__doc__).parse_args(
        arguments
    )
    print(usecases.make_setup_token(runtime))


def create_firm(runtime: "Runtime", arguments: list[str]) -> None:
    """Sets up a firm and its owner. The password comes from PRAXIS_OWNER_PASSWORD, else from standard input."""
    parser = argparse.ArgumentParser(prog="python -m identity create-firm", description=create_firm.__doc__)
    parser.add_argument("--name", required=True, help="of the firm")
    parser.add_argument("--owner", help="the owner's name; default: what stands before the @")
    parser.add_argument("--email", required=True, help="the owner's address")
    parser.add_argument("--time-zone", default="Europe/London")
    parser.add_argument("--currency", default="GBP")
    parser.add_argument("--country", default="GB")
    parser.add_argument("--region", default="", help="the country's subdivision for public holidays, e.g. ENG")
    parser.add_argument("--language", default="en")
    options = parser.parse_args(arguments)
    firm = {
        "name": options.name,
        "time_zone": options.time_zone,
        "currency": options.currency,
        "country": options.country,
        "holidays_region": options.region,
        "language": options.language,
    }
    try:
        made = usecases.found_firm(
            runtime, _CALLER, firm, Owner(options.owner or options.email.partition("@")[0], options.email, _password())
        )
    except DomainError as error:
        sys.exit(f"{error.code}: {error.message}")
    print(made.id)


def _password() -> str:
    if password := os.environ.get("PRAXIS_OWNER_PASSWORD"):
        return password
    return getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
