"""Asks this container's own /readyz; exit 0 when it is ready. Standard library only: it runs in every image."""

import os
import sys
from urllib.request import urlopen

# A process that speaks HTTP is asked there, every other one at the port it keeps for this.
bind = os.environ.get("PRAXIS_HEALTH_BIND") or os.environ["PRAXIS_HTTP_BIND"]
port = bind.rpartition(":")[2]
try:
    with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
        sys.exit(0 if answer.status == 200 else 1)
except OSError as error:
    sys.exit(f"not ready: {error}")
