//! `GET /metrics`: metrics in the text format of Prometheus.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use llmscope_core::Verdict;
use llmscope_harness::Delivery;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use super::App;
use super::api_error::ApiError;
use super::operation::Operation;
use super::v1::series::with_alarms;
use crate::incident::{Incident, IncidentFilter, Member};
use crate::series::Series;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/metrics", "Export series, limits and violations for Prometheus", metrics)
            .was_open()
            .response_type("application/openmetrics-text"),
    ]
}

async fn metrics(State(app): State<App>) -> Result<Response, ApiError> {
    let open = IncidentFilter { open: Some(true), limit: MOST_INCIDENTS, ..IncidentFilter::default() };
    let read = app.read(move |store| Ok((store.series()?, store.count()?, store.incidents(&open)?)));
    let (stored, records, incidents) = read.await?;
    let series = with_alarms(&app, &stored);
    let deliveries = app.recorder.deliveries().await;
    let mut registry = Registry::with_prefix("llmscope");
    registry.register_collector(Box::new(Snapshot { series, incidents, records, deliveries, app }));
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).map_err(|_| ApiError::Internal)?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(CONTENT_TYPE, kind)], text).into_response())
}

/// The state of the service at the time of the request.
struct Snapshot {
    series: Vec<Series>,
    /// The open incidents.
    incidents: Vec<Incident>,
    records: u64,
    deliveries: Option<Delivery>,
    app: App,
}

impl Snapshot {
    /// Numbers of the service that only grow: their names, help texts and values.
    fn counts(&self) -> Vec<(&'static str, &'static str, u64)> {
        let metrics = &self.app.metrics;
        let mut counts = vec![
            ("transactions", "Transactions of the writer", metrics.transactions.get()),
            ("repeated_records", "Records that had been accepted before", metrics.repeated.get()),
            ("unjudged_values", "Values of series beyond --max-series", metrics.unjudged.get()),
            ("removed_records", "Records removed because of their age", metrics.removed_records.get()),
            ("removed_violations", "Violations removed because of their age", metrics.removed_violations.get()),
        ];
        if let Some(Delivery { delivered, dropped, refused, .. }) = self.deliveries {
            counts.push(("alerts_delivered", "Alerts that the webhook accepted", delivered));
            counts.push(("alerts_lost", "Alerts that the webhook refused or that had no place", dropped + refused));
        }
        counts
    }

    /// The members of the incidents that are open.
    fn open_members(&self) -> impl Iterator<Item = (&Incident, &Member)> {
        let members = self.incidents.iter().flat_map(|incident| incident.members.iter().map(move |it| (incident, it)));
        members.filter(|(_, member)| member.ended_at.is_none())
    }

    /// Numbers of the service now.
    fn gauges(&self) -> Vec<(&'static str, &'static str, u64)> {
        let mut gauges = vec![
            ("records", "Live records in the store", self.records),
            ("series", "Series", self.series.len() as u64),
            ("event_listeners", "Readers of live events", self.app.live.listeners() as u64),
            ("waiting_calls", "Calls that wait for the writer", self.app.recorder.waiting() as u64),
            ("store_bytes", "Size of the store's files", self.app.store.bytes()),
        ];
        if let Some(delivery) = &self.deliveries {
            gauges.push(("alerts_waiting", "Alerts that wait for the webhook", delivery.waiting as u64));
        }
        gauges
    }
}

/// The label of responses.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StatusLabel {
    status: u32,
}

/// The labels of a series.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    provider: String,
    model: String,
    metric: &'static str,
}

impl Labels {
    fn of(series: &Series) -> Self {
        Self {
            provider: series.name.provider.clone(),
            model: series.name.model.clone().unwrap_or_default(),
            metric: series.name.metric.name(),
        }
    }

    /// Incidents of failed requests have the metric `failures`.
    fn of_member(incident: &Incident, member: &Member) -> Self {
        Self {
            provider: incident.provider.clone(),
            model: member.model.clone().unwrap_or_default(),
            metric: member.signal().name(),
        }
    }
}

/// A gauge of every series: its name, its help text, and the function that returns its value, if any.
type Figure = (&'static str, &'static str, fn(&Series) -> Option<f64>);

/// A gauge of every open member of an incident.
type IncidentFigure = (&'static str, &'static str, fn(&Member) -> Option<f64>);

const INCIDENT_FIGURES: [IncidentFigure; 3] = [
    ("incident_open", "1 while an incident for the worse is open, -1 for the better", |member| {
        Some(if member.report.direction.counts_as_worse() { 1.0 } else { -1.0 })
    }),
    ("shift_ratio", "Level of an open incident, as a multiple of the one before", |member| member.report.ratio),
    ("shift_since_seconds", "When the change of an open incident began, in Unix time", |member| {
        Some(member.report.since.as_duration().as_secs_f64())
    }),
];

/// The most incidents in one answer.
const MOST_INCIDENTS: usize = 10_000;

const FIGURES: [Figure; 7] = [
    ("evidence_ratio", "Evidence for a change since the last alarm, as a share of that of an alarm", |series| {
        series.alarm.as_ref().map(|alarm| alarm.evidence_ratio)
    }),
    ("last_value", "The last value, in the metric's unit", |series| series.last.map(|last| last.value)),
    ("center_line", "Center line of the frozen limits", |series| series.limits.map(|limits| limits.center)),
    ("lower_control_limit", "Lower control limit", |series| series.limits.map(|limits| limits.lower)),
    ("upper_control_limit", "Upper control limit", |series| series.limits.map(|limits| limits.upper)),
    ("in_control", "1 in control, 0 out of it; absent while limits are learned", |series| match series.verdict {
        Verdict::InControl => Some(1.0),
        Verdict::OutOfControl => Some(0.0),
        Verdict::NotEnoughData => None,
    }),
    ("open_violations", "Violations whose rules still signal", |series| {
        u32::try_from(series.open_violations).ok().map(f64::from)
    }),
];

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        for (name, help, value) in FIGURES {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for series in &self.series {
                if let Some(value) = value(series) {
                    ConstGauge::new(value).encode(family.encode_family(&Labels::of(series))?)?;
                }
            }
        }
        for (name, help, value) in INCIDENT_FIGURES {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for (incident, member) in self.open_members() {
                if let Some(value) = value(member) {
                    ConstGauge::new(value).encode(family.encode_family(&Labels::of_member(incident, member))?)?;
                }
            }
        }
        let mut values =
            encoder.encode_descriptor("values", "Values of the series so far", None, MetricType::Counter)?;
        for series in &self.series {
            ConstCounter::new(series.n).encode(values.encode_family(&Labels::of(series))?)?;
        }
        let metrics = &self.app.metrics;
        let help = "Responses by their status";
        let mut responses = encoder.encode_descriptor("responses", help, None, MetricType::Counter)?;
        for (status, count) in metrics.responses() {
            let label = StatusLabel { status: status.into() };
            ConstCounter::new(count).encode(responses.encode_family(&label)?)?;
        }
        let help = "Time of the writer's transactions together";
        let seconds = encoder.encode_descriptor("transaction_seconds", help, None::<&Unit>, MetricType::Counter)?;
        ConstCounter::new(metrics.transaction_s()).encode(seconds)?;
        for (name, help, count) in self.counts() {
            let encoder = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            ConstCounter::new(count).encode(encoder)?;
        }
        for (name, help, number) in self.gauges() {
            let encoder = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            ConstGauge::new(i64::try_from(number).unwrap_or(i64::MAX)).encode(encoder)?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").field("records", &self.records).finish_non_exhaustive()
    }
}
