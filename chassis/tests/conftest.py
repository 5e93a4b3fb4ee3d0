import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "example"))

from chassis.testing import service_world
from notes.app import service

world = service_world(service)
