//! Metrics of requests to models (OpenTelemetry semantic conventions for generative AI), as OTLP JSON.
//!
//! A histogram contains the count, the sum and possibly the extremes of an export interval: a row is an interval, with
//! mean = sum/count. The reader computes no quantiles from buckets: the conventions advise bounds that double (0.64 s,
//! 1.28 s), so an interpolated p99 can be wrong by a factor of nearly two, and a shift by 40 % may be invisible.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::intervals::{Labels, Measured, Point, REQUESTS, SERVED, differences, rows};
use super::spans::{Enumeration, Resource};
use super::values::{Attributes, Double, Integer};
use super::{Subject, left_out};
use crate::error::{Error, Location, Result, excerpt};
use crate::ingest::documents;
use crate::ingest::runs::of_ms;
use crate::ingest::tool::{Format, Parsed, Reading};

pub(in crate::ingest) const FORMAT: Format = Format {
    name: "otel-metrics",
    title: "OpenTelemetry metrics of generative AI (OTLP JSON)",
    recognizes: |signature| {
        signature.has("resourceMetrics[].scopeMetrics") || signature.has("[].resourceMetrics[].scopeMetrics")
    },
    reading: Reading::Whole(read),
};

/// Our names of metrics. The second name of each pair comes from the conventions' own repository (since 2026).
///
/// Chunks are not tokens, and a server measures something else than its client: these metrics keep names of their own.
const COLUMNS: [(&str, &str); 11] = [
    ("gen_ai.client.operation.duration", REQUESTS),
    ("gen_ai.client.inference.duration", REQUESTS),
    ("gen_ai.client.operation.time_to_first_chunk", "time_to_first_chunk_s"),
    ("gen_ai.client.inference.time_to_first_chunk", "time_to_first_chunk_s"),
    ("gen_ai.client.operation.time_per_output_chunk", "time_per_output_chunk_s"),
    ("gen_ai.client.inference.time_per_output_chunk", "time_per_output_chunk_s"),
    ("gen_ai.server.request.duration", SERVED),
    ("gen_ai.server.time_to_first_token", "server_time_to_first_token_s"),
    ("gen_ai.server.time_per_output_token", "server_time_per_output_token_s"),
    ("gen_ai.client.inference.operation.input_tokens", INPUT_TOKENS),
    ("gen_ai.client.inference.operation.output_tokens", OUTPUT_TOKENS),
];
/// A histogram whose points state which tokens they count.
const TOKEN_USAGE: &str = "gen_ai.client.token.usage";
const INPUT_TOKENS: &str = "input_tokens";
const OUTPUT_TOKENS: &str = "output_tokens";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    resource_metrics: Option<Vec<ResourceMetrics>>,
    resource_spans: Option<IgnoredAny>,
    resource_logs: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceMetrics {
    resource: Option<Resource>,
    scope_metrics: Option<Vec<ScopeMetrics>>,
}

#[derive(Deserialize)]
struct ScopeMetrics {
    metrics: Option<Vec<OtlpMetric>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OtlpMetric {
    #[serde(default)]
    name: String,
    #[serde(default)]
    unit: String,
    histogram: Option<Histogram>,
    exponential_histogram: Option<Histogram>,
}

/// Either kind of histogram: they differ only in their buckets.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Histogram {
    data_points: Option<Vec<DataPoint>>,
    #[serde(default)]
    aggregation_temporality: Enumeration,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DataPoint {
    #[serde(default)]
    attributes: Attributes,
    #[serde(default)]
    start_time_unix_nano: Integer,
    #[serde(default)]
    time_unix_nano: Integer,
    #[serde(default)]
    count: Integer,
    sum: Option<Double>,
    min: Option<Double>,
    max: Option<Double>,
}

/// What was left out, for warnings.
#[derive(Default)]
struct Skipped {
    signals: usize,
    metrics: BTreeSet<String>,
    unknown_past: usize,
}

fn read(source: &str, text: &str) -> Result<Parsed> {
    let (requests, mut warnings) = documents::read::<Request>(source, text)?;
    let (mut skipped, mut points, mut streams) = (Skipped::default(), Vec::new(), BTreeMap::new());
    for document in requests {
        let request = document.value;
        skipped.signals += usize::from(request.resource_spans.is_some() || request.resource_logs.is_some());
        for resource in request.resource_metrics.into_iter().flatten() {
            let labels = resource.resource.as_ref().map(origin).unwrap_or_default();
            for metric in resource.scope_metrics.into_iter().flatten().flat_map(|scope| scope.metrics).flatten() {
                let location = || Location::of(source).line(document.line).field(&metric.name);
                for (point, is_cumulative) in points_of(&metric, &labels, document.line, location, &mut skipped)? {
                    if is_cumulative {
                        let stream = (point.column, point.labels.clone());
                        streams.entry(stream).or_insert_with(Vec::new).push(point);
                    } else {
                        points.push(point);
                    }
                }
            }
        }
    }
    for stream in streams.into_values() {
        points.extend(differences(stream, &mut skipped.unknown_past));
    }
    left_out(&mut warnings, source, skipped.signals, "export of spans or logs", "exports of spans or logs");
    left_out(&mut warnings, source, skipped.metrics.len(), "other metric", "other metrics");
    left_out(
        &mut warnings,
        source,
        skipped.unknown_past,
        "point that sums up a time before the first export",
        "points that sum up a time before the first export",
    );
    points.retain(|point| point.measured.count > 0);
    if points.is_empty() {
        return Err(Error::Format {
            location: Location::of(source),
            problem: "no measurement of a request to a model".to_owned(),
            fix: "record histograms of OpenTelemetry's generative AI conventions (gen_ai.client.operation.duration)"
                .to_owned(),
        });
    }
    Ok(Parsed::Table(rows(points).table, warnings))
}

/// The process that measured.
fn origin(resource: &Resource) -> Labels {
    let names = ["service.name", "service.instance.id"];
    names.iter().filter_map(|name| Some(((*name).to_owned(), resource.attributes.label(&[name])?))).collect()
}

/// The points of a metric of requests, each with whether it is cumulative.
fn points_of(
    metric: &OtlpMetric,
    origin: &Labels,
    line: u64,
    location: impl Fn() -> Location,
    skipped: &mut Skipped,
) -> Result<Vec<(Point, bool)>> {
    let histograms = [&metric.histogram, &metric.exponential_histogram].into_iter().flatten();
    let mut points = Vec::new();
    for histogram in histograms {
        for found in histogram.data_points.iter().flatten() {
            let Some(column) = column_of(&metric.name, &found.attributes) else { continue };
            let scale = scale_of(column, &metric.unit, &location)?;
            let is_cumulative = is_cumulative(&histogram.aggregation_temporality, &location)?;
            points.push((point(found, column, scale, origin, line), is_cumulative));
        }
    }
    if points.is_empty() {
        skipped.metrics.insert(metric.name.clone());
    }
    Ok(points)
}

fn column_of(metric: &str, attributes: &Attributes) -> Option<&'static str> {
    if Subject::of(attributes) == Subject::Step {
        return None;
    }
    match attributes.text(&["gen_ai.token.type"]) {
        Some("input") if metric == TOKEN_USAGE => Some(INPUT_TOKENS),
        Some("output") if metric == TOKEN_USAGE => Some(OUTPUT_TOKENS),
        _ => COLUMNS.iter().find(|(name, _)| *name == metric).map(|(_, column)| *column),
    }
}

fn scale_of(column: &str, unit: &str, location: impl Fn() -> Location) -> Result<fn(f64) -> f64> {
    match unit {
        _ if [INPUT_TOKENS, OUTPUT_TOKENS].contains(&column) => Ok(|tokens| tokens),
        // Without a unit, the conventions specify seconds.
        "s" | "" => Ok(|seconds| seconds),
        "ms" => Ok(of_ms),
        _ => Err(Error::Format {
            location: location(),
            problem: format!("the unit \"{}\" is not a unit of time", excerpt(unit)),
            fix: "record it in seconds (s)".to_owned(),
        }),
    }
}

fn is_cumulative(temporality: &Enumeration, location: impl Fn() -> Location) -> Result<bool> {
    if temporality.is(1, "AGGREGATION_TEMPORALITY_DELTA") {
        Ok(false)
    } else if temporality.is(2, "AGGREGATION_TEMPORALITY_CUMULATIVE") {
        Ok(true)
    } else {
        Err(Error::Format {
            location: location(),
            problem: "aggregationTemporality is neither delta (1) nor cumulative (2)".to_owned(),
            fix: "export it with one of them: otherwise the beginning of a sum is unknown".to_owned(),
        })
    }
}

fn point(found: &DataPoint, column: &'static str, scale: fn(f64) -> f64, origin: &Labels, line: u64) -> Point {
    let finite = |value: Option<Double>| value.and_then(|Double(number)| number).map(scale);
    let mut labels = origin.clone();
    for (name, label) in found.attributes.labels().filter(|(name, _)| *name != "gen_ai.token.type") {
        let name = match name {
            "gen_ai.provider.name" | "gen_ai.system" => "provider",
            "gen_ai.request.model" => "model",
            other => other,
        };
        labels.insert(name.to_owned(), label);
    }
    Point {
        line,
        column,
        labels,
        begin_ns: Some(found.start_time_unix_nano.0).filter(|ns| *ns > 0),
        end_ns: found.time_unix_nano.0,
        measured: Measured {
            count: found.count.0,
            sum: finite(found.sum),
            min: finite(found.min),
            max: finite(found.max),
        },
    }
}
