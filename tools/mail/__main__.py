"""`python -m tools.mail --smtp 127.0.0.1:2525 --http 127.0.0.1:8082`: take mail on one port, show it on the other."""

import argparse
import asyncio

import uvicorn
from aiosmtpd.smtp import SMTP, Envelope, Session

from tools.mail.pages import application
from tools.mail.store import Store

_LARGEST_MESSAGE = 10_000_000


class Handler:
    """aiosmtpd's hook: called with each message once it has arrived whole."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def handle_DATA(  # noqa: N802 - the name aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self._store.add(
            envelope.mail_from or "",
            envelope.rcpt_tos,
            envelope.original_content or b"",
        )
        return "250 Message kept"


async def serve(smtp: tuple[str, int], http: tuple[str, int]) -> None:
    store = Store()
    loop = asyncio.get_running_loop()
    handler = Handler(store)
    sink = await loop.create_server(
        lambda: SMTP(
            handler,
            hostname="localhost",
            data_size_limit=_LARGEST_MESSAGE,
            enable_SMTPUTF8=True,
        ),
        *smtp,
    )
    config = uvicorn.Config(
        application(store),
        host=http[0],
        port=http[1],
        log_level="warning",
        access_log=False,
    )
    async with sink:
        await uvicorn.Server(config).serve()


def address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.mail", description=__doc__)
    parser.add_argument("--smtp", type=address, required=True, metavar="HOST:PORT")
    parser.add_argument("--http", type=address, required=True, metavar="HOST:PORT")
    options = parser.parse_args()
    asyncio.run(serve(options.smtp, options.http))


if __name__ == "__main__":
    main()
