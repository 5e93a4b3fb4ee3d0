"""The demo firm that `up` makes, and what it says once all is ready."""

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


def welcome(addresses: dict[str, str]) -> str:
    """What a person may open now."""
    if "app" not in addresses:
        return "\n".join([*(f"  {name:<14}  {address}" for name, address in addresses.items()), ""])
    lines = [f"  Staff app       {addresses['app']}", f"  Client portal   {addresses['app']}/portal"]
    lines += [f"  API reference   {addresses['app']}/api/docs"]
    if "mail" in addresses:
        lines += [f"  Mail sent       {addresses['mail']}"]
    return "\n".join([*lines, ""])
