"""Traces, metrics and logs. Without a collector configured it costs next to nothing and never fails a request."""

import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import orjson
from opentelemetry import context, metrics, propagate, trace

tracer = trace.get_tracer("praxis")
_meter = metrics.get_meter("praxis")
requests_seconds = _meter.create_histogram(
    "praxis.request.duration", "s", "Time to answer an operation, by operation and status"
)
events_published = _meter.create_counter("praxis.events.published", description="Events handed to the broker")
events_consumed = _meter.create_counter("praxis.events.consumed", description="Events handled, by type and outcome")
event_lag_seconds = _meter.create_histogram("praxis.events.lag", "s", "From commit to consumption")
outbox_depth = _meter.create_gauge("praxis.outbox.depth", description="Events committed but not yet published")

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


class JsonFormatter(logging.Formatter):
    """One JSON object a line: constant event name, then its facts, with the trace id."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
        }
        line |= {k: v for k, v in record.__dict__.items() if k not in _STANDARD}
        trace_id = current_trace_id()
        if trace_id:
            line["trace_id"] = trace_id
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


_exporting = False


def span(name: str) -> AbstractContextManager[Any]:
    """A span of that name, if there is a collector to see it."""
    return tracer.start_as_current_span(name) if _exporting else nullcontext()


def current_trace_id() -> str | None:
    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else None


def inject() -> dict[str, str]:
    """The current trace as headers, for a message or a call."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier


@contextmanager
def continued(carrier: Mapping[str, str], name: str) -> Iterator[None]:
    """Continues the trace that headers carry, in a span of that name."""
    if "traceparent" not in carrier:
        with span(name):
            yield
        return
    token = context.attach(propagate.extract(carrier))
    try:
        with span(name):
            yield
    finally:
        context.detach(token)


def set_up(service: str, mode: str, log_level: str) -> None:
    """Logs to standard output as JSON; traces and metrics by OTLP if OTEL_EXPORTER_OTLP_ENDPOINT names a collector."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=log_level, handlers=[handler], force=True)
    for noisy in ("connexion", "httpx", "httpcore", "amqp", "uvicorn.access", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # connexion warns about every refused request; the access log already tells.
    logging.getLogger("connexion.middleware.exceptions").setLevel(logging.CRITICAL)
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        _export(service, mode)


def _export(service: str, mode: str) -> None:
    global _exporting
    _exporting = True
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": f"praxis-{service}", "praxis.mode": mode})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    metrics.set_meter_provider(
        MeterProvider(resource=resource, metric_readers=[PeriodicExportingMetricReader(OTLPMetricExporter())])
    )
    PsycopgInstrumentor().instrument()
