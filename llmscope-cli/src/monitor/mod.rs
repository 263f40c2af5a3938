//! `monitor`: endpoints → results as they arrive → judged, printed, appended, sent, reported.

mod args;
mod config;
mod hook;
mod restart;
mod session_log;
mod settings;
mod spool;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use jiff::Timestamp;
use llmscope_core::analysis::Baseline;
use llmscope_core::files::write_atomically;
use llmscope_core::quantity::{counted, with_unit};
use llmscope_core::session::{RequestRecord, RunEvent};
use llmscope_core::{Metric, TpotDefinition, Unit};
use llmscope_harness::monitor::{Judge, MonitorEvent, MonitorEventKind, MonitorHandle, MonitoredEndpoint, Observation};
use llmscope_harness::{Delivery, Uploader, log_entry};
use serde_json::json;

pub(crate) use self::args::MonitorArgs;
use self::hook::Hooks;
use self::session_log::SessionLog;
use crate::alarm::AlarmSideArg;
use crate::output::{self, BAD, CAUTION, DIM, GOOD, Sink};
use crate::post;

/// Time for the last records to be sent at the end.
const LAST_DELIVERY: Duration = Duration::from_secs(5);

pub(crate) fn run(args: &MonitorArgs) -> Result<ExitCode> {
    let endpoints = config::endpoints(args)?;
    let settings = settings::settings(args)?;
    let mut judges = endpoints
        .iter()
        .map(|endpoint| Ok((endpoint.clone(), Judge::new(endpoint, &settings, endpoints.len())?)))
        .collect::<Result<Vec<_>>>()?;
    let mut outputs = Outputs::new(args, &mut judges, settings::baselines(&settings))?;
    let interrupted = crate::bench::on_interrupt()?;
    // Start first: settings that are refused must not be announced.
    let mut monitor = MonitorHandle::start(judges, args.jitter, args.seed)?;
    for endpoint in &endpoints {
        output::say(DIM, "watching:", &format!("{} every {:?}", endpoint.name, endpoint.interval));
    }
    let mut ended = Ok(());
    while !interrupted.load(Ordering::Relaxed) && args.count.is_none_or(|count| outputs.results < count) {
        const TICK: Duration = Duration::from_millis(200);
        ended = monitor.next(TICK).map_err(Into::into).and_then(|observation| outputs.take(observation));
        if ended.is_err() {
            break;
        }
    }
    monitor.stop();
    // Results that arrived before the stop are recorded like all others.
    while let (Ok(()), Ok(Some(observation))) = (&ended, monitor.next(Duration::ZERO)) {
        ended = outputs.take(Some(observation));
    }
    let closed = outputs.close();
    ended.and(closed)
}

/// Where each observation is written and sent.
struct Outputs<'a> {
    args: &'a MonitorArgs,
    endpoints: Vec<MonitoredEndpoint>,
    session: Option<SessionLog>,
    uploader: Option<Uploader>,
    /// Where undelivered records stay.
    spool: Option<PathBuf>,
    hooks: Hooks,
    /// Frozen limits, from a file or estimated since the start.
    limits: Vec<Baseline>,
    /// Open violations and incidents, by endpoint and metric.
    open: BTreeMap<(String, Option<Metric>), Timestamp>,
    /// Metrics that are still learned, by endpoint.
    learning: BTreeSet<(String, Metric)>,
    results: u64,
    failed: u64,
    last_heartbeat: Instant,
    upload_failing: bool,
    spool_failing: bool,
}

impl<'a> Outputs<'a> {
    /// `judges` learn from the records that the session has already.
    fn new(args: &'a MonitorArgs, judges: &mut [(MonitoredEndpoint, Judge)], frozen: Vec<Baseline>) -> Result<Self> {
        let endpoints: Vec<MonitoredEndpoint> = judges.iter().map(|(endpoint, _)| endpoint.clone()).collect();
        let uploader = args.post.as_deref().map(post::uploader).transpose()?;
        let spool = match (&uploader, &args.post) {
            (Some(uploader), Some(service)) => spool::keep(args, uploader, service)?,
            _ => None,
        };
        Ok(Self {
            args,
            session: args.output.as_deref().map(|path| restart::open_session(path, judges)).transpose()?,
            uploader,
            spool,
            hooks: Hooks::new(args, &endpoints)?,
            endpoints,
            limits: frozen,
            open: restart::incidents(judges),
            learning: restart::learning(judges),
            results: 0,
            failed: 0,
            last_heartbeat: Instant::now(),
            upload_failing: false,
            spool_failing: false,
        })
    }

    fn take(&mut self, observation: Option<Observation>) -> Result<()> {
        match observation {
            None => {}
            Some(Observation::Request { endpoint, record }) => self.take_record(endpoint, &record)?,
            Some(Observation::Event(event)) => self.take_event(&event)?,
        }
        self.report_uploader();
        if self.last_heartbeat.elapsed() >= self.args.heartbeat {
            self.last_heartbeat = Instant::now();
            output::say(DIM, "heartbeat:", &self.state());
        }
        Ok(())
    }

    /// Appends a record before it is printed or sent, so that both are on disk.
    fn take_record(&mut self, endpoint: usize, record: &RequestRecord) -> Result<()> {
        self.results += 1;
        self.failed += u64::from(!record.succeeded());
        if let Some(session) = &mut self.session {
            session.write(|session| session.append(record));
        }
        let target = &self.endpoints[endpoint].target;
        if let Some(uploader) = &self.uploader {
            let address = target.endpoint.url.host_str();
            uploader.send(log_entry(record, &target.provider, &target.model, address));
        }
        if self.args.json && !self.args.quiet {
            return print_line(
                &json!({"event": "result", "endpoint": self.endpoints[endpoint].name, "record": record}),
            );
        }
        if !self.args.quiet {
            self.print(endpoint, record)?;
        }
        Ok(())
    }

    fn print(&self, endpoint: usize, record: &RequestRecord) -> Result<()> {
        let at = record.started_at.map(|at| format!("{at:.0}")).unwrap_or_default();
        let quantity =
            |name: &str, value: Option<f64>| value.map(|value| format!("{name} {}", with_unit(Unit::Second, value)));
        let outcome = match &record.error {
            Some(error) => {
                format!("{BAD}failed{BAD:#} {}: {}", error.kind, error.message.as_deref().unwrap_or_default())
            }
            None => {
                let parts = [quantity("ttft", record.ttft_s), quantity("e2e", record.e2e_s)];
                parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
            }
        };
        let mut sink = Sink::stdout();
        writeln!(sink, "{DIM}{at}{DIM:#}  {}  {outcome}", self.endpoints[endpoint].name)?;
        sink.finish()
    }

    fn take_event(&mut self, event: &MonitorEvent) -> Result<()> {
        if let Some(session) = &mut self.session {
            let event = RunEvent { at: event.at, message: event.to_string() };
            session.write(|session| session.append_event(&event));
        }
        self.note_open(event);
        if self.args.json {
            print_line(&serde_json::to_value(event)?)?;
        }
        let (style, label) = match event.name() {
            "learning" => (DIM, "learning:"),
            "learned" => (CAUTION, "learned:"),
            "violation" => (BAD, "violation:"),
            "recovery" | "incident.ended" => (GOOD, "recovery:"),
            _ if !event.is_violation() => (GOOD, "better:"),
            "incident.worse" => (BAD, "worse:"),
            _ => (BAD, "incident:"),
        };
        output::say(style, label, &event.to_string());
        if let MonitorEventKind::Learned { metric, standards, results, .. } = &event.kind {
            // They are in use already; only a restart would learn them again.
            if let Err(error) = self.keep_limits(&event.endpoint, *metric, *standards, *results) {
                output::say(CAUTION, "limits:", &format!("{error}; the limits apply and are not kept"));
            }
            return Ok(());
        }
        let is_sent = event.is_violation() || event.is_recovery() || self.args.alarm_side == AlarmSideArg::Both;
        if is_sent && !["learning", "learned"].contains(&event.name()) {
            self.hooks.send(event);
        }
        Ok(())
    }

    fn note_open(&mut self, event: &MonitorEvent) {
        let key = (event.endpoint.clone(), event.metric());
        if event.is_violation() {
            self.open.entry(key).or_insert(event.at);
        } else if event.is_recovery() {
            self.open.remove(&key);
        } else if let ("learned", (endpoint, Some(metric))) = (event.name(), key) {
            self.learning.remove(&(endpoint, metric));
        }
    }

    fn keep_limits(
        &mut self,
        endpoint: &str,
        metric: Metric,
        standards: llmscope_core::Standards,
        n: usize,
    ) -> Result<()> {
        let Some(path) = &self.args.save_baseline else { return Ok(()) };
        let target = self.endpoints.iter().find(|known| known.name == endpoint).map(|known| &known.target);
        let group = target.into_iter().flat_map(|target| {
            [("provider".to_owned(), target.provider.clone()), ("model".to_owned(), target.model.clone())]
        });
        let tpot_definition = if metric == Metric::Tpot { TpotDefinition::CURRENT } else { TpotDefinition::FIRST };
        let metric = metric.name().to_owned();
        self.limits.push(Baseline { group: group.collect(), metric, tpot_definition, n, standards });
        Ok(write_atomically(path, Baseline::to_json(&self.limits)?.as_bytes())?)
    }

    /// Reports once that the service is unreachable, and once that it is back.
    fn report_uploader(&mut self) {
        let Some(delivery) = self.uploader.as_ref().map(Uploader::delivery) else { return };
        let Delivery { waiting, last_error, spool_error, .. } = delivery;
        if let Some(error) = spool_error.filter(|_| !self.spool_failing) {
            output::say(CAUTION, "post:", &format!("undelivered records are in memory only: {error}"));
            self.spool_failing = true;
        }
        match (&last_error, self.upload_failing) {
            (Some(last_error), false) => {
                output::say(CAUTION, "post:", &format!("{last_error}; records are queued and sent later"));
                self.upload_failing = true;
            }
            (None, true) => {
                output::say(
                    GOOD,
                    "post:",
                    &format!("the service accepts records again; {} waiting", counted(waiting, "record")),
                );
                self.upload_failing = false;
            }
            _ => {}
        }
    }

    fn state(&self) -> String {
        let mut parts = vec![counted(self.results, "result")];
        if self.failed > 0 {
            parts.push(format!("{} failed", self.failed));
        }
        match (self.open.len(), self.learning.len()) {
            // Without a value, nothing was judged.
            (0, 0) if self.results == self.failed => parts.push("not enough data".to_owned()),
            (0, 0) => parts.push("in control".to_owned()),
            (0, learning) => parts.push(format!("{} still learned", counted(learning, "metric"))),
            (open, _) => parts.push(format!("{} open", counted(open, "incident"))),
        }
        if let Some(delivery) = self.uploader.as_ref().map(Uploader::delivery) {
            parts.push(posted(&delivery));
        }
        parts.join(" · ")
    }

    fn close(mut self) -> Result<ExitCode> {
        let missing = self.session.take().map_or(Ok(0), SessionLog::close);
        // The last deliveries are reported on a line of their own.
        let delivery = self.uploader.take().map(|uploader| uploader.close(LAST_DELIVERY)).transpose()?;
        if let Some(delivery) = &delivery {
            output::say(DIM, "post:", &posted(delivery));
            if let Some(spool) = self.spool.as_ref().filter(|_| delivery.waiting > 0) {
                let records = counted(delivery.waiting, "record");
                let kept = format!("{records} kept in {}; the next monitor sends them", spool.display());
                output::say(CAUTION, "post:", &kept);
            }
        }
        output::say(DIM, "ended:", &self.state());
        let lost = delivery.map_or(0, |delivery| lost(&delivery, self.spool.is_some()));
        self.hooks.close(LAST_DELIVERY);
        let missing = missing?;
        if missing > 0 {
            bail!("{} could not be written into the session", counted(missing, "line"));
        }
        if lost > 0 {
            bail!("{} did not reach the service and cannot be sent again", counted(lost, "record"));
        }
        Ok(ExitCode::from(u8::from(!self.open.is_empty())))
    }
}

/// The records that the service will not get: those that it refused, those that the queue dropped, and those that wait
/// without a file.
fn lost(delivery: &Delivery, is_spooled: bool) -> u64 {
    let waiting = if is_spooled && delivery.spool_error.is_none() { 0 } else { delivery.waiting as u64 };
    waiting + delivery.dropped + delivery.refused
}

fn posted(delivery: &Delivery) -> String {
    let Delivery { delivered, waiting, dropped, refused, .. } = delivery;
    let mut text = format!("{delivered} sent, {waiting} waiting");
    for (count, what) in [(dropped, "dropped because the queue was full"), (refused, "refused by the service")] {
        if *count > 0 {
            text.push_str(&format!(", {count} {what}"));
        }
    }
    text
}

fn print_line(value: &serde_json::Value) -> Result<()> {
    let mut sink = Sink::stdout();
    writeln!(sink, "{value}")?;
    sink.finish()
}
