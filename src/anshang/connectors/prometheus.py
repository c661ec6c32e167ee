"""`/metrics` for Prometheus: jobs, the queue, rows, streams, commits and connections; nothing of a person.

Asked with the bearer key of the setting `metrics_key`; without that setting nobody may ask.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from anshang.foundation import clock, feeds
from anshang.foundation.database import Database
from anshang.foundation.errors import NotSignedIn
from anshang.foundation.jobs import JobState, Supervisor
from anshang.matters import store as matters
from anshang.places import store as places
from anshang.web.live import Hub
from anshang.web.session import shared

COMMIT_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

router = APIRouter(tags=["web"])


class Metrics(Collector):
    """What is measured of one installation; read when it is asked for, but for the times of commits."""

    def __init__(self, database: Database, supervisor: Supervisor, hub: Hub, key: str) -> None:
        self.key = key
        self._database, self._supervisor, self._hub = database, supervisor, hub
        self._registry = CollectorRegistry()
        self._registry.register(self)
        commits = Histogram(
            "anshang_commit_seconds",
            "Time of a verb's transaction, waiting for its turn and the disk included",
            buckets=COMMIT_BUCKETS_S,
            registry=self._registry,
        )
        database.on_timed.append(commits.observe)

    def text(self) -> bytes:
        """Everything in Prometheus's text form."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """What is true now."""
        yield from self._jobs()
        yield from self._queue()
        yield from _rows()
        yield GaugeMetricFamily("anshang_live_streams", "Open live streams", self._hub.listener_count)
        pools = GaugeMetricFamily(
            "anshang_connections_in_use", "Database connections in use", labels=["pool"]
        )
        sizes = GaugeMetricFamily("anshang_connections_most", "Database connections at most", labels=["pool"])
        for name, (in_use, most) in self._database.pool_use().items():
            pools.add_metric([name], in_use)
            sizes.add_metric([name], most)
        yield from (pools, sizes)

    def _jobs(self) -> Iterator[Metric]:
        labels = ["job", "district"]
        stopped = GaugeMetricFamily("anshang_job_stopped", "1: the job stands still", labels=labels)
        failures = GaugeMetricFamily(
            "anshang_job_failures", "Failures since it last succeeded", labels=labels
        )
        items = GaugeMetricFamily("anshang_job_failing_items", "Items of it that fail now", labels=labels)
        last_ok = GaugeMetricFamily(
            "anshang_job_last_success_timestamp_seconds", "When it last succeeded", labels=labels
        )
        for report in self._supervisor.report():
            where = [report.name, report.district_id]
            stopped.add_metric(where, float(report.state is JobState.STOPPED))
            failures.add_metric(where, report.failures)
            items.add_metric(where, report.failing_items)
            if report.last_ok_at is not None:
                last_ok.add_metric(where, report.last_ok_at.timestamp())
        yield from (stopped, failures, items, last_ok)

    def _queue(self) -> Iterator[Metric]:
        labels = ["district", "priority"]
        waiting = GaugeMetricFamily(
            "anshang_queue_waiting", "Open matters, those of drills left out", labels=labels
        )
        oldest = GaugeMetricFamily(
            "anshang_queue_oldest_seconds", "Age of the oldest open matter", labels=labels
        )
        with self._database.reading() as connection:
            districts = places.list_real_district_ids(connection)
        now = clock.now()
        with self._database.reading(districts) as connection:
            for district_id, priority, count, oldest_at in matters.summarise_open(connection, districts):
                waiting.add_metric([district_id, str(priority)], count)
                oldest.add_metric([district_id, str(priority)], (now - oldest_at).total_seconds())
        yield from (waiting, oldest)


def _rows() -> Iterator[Metric]:
    taken = CounterMetricFamily("anshang_rows_taken", "Rows, positions or messages taken", labels=["feed"])
    refused = CounterMetricFamily(
        "anshang_rows_refused", "Rows, positions or messages refused", labels=["feed"]
    )
    for feed, (taken_count, refused_count) in feeds.totals().items():
        taken.add_metric([feed], taken_count)
        refused.add_metric([feed], refused_count)
    yield from (taken, refused)


Measured = Annotated[Metrics, Depends(shared(Metrics))]


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(request: Request, measured: Measured) -> Response:
    """For Prometheus, with `Authorization: Bearer` and the `metrics_key`; nothing of a person is in it."""
    _, _, key = request.headers.get("Authorization", "").partition(" ")
    if not measured.key or not secrets.compare_digest(key.strip().encode(), measured.key.encode()):
        raise NotSignedIn("metrics.key", en="This needs the key of the metrics.", zh="需要指标密钥。")
    return Response(measured.text(), media_type=CONTENT_TYPE_LATEST)
