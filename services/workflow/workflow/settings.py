"""What this service reads from the environment."""

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    clients_grpc: str = ""  # asked for a client that the copy does not hold yet
