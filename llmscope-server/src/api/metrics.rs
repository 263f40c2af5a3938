//! `GET /metrics`: metrics in the text format of Prometheus.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use llmscope_core::Verdict;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use super::App;
use super::api_error::ApiError;
use super::operation::Operation;
use crate::series::Series;
use crate::watches::view;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/metrics", "Export series, limits and violations for Prometheus", metrics)
            .was_open()
            .response_type("application/openmetrics-text"),
    ]
}

async fn metrics(State(app): State<App>) -> Result<Response, ApiError> {
    let (stored, records) = app.read(|store| Ok((store.series()?, store.count()?))).await?;
    let series = stored.iter().map(|series| view(&series.state, series.open.len())).collect();
    let mut registry = Registry::with_prefix("llmscope");
    registry.register_collector(Box::new(Snapshot { series, records, listeners: app.live.listeners() }));
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).map_err(|_| ApiError::Internal)?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(CONTENT_TYPE, kind)], text).into_response())
}

/// The state of the service at the time of the request.
#[derive(Debug)]
struct Snapshot {
    series: Vec<Series>,
    records: u64,
    listeners: usize,
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
}

/// A gauge of every series: its name, its help text, and the function that returns its value, if any.
type Figure = (&'static str, &'static str, fn(&Series) -> Option<f64>);

const FIGURES: [Figure; 6] = [
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
        let mut values =
            encoder.encode_descriptor("values", "Values of the series so far", None, MetricType::Counter)?;
        for series in &self.series {
            ConstCounter::new(series.n).encode(values.encode_family(&Labels::of(series))?)?;
        }
        let records = i64::try_from(self.records).unwrap_or(i64::MAX);
        let records_encoder =
            encoder.encode_descriptor("records", "Live records in the store", None, MetricType::Gauge)?;
        ConstGauge::new(records).encode(records_encoder)?;
        let listeners = i64::try_from(self.listeners).unwrap_or(i64::MAX);
        let help = "Readers of live events";
        let listeners_encoder = encoder.encode_descriptor("event_listeners", help, None::<&Unit>, MetricType::Gauge)?;
        ConstGauge::new(listeners).encode(listeners_encoder)
    }
}
