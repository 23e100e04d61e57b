"""Spans are linked across Kafka by W3C trace context, and are made only where a trace is recorded."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from driver import until
from runtime.tracing import Tracing, child, headers, recording, sampled, traceparent


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


def test_a_collector_that_was_replaced_is_found_again() -> None:
    """Each batch has a connection of its own: who answered at the address before is not spoken to for ever."""
    connections: list[object] = []

    class Collector(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            connections.append(self)
            super().setup()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        tracing = Tracing.to("test", f"http://127.0.0.1:{server.server_port}", 1.0)
        for number in (1, 2):
            with tracing.root("send"):
                pass
            until(lambda: len(connections) == number, "the batch is there", 10)  # noqa: B023  asked at once
        tracing.close()
        server.shutdown()


def test_parts_belong_to_the_span_that_is_recorded_here() -> None:
    """Given a traced request, its parts are children of its span and carry its trace on; without one there are none."""
    spans = InMemorySpanExporter()
    tracing = Tracing("test", spans, 1.0)
    with child("nothing") as nothing:
        assert not recording()
        assert headers(nothing) == []
    with tracing.root("whole") as context:
        assert recording()
        with child("part", attributes={"rows": 3}) as part:
            assert headers(part) != context
    assert not recording()
    with Tracing.off().root("off"), child("of nothing"):
        assert not recording()
    tracing.close()
    found = {each.name: each for each in spans.get_finished_spans()}
    assert set(found) == {"whole", "part"}
    whole, inner = found["whole"].context, found["part"].parent
    assert whole is not None
    assert inner is not None
    assert (inner.trace_id, inner.span_id) == (whole.trace_id, whole.span_id)
    assert dict(found["part"].attributes or {}) == {"rows": 3}
