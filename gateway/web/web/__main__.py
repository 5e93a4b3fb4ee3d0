"""`python -m web`: serves the built app at PRAXIS_HTTP_BIND until it is told to stop."""

import uvicorn

from web.app import create_app
from web.settings import Settings


def main() -> None:
    settings = Settings.load()
    host, port = settings.address
    uvicorn.run(
        create_app(settings.web_root),
        host=host,
        port=port,
        log_level=settings.log_level.lower(),
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    main()
