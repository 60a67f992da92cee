"""Traces out, by OTLP over HTTP, as the variables `OTEL_*` of the environment say."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

from proveout.domain.trace import CONVENTION, ERROR
from proveout.errors import Outage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from proveout.domain.trace import Span

SAMPLED = TraceFlags(TraceFlags.SAMPLED)


class NotExported(Outage):
    """The receiver of traces does not take them."""

    code = "traces-not-exported"


class Traces:
    """Sends spans to the receiver that the environment names."""

    def __init__(self, service: str, version: str, environ: Mapping[str, str]) -> None:
        """Send as `service`, unless `OTEL_SERVICE_NAME` names another."""
        named = {} if environ.get("OTEL_SERVICE_NAME") else {"service.name": service}
        self._resource = Resource.create(
            {**named, "proveout.version": version, "proveout.convention": CONVENTION}
        )
        self._scope = InstrumentationScope("proveout", version)
        self._exporter = OTLPSpanExporter()
        self._share = _share(environ)

    def takes(self, trace: str) -> bool:
        """Whether a trace is among those that are sent; the same answer for the same trace."""
        decided = TraceIdRatioBased(self._share).should_sample(None, int(trace, 16), "")
        return decided.decision.is_sampled()

    async def send(self, spans: Sequence[Span]) -> None:
        """Hand spans over to the receiver; beside the loop, for it may take its time.

        Raises:
            NotExported: it does not take them now.
        """
        told = [self._told(span) for span in spans]
        result = await asyncio.to_thread(self._exporter.export, told)
        if result is not SpanExportResult.SUCCESS:
            raise NotExported("the receiver of traces does not take them")

    def close(self) -> None:
        """Let go of its connections."""
        self._exporter.shutdown()

    def _told(self, span: Span) -> ReadableSpan:
        attributes = dict(span.attributes)
        if span.error:
            attributes[ERROR] = span.error
        return ReadableSpan(
            name=span.name,
            context=_context(span.trace, span.id),
            parent=_context(span.trace, span.parent) if span.parent else None,
            resource=self._resource,
            attributes=attributes,
            kind=SpanKind.CLIENT if span.calls_out else SpanKind.INTERNAL,
            instrumentation_scope=self._scope,
            status=Status(StatusCode.ERROR if span.error else StatusCode.UNSET),
            start_time=_nanoseconds(span.start),
            end_time=_nanoseconds(span.end),
        )


def _context(trace: str, span: str) -> SpanContext:
    return SpanContext(int(trace, 16), int(span, 16), is_remote=False, trace_flags=SAMPLED)


def _nanoseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000) * 1_000


def _share(environ: Mapping[str, str]) -> float:
    """Return the share of traces that are sent, by the usual variables."""
    sampler = environ.get("OTEL_TRACES_SAMPLER", "").removeprefix("parentbased_")
    if sampler == "always_off":
        return 0.0
    if sampler != "traceidratio":
        return 1.0
    try:
        return min(1.0, max(0.0, float(environ.get("OTEL_TRACES_SAMPLER_ARG", "1"))))
    except ValueError:
        return 1.0
