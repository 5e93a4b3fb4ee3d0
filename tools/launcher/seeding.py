"""The demo firm that `up` makes, and what it says once all is ready."""

import secrets
from collections.abc import Callable

from tools.demo import PORTAL_SIGN_IN, SIGN_INS
from tools.launcher import once
from tools.launcher.part import Step
from tools.launcher.parts import PYTHON
from tools.launcher.platform import Platform


def step(platform: Platform, after: tuple[str, ...]) -> Step:
    def run(say: Callable[[str], None]) -> None:
        if "mail" in platform.external:
            say("no demo firm: its people are invited by mail, which goes to a server of yours")
            return
        argv = [PYTHON, "-m", "tools.demo"]
        once.command(platform.area, "demo", "seeded", argv, environment(platform), seconds=1200, say=say)

    return Step(name="demo", run=run, after=after)


def environment(platform: Platform) -> dict[str, str]:
    """What the demo needs: it goes in by the front door, and reads its invitations where the mail arrives."""
    return {
        "PRAXIS_PUBLIC_URL": platform.public_url,
        "PRAXIS_MAIL_URL": platform.mail_url,
        "PRAXIS_SETUP_TOKEN": platform.setup_token(),
        "PRAXIS_DEMO_PASSWORD": demo_password(platform),
    }


def demo_password(platform: Platform) -> str:
    """All people of the demo firm have this one; made once per installation."""
    return platform.area.secret("demo-password", lambda: "-".join(secrets.token_hex(2) for _ in range(4)))


def welcome(platform: Platform, addresses: dict[str, str], demo: bool) -> str:
    """What a person may open now, and as whom."""
    if "app" not in addresses:
        return "\n".join([*(f"  {name:<14}  {address}" for name, address in addresses.items()), ""])
    app = addresses["app"]
    lines = [f"  Staff app       {app}", f"  Client portal   {app}/portal", f"  API reference   {app}/api/docs"]
    if "mail" in addresses:
        lines.append(f"  Mail sent       {addresses['mail']}")
    if demo and "mail" in addresses:
        lines += ["", f"  Sign in to the demo firm with the password {demo_password(platform)}"]
        lines += [f"    {who}" for who in SIGN_INS]
        lines += [f"  and to its portal with {PORTAL_SIGN_IN}: the code arrives at {addresses['mail']}"]
    else:
        token = platform.area.secrets / "setup-token"
        lines += ["", f"  Set up your firm at {app}/setup; the token it asks for is in {token}"]
    return "\n".join([*lines, ""])
