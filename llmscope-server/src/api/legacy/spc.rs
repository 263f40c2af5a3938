//! `GET /api/stats/spc`: a control chart, point by point, in milliseconds.

use axum::Json;
use axum::extract::State;
use llmscope_core::Chart;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::App;
use super::super::api_error::ApiError;
use super::super::extract::{Between, Query};
use super::super::operation::Operation;
use super::latencies::{Latencies, hours_ago};
use crate::store::Filter;
use crate::timestamp::to_ms;

#[derive(Deserialize, JsonSchema)]
struct SpcQuery {
    /// Only requests of this provider.
    #[serde(default)]
    provider: Option<String>,
    /// Only requests of this model.
    #[serde(default)]
    model: Option<String>,
    /// Only requests of the last N hours.
    #[serde(default)]
    hours: Option<Between<1, 168>>,
    /// At most the newest N requests.
    #[serde(default)]
    limit: Option<Between<10, 20_000>>,
}

#[derive(Serialize, JsonSchema)]
struct Spc {
    count: usize,
    series: Vec<Point>,
}

/// A latency in milliseconds, with the center line and the zone edges at one to three sigmas above (p) and below (n)
/// it. `r1` to `r8` are true if Nelson's rule of that number signals.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SpcPoint")]
struct Point {
    t_ms: i64,
    y_ms: f64,
    mu: f64,
    p1: f64,
    p2: f64,
    p3: f64,
    n1: f64,
    n2: f64,
    n3: f64,
    r1: bool,
    r2: bool,
    r3: bool,
    r4: bool,
    r5: bool,
    r6: bool,
    r7: bool,
    r8: bool,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/stats/spc", "Return a control chart of latencies, point by point", spc)
            .query::<SpcQuery>()
            .response::<Spc>(),
    ]
}

async fn spc(State(app): State<App>, Query(query): Query<SpcQuery>) -> Result<Json<Spc>, ApiError> {
    let filter = Filter {
        provider: query.provider,
        model: query.model,
        from: Some(hours_ago(query.hours.map_or(24, |hours| hours.0))),
        limit: Some(query.limit.map_or(2000, |limit| limit.0) as usize),
        ..Filter::default()
    };
    let chart = app.run_blocking(move |store| {
        let latencies = Latencies::of(store, &filter)?;
        let series = match latencies.chart()? {
            Some(chart) => points(&latencies, &chart)?,
            None => latencies.at_ns.iter().zip(&latencies.values_s).map(|(&at, &y)| Point::alone(at, y)).collect(),
        };
        Ok(Spc { count: series.len(), series })
    });
    chart.await.map(Json)
}

fn points(latencies: &Latencies, chart: &Chart<'_>) -> Result<Vec<Point>, ApiError> {
    let signals = Latencies::judged(chart)?.signals;
    let point = |(i, (&at, &y)): (usize, (&i64, &f64))| {
        // Latencies are never below 0, so the edges of their zones are not either.
        let edge = |multiple: f64| chart.limits.zone_edge(i, multiple).max(0.0);
        Point::new(at, y, edge, std::array::from_fn(|rule| signals.at(i).contains(rule)))
    };
    Ok(latencies.at_ns.iter().zip(&latencies.values_s).enumerate().map(point).collect())
}

impl Point {
    /// A point from a latency and zone edges in seconds, and from the rules that signal.
    fn new(at_ns: i64, y_s: f64, edge_s: impl Fn(f64) -> f64, signals: [bool; 8]) -> Self {
        let edge = |multiple: f64| 1e3 * edge_s(multiple);
        let [r1, r2, r3, r4, r5, r6, r7, r8] = signals;
        Self {
            t_ms: to_ms(at_ns),
            y_ms: 1e3 * y_s,
            mu: edge(0.0),
            p1: edge(1.0),
            p2: edge(2.0),
            p3: edge(3.0),
            n1: edge(-1.0),
            n2: edge(-2.0),
            n3: edge(-3.0),
            r1,
            r2,
            r3,
            r4,
            r5,
            r6,
            r7,
            r8,
        }
    }

    /// A point without a chart, for a single latency.
    fn alone(at_ns: i64, y_s: f64) -> Self {
        Self::new(at_ns, y_s, |_| y_s, [false; 8])
    }
}
