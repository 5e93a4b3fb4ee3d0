"""What documents reads from the environment, beside what every service reads."""

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    s3_url: str = ""
    s3_public_url: str = ""  # the file origin as browsers see it; signatures are made for it
    s3_access_key: str = ""
    s3_secret_key: str = ""
    s3_bucket: str = "praxis-documents"
    clients_grpc: str = ""
    workflow_grpc: str = ""
