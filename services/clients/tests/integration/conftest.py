"""The service on a real database, for all integration tests."""

import base64

from chassis.testing import service_world
from clients.app import service

world = service_world(service, field_key=base64.b64encode(bytes(range(32))).decode())
