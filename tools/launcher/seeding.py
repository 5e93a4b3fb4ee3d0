"""The demo firm that `up` makes, and what it says once all is ready."""

import importlib
import importlib.util
from collections.abc import Callable

from tools.launcher import once
from tools.launcher.part import Step
from tools.launcher.parts import PYTHON
from tools.launcher.platform import Platform


def step(platform: Platform, after: tuple[str, ...]) -> Step:
    def run(say: Callable[[str], None]) -> None:
        if importlib.util.find_spec("tools.demo") is None:
            return
        say("making the demo firm")
        once.command(platform.area, "demo", "seeded", [PYTHON, "-m", "tools.demo"], environment(platform))

    return Step(name="demo", run=run, after=after)


def environment(platform: Platform) -> dict[str, str]:
    """What the demo needs: it goes in by the front door, and reads its invitations where the mail arrives."""
    env = {"PRAXIS_PUBLIC_URL": platform.public_url, "PRAXIS_SETUP_TOKEN": platform.setup_token()}
    return env if "mail" in platform.external else {**env, "PRAXIS_MAIL_URL": platform.mail_url}


def welcome(platform: Platform, addresses: dict[str, str], demo: bool) -> str:
    """What a person may open now, and as whom."""
    if "app" not in addresses:
        return "\n".join([*(f"  {name:<14}  {address}" for name, address in addresses.items()), ""])
    app = addresses["app"]
    lines = [f"  Staff app       {app}", f"  Client portal   {app}/portal", f"  API reference   {app}/api/docs"]
    if "mail" in addresses:
        lines.append(f"  Mail sent       {addresses['mail']}")
    people = _sign_ins() if demo else []
    if people:
        lines += ["", "  Sign in to the demo firm:", *(f"    {person}" for person in people)]
    else:
        token = platform.area.secrets / "setup-token"
        lines += ["", f"  Set up your firm at {app}/setup; the token it asks for is in {token}"]
    return "\n".join([*lines, ""])


def _sign_ins() -> list[str]:
    """The demo says itself who can sign in: one line each."""
    if importlib.util.find_spec("tools.demo") is None:
        return []
    return list(getattr(importlib.import_module("tools.demo"), "SIGN_INS", ()))
