"""Events: what each message is called on the wire, and its CloudEvents envelope."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import orjson
from google.protobuf import symbol_database
from google.protobuf.descriptor import Descriptor
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message

from chassis import telemetry
from chassis.db import new_id
from praxis.common.v1 import options_pb2

M = TypeVar("M", bound=Message)

EXCHANGE = "praxis.events"


@dataclass(frozen=True, slots=True)
class Envelope:
    """An event as it travels: who says it, about what, for which firm, in which version of its subject."""

    id: UUID
    type: str
    source: str
    subject: str
    firm_id: UUID
    version: int
    time: datetime
    data: dict[str, Any]
    trace: dict[str, str]

    def encode(self) -> bytes:
        return orjson.dumps(
            {
                "specversion": "1.0",
                "id": str(self.id),
                "type": self.type,
                "source": self.source,
                "subject": self.subject,
                "time": self.time.isoformat(),
                "datacontenttype": "application/json",
                "firm": str(self.firm_id),
                "aggregateversion": self.version,
                **self.trace,
                "data": self.data,
            }
        )

    @classmethod
    def decode(cls, body: bytes) -> "Envelope":
        """The envelope of a message's body. Unknown attributes are ignored. Errors: ValueError for anything that is none."""
        try:
            raw = orjson.loads(body)
            return cls(
                id=UUID(raw["id"]),
                type=str(raw["type"]),
                source=str(raw["source"]),
                subject=str(raw["subject"]),
                firm_id=UUID(raw["firm"]),
                version=int(raw["aggregateversion"]),
                time=datetime.fromisoformat(raw["time"]),
                data=dict(raw["data"]),
                trace={k: raw[k] for k in ("traceparent", "tracestate") if k in raw},
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not an event envelope: {error!r}") from error


def event_option(descriptor: Descriptor) -> options_pb2.Event | None:
    """What a message says of itself as an event, or None if it is none."""
    options = descriptor.GetOptions()
    return options.Extensions[options_pb2.event] if options.HasExtension(options_pb2.event) else None


def type_of(message: Message | type[Message]) -> str:
    option = event_option(message.DESCRIPTOR)
    if option is None:
        raise TypeError(f"{message.DESCRIPTOR.full_name} is not an event: it has no (praxis.common.v1.event) option")
    return str(option.type)


def wrap(message: Message, *, source: str, subject: str, firm_id: UUID, version: int, at: datetime) -> Envelope:
    """The envelope of a new event."""
    return Envelope(
        id=new_id(),
        type=type_of(message),
        source=f"praxis/{source}",
        subject=subject,
        firm_id=firm_id,
        version=version,
        time=at,
        data=MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True),
        trace=telemetry.inject(),
    )


def unwrap(envelope: Envelope, message_type: type[M]) -> M:
    """The message in an envelope; fields this release does not know are ignored."""
    return ParseDict(envelope.data, message_type(), ignore_unknown_fields=True)


def message_class(descriptor: Descriptor) -> type[Message]:
    return symbol_database.Default().GetSymbol(descriptor.full_name)  # type: ignore[no-any-return]
