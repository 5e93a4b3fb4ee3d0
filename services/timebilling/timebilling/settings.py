"""What timebilling reads from the environment, beside what every service reads."""

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    clients_grpc: str = ""
    workflow_grpc: str = ""
    documents_grpc: str = ""
    portal_grpc: str = ""
