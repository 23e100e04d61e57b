"""Spans are linked across Kafka by W3C trace context, and are made only where a trace is recorded."""

from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from runtime.tracing import Tracing, sampled, traceparent


def test_a_child_continues_the_trace_of_its_record() -> None:
    """The span made from the header is in the root's trace, with the root as its parent."""
    spans = InMemorySpanExporter()
    tracing = Tracing("test", spans, 1.0)
    with tracing.root("send") as headers:
        pass
    with tracing.continued("apply", traceparent(headers), SpanKind.CONSUMER):
        pass
    tracing.close()
    root, child = spans.get_finished_spans()
    assert child.parent is not None
    assert root.context is not None
    assert child.parent.span_id == root.context.span_id
    assert child.kind is SpanKind.CONSUMER


def test_what_is_not_sampled_makes_no_span() -> None:
    """An unsampled, broken or missing parent costs no span."""
    spans = InMemorySpanExporter()
    tracing = Tracing("test", spans, 1.0)
    for parent in (None, b"", b"broken1", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"):
        with tracing.continued("apply", parent):
            pass
    tracing.close()
    assert not spans.get_finished_spans()


def test_the_ratio_draws_the_roots() -> None:
    """A draw below the ratio is sampled; without an exporter nothing is."""
    draws = iter([0.005, 0.5])
    tracing = Tracing("test", InMemorySpanExporter(), 0.01, draw=lambda: next(draws))
    assert [tracing.drawn(), tracing.drawn()] == [True, False]
    tracing.close()
    assert not Tracing.off().drawn()
    assert sampled(b"00-x-y-01")
