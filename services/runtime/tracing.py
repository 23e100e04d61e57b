"""Tracing: few spans, each cheap, linked across Kafka by W3C trace context in the record headers.

Sampling is decided before a span is made: at ten thousand events per second even a span that is thrown away costs more
than the work it would describe. Roots are drawn at the ratio; a child exists only where its parent was sampled.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased
from opentelemetry.trace import Span, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

HEADER = "traceparent"
_SAMPLED = tuple(
    bytes([digit]) for digit in b"13579bdf"
)  # last digit of the flags: its lowest bit means sampled, others may be set as well
_W3C = TraceContextTextMapPropagator()
_RECORDING: ContextVar[trace.Tracer | None] = ContextVar("recording", default=None)
"""What makes the parts of the span that is being recorded here, if one is."""


class Tracing:
    """Makes spans and carries their context; without an exporter it makes none.

    Args:
        service: `service.name` under which the spans are found.
        exporter: where spans go, or None.
        ratio: share of roots that are sampled.
    """

    def __init__(
        self,
        service: str,
        exporter: SpanExporter | None,
        ratio: float,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._ratio = ratio if exporter else 0.0
        self._draw = draw
        self._provider: TracerProvider | None = None
        self._tracer: trace.Tracer = trace.NoOpTracer()
        if exporter:
            self._provider = TracerProvider(
                sampler=ParentBased(ALWAYS_ON),
                resource=Resource.create({"service.name": service}),
                shutdown_on_exit=False,
            )
            self._provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1000))
            self._tracer = self._provider.get_tracer(service)

    @classmethod
    def to(cls, service: str, address: str, ratio: float) -> "Tracing":
        """Send spans to the OTLP/HTTP collector at `address`; empty: no tracing."""
        if not address:
            return cls.off()
        # Imported here: the exporter brings an HTTP client that a process without tracing need not hold in memory.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

        endpoint = address.rstrip("/") + "/v1/traces"
        # A connection for each batch: while the collector's Service is made anew its old address leads elsewhere, and
        # a connection kept open to whoever answers there (a proxy on the way out, with 404) would never come back.
        return cls(service, OTLPSpanExporter(endpoint=endpoint, headers={"Connection": "close"}), ratio)

    @classmethod
    def off(cls) -> "Tracing":
        """Tracing that makes no span."""
        return cls("off", None, 0.0)

    def drawn(self) -> bool:
        """Whether the next root is to be sampled."""
        return self._ratio > 0 and self._draw() < self._ratio

    @contextmanager
    def root(self, name: str, **attributes: str | float) -> Iterator[list[tuple[str, bytes]]]:
        """A span with no parent; gives the headers that carry its context."""
        with (
            self._tracer.start_as_current_span(
                name, context=Context(), kind=SpanKind.PRODUCER, attributes=attributes
            ) as span,
            self._parts(),
        ):
            yield headers(span)

    @contextmanager
    def continued(
        self, name: str, parent: bytes | None, kind: SpanKind = SpanKind.SERVER, **attributes: str | float
    ) -> Iterator[Span]:
        """A child of the `traceparent` value `parent`; nothing where that is missing, malformed or not sampled."""
        context = parse(parent) if sampled(parent) and self._provider else None
        if context is None:
            yield trace.INVALID_SPAN
            return
        with (
            self._tracer.start_as_current_span(name, context=context, kind=kind, attributes=attributes) as span,
            self._parts(),
        ):
            yield span

    @contextmanager
    def _parts(self) -> Iterator[None]:
        """Let `child` make spans meanwhile, where there is somewhere to send them."""
        token = _RECORDING.set(self._tracer if self._provider else None)
        try:
            yield
        finally:
            _RECORDING.reset(token)

    def close(self) -> None:
        """Send what waits, then stop."""
        if self._provider:
            self._provider.shutdown()


def recording() -> bool:
    """Whether a span is being recorded here; cheap, for those who would make parts of it."""
    return _RECORDING.get() is not None


@contextmanager
def child(
    name: str, kind: SpanKind = SpanKind.INTERNAL, attributes: Mapping[str, str | float] | None = None
) -> Iterator[Span]:
    """A part of the span that is being recorded here; nothing where none is."""
    tracer = _RECORDING.get()
    if tracer is None:
        yield trace.INVALID_SPAN
        return
    with tracer.start_as_current_span(name, kind=kind, attributes=attributes) as span:
        yield span


def headers(span: Span) -> list[tuple[str, bytes]]:
    """Record headers that carry the context of `span`."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier, trace.set_span_in_context(span, Context()))
    return [(name, value.encode()) for name, value in carrier.items()]


def sampled(parent: bytes | None) -> bool:
    """Whether a `traceparent` value says that its trace is recorded."""
    return parent is not None and parent.endswith(_SAMPLED)


def parse(parent: bytes | None) -> Context | None:
    """The context in a `traceparent` value, or None where it holds none."""
    carrier: Mapping[str, str] = {HEADER: (parent or b"").decode("ascii", "replace")}
    context = _W3C.extract(dict(carrier), Context())
    return context if trace.get_current_span(context).get_span_context().is_valid else None


def traceparent(record_headers: list[tuple[str, bytes]]) -> bytes | None:
    """The `traceparent` value among a record's headers."""
    for name, value in record_headers:
        if name == HEADER:
            return value
    return None
