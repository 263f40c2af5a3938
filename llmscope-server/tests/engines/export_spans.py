"""Records spans of generative AI and exports them with OpenTelemetry's SDK, like an instrumented application.

Usage: export_spans.py URL COUNT SLOW_FROM FAIL_AT; the key is in OTEL_EXPORTER_OTLP_HEADERS.
"""

import sys
import time

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

url, count, slow_from, fail_at = sys.argv[1], *map(int, sys.argv[2:5])
provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
exporter = OTLPSpanExporter(endpoint=url, compression=Compression.Gzip)
provider.add_span_processor(BatchSpanProcessor(exporter))
tracer = provider.get_tracer("shop.assistant", "1.0")

S = 1_000_000_000
begin_ns = time.time_ns() - count * S
for i in range(count):
    # The durations alternate a little, so that limits can be estimated. The times are set explicitly, without waiting.
    lasted_s = 0.30 + 0.01 * (i % 3) if i < slow_from else 0.90
    at_ns = begin_ns + i * S
    with tracer.start_as_current_span("GET /basket", start_time=at_ns, end_on_exit=False) as around:
        attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.input_tokens": 12,
            "gen_ai.usage.output_tokens": 34,
        }
        span = tracer.start_span("chat gpt-4o", kind=SpanKind.CLIENT, attributes=attributes, start_time=at_ns)
        if i == fail_at:
            span.set_attribute("error.type", "timeout")
            span.set_status(Status(StatusCode.ERROR, "no answer"))
        span.end(end_time=at_ns + int(lasted_s * S))
        around.end(end_time=at_ns + S)
provider.shutdown()
