"""What timebilling reads from the environment, beside what every service reads."""

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    clients_grpc: str = ""
    workflow_grpc: str = ""
    documents_grpc: str = ""
    portal_grpc: str = ""
    # The installation's account with Stripe; card payments are off without it.
    stripe_api_key: str = ""
    stripe_webhook_secret: str = ""
    stripe_api_base: str = "https://api.stripe.com"
