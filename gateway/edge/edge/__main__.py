"""`python -m edge --target compose|kubernetes|local`: renders the configuration and becomes Envoy. For containers."""

import argparse
import os
import shutil
import tempfile
from pathlib import Path
from typing import get_args

from edge.render import settings_or_exit, write
from edge.settings import Target


def main() -> None:
    """Never returns: the process is Envoy's from here on, so signals and exit codes are Envoy's too."""
    parser = argparse.ArgumentParser(prog="python -m edge", description=__doc__)
    parser.add_argument("--target", choices=get_args(Target), required=True)
    parser.add_argument("--concurrency", default="2", help="Envoy's worker threads")
    arguments = parser.parse_args()
    envoy = shutil.which("envoy")
    if envoy is None:
        raise SystemExit("edge: there is no `envoy` on the PATH")
    config = Path(tempfile.mkdtemp(prefix="edge-")) / "envoy.yaml"
    write(settings_or_exit(arguments.target), config)
    os.execv(envoy, [envoy, "-c", str(config), *ENVOY_FLAGS, "--concurrency", arguments.concurrency])  # noqa: S606  # no shell is meant


# Hot restart needs shared memory and a second parent; an orchestrator replaces the process instead.
ENVOY_FLAGS = ["--disable-hot-restart", "--log-level", "warning"]

if __name__ == "__main__":
    main()
