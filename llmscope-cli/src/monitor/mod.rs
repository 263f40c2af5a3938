//! `monitor`: endpoints → results as they arrive → judged, printed, appended, sent, reported.

mod args;
mod config;
mod hook;
mod session_log;
mod spool;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use jiff::Timestamp;
use llmscope_core::analysis::Baseline;
use llmscope_core::files::write_atomically;
use llmscope_core::quantity::{counted, with_unit};
use llmscope_core::session::{RequestRecord, RunEvent, SessionHeader, SessionWriter, Software};
use llmscope_core::{Metric, TpotDefinition, Unit};
use llmscope_harness::monitor::{
    JudgeSettings, MonitorEvent, MonitorEventKind, MonitorHandle, MonitoredEndpoint, Observation,
};
use llmscope_harness::{Delivery, Probe, Uploader, VendorKind, log_entry};
use serde_json::json;

pub(crate) use self::args::MonitorArgs;
use self::hook::Hooks;
use self::session_log::SessionLog;
use crate::baseline;
use crate::output::{self, BAD, CAUTION, DIM, GOOD, Sink};
use crate::post;

/// Time for the last records to be sent at the end.
const LAST_DELIVERY: Duration = Duration::from_secs(5);

pub(crate) fn run(args: &MonitorArgs) -> Result<ExitCode> {
    let endpoints = config::endpoints(args)?;
    let settings = settings(args)?;
    let mut outputs = Outputs::new(args, &endpoints, settings.baselines.clone())?;
    let interrupted = crate::bench::on_interrupt()?;
    // Start first: settings that are refused must not be announced.
    let mut monitor = MonitorHandle::start(endpoints.clone(), &settings, args.jitter, args.seed)?;
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

fn settings(args: &MonitorArgs) -> Result<JudgeSettings> {
    // Limits that a previous monitor estimated are used again: a restart must not move them.
    let kept = args.save_baseline.as_deref().filter(|path| path.exists());
    let baselines = args.baseline.as_deref().or(kept).map(baseline::read).transpose()?.unwrap_or_default();
    let defaults = JudgeSettings::default();
    let metrics = if args.metric.is_empty() { defaults.metrics } else { args.metric.clone() };
    // The limits that remain are those that are written again.
    let (outdated, baselines): (Vec<_>, Vec<_>) = baselines.into_iter().partition(is_outdated);
    if let Some(outdated) = outdated.first().filter(|_| metrics.contains(&Metric::Tpot)) {
        let (metric, definition) = (Metric::Tpot, outdated.tpot_definition);
        let current = TpotDefinition::CURRENT;
        let text =
            format!("the frozen limits of {metric} have {definition}, its values {current}: they are learned again");
        output::say(CAUTION, "warning:", &text);
    }
    Ok(JudgeSettings {
        metrics,
        rules: args.rules.clone(),
        baselines,
        learn: args.learn,
        transform: args.transform,
        recover_after: args.recover_after,
        failures: args.failures,
    })
}

/// True for limits of times per token that the monitor does not measure any more.
fn is_outdated(baseline: &Baseline) -> bool {
    baseline.metric == Metric::Tpot.name() && baseline.tpot_definition != TpotDefinition::CURRENT
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
    /// Open violations, by endpoint and metric.
    open: BTreeMap<(String, &'static str), Timestamp>,
    results: u64,
    failed: u64,
    last_heartbeat: Instant,
    upload_failing: bool,
    spool_failing: bool,
}

impl<'a> Outputs<'a> {
    fn new(args: &'a MonitorArgs, endpoints: &[MonitoredEndpoint], frozen: Vec<Baseline>) -> Result<Self> {
        let uploader = args.post.as_deref().map(post::uploader).transpose()?;
        let spool = match (&uploader, &args.post) {
            (Some(uploader), Some(service)) => spool::keep(args, uploader, service)?,
            _ => None,
        };
        Ok(Self {
            args,
            endpoints: endpoints.to_vec(),
            session: args
                .output
                .as_deref()
                .map(|path| open_session(path, endpoints).map(SessionLog::new))
                .transpose()?,
            uploader,
            spool,
            hooks: Hooks::new(args, endpoints)?,
            limits: frozen,
            open: BTreeMap::new(),
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
        let (style, label) = match (event.is_violation(), event.is_recovery()) {
            (true, _) => (BAD, "violation:"),
            (_, true) => (GOOD, "recovery:"),
            _ => (CAUTION, "learned:"),
        };
        output::say(style, label, &event.to_string());
        if let MonitorEventKind::Learned { metric, standards, results, .. } = &event.kind {
            // They are in use already; only a restart would learn them again.
            if let Err(error) = self.keep_limits(&event.endpoint, *metric, *standards, *results) {
                output::say(CAUTION, "limits:", &format!("{error}; the limits apply and are not kept"));
            }
            return Ok(());
        }
        self.hooks.send(event);
        Ok(())
    }

    fn note_open(&mut self, event: &MonitorEvent) {
        let metric = match &event.kind {
            MonitorEventKind::Violation { metric, .. } | MonitorEventKind::Recovery { metric, .. } => metric.name(),
            _ => "failures",
        };
        let key = (event.endpoint.clone(), metric);
        if event.is_violation() {
            self.open.insert(key, event.at);
        } else if event.is_recovery() {
            self.open.remove(&key);
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
        match self.open.len() {
            // Without a value, nothing was judged.
            0 if self.results == self.failed => parts.push("not enough data".to_owned()),
            0 => parts.push("in control".to_owned()),
            open => parts.push(format!("{} open", counted(open, "violation"))),
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

fn open_session(path: &Path, endpoints: &[MonitoredEndpoint]) -> Result<SessionWriter> {
    if path.exists() {
        let (writer, warnings) = SessionWriter::resume(path)?;
        warnings.iter().for_each(|warning| output::say(CAUTION, "warning:", &warning.to_string()));
        return Ok(writer);
    }
    let all_simulated = endpoints.iter().all(|endpoint| endpoint.target.vendor == VendorKind::Simulated);
    let header = SessionHeader {
        started_at: Some(Timestamp::now()),
        recorder: Some(Software {
            name: "llmscope monitor".to_owned(),
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        }),
        simulated: all_simulated,
        environment: Some(Probe::new().environment()),
        ..SessionHeader::default()
    };
    Ok(SessionWriter::create(path, &header)?)
}

fn print_line(value: &serde_json::Value) -> Result<()> {
    let mut sink = Sink::stdout();
    writeln!(sink, "{value}")?;
    sink.finish()
}
