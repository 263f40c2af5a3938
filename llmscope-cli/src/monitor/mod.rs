//! `monitor`: endpoints → results as they come → judged, printed, appended, posted, told.

mod args;
mod config;
mod hook;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::Result;
use jiff::Timestamp;
use llmscope_core::analysis::Baseline;
use llmscope_core::files::write_atomically;
use llmscope_core::quantity::with_unit;
use llmscope_core::session::{RequestRecord, RunEvent, SessionHeader, SessionWriter, Software};
use llmscope_core::{Metric, Unit};
use llmscope_harness::monitor::{Judging, Notice, NoticeKind, Observation, Watched, Watching};
use llmscope_harness::{Courier, Delivery, Probe, VendorKind, log_entry};
use serde_json::json;

pub(crate) use self::args::MonitorArgs;
use self::hook::Hooks;
use crate::analyze::read_baseline;
use crate::output::{self, BAD, CAUTION, DIM, GOOD, Sink};

/// So long the last records may take on their way at the end.
const FAREWELL: Duration = Duration::from_secs(5);

pub(crate) fn run(args: &MonitorArgs) -> Result<ExitCode> {
    let endpoints = config::endpoints(args)?;
    let judging = judging(args)?;
    let mut desk = Desk::new(args, &endpoints, judging.baselines.clone())?;
    let interrupted = crate::bench::on_interrupt()?;
    for watched in &endpoints {
        output::say(DIM, "watching:", &format!("{} every {:?}", watched.name, watched.interval));
    }
    let mut watching = Watching::start(endpoints, &judging, args.jitter, args.seed)?;
    let mut ended = Ok(());
    while !interrupted.load(Ordering::Relaxed) && args.count.is_none_or(|count| desk.results < count) {
        const TICK: Duration = Duration::from_millis(200);
        ended = watching.next(TICK).map_err(Into::into).and_then(|observation| desk.take(observation));
        if ended.is_err() {
            break;
        }
    }
    watching.stop();
    // What ended before the stop is recorded like everything else.
    while let (Ok(()), Ok(Some(observation))) = (&ended, watching.next(Duration::ZERO)) {
        ended = desk.take(Some(observation));
    }
    let closed = desk.close();
    ended.and(closed)
}

fn judging(args: &MonitorArgs) -> Result<Judging> {
    let metrics = args.metric.iter().map(|name| name.parse()).collect::<Result<Vec<Metric>, _>>()?;
    // What an earlier monitor learned holds for the next one: a restart must not move the limits.
    let kept = args.save_baseline.as_deref().filter(|path| path.exists());
    let baselines = args.baseline.as_deref().or(kept).map(read_baseline).transpose()?.unwrap_or_default();
    let defaults = Judging::default();
    Ok(Judging {
        metrics: if metrics.is_empty() { defaults.metrics } else { metrics },
        rules: args.rules.parse()?,
        baselines,
        learn: args.learn,
        transform: args.transform,
        recover_after: args.recover_after,
        failures: args.failures,
    })
}

/// Where everything arrives that is observed, and from where it goes on.
struct Desk<'a> {
    args: &'a MonitorArgs,
    endpoints: Vec<Watched>,
    session: Option<SessionWriter>,
    courier: Option<Courier>,
    hooks: Hooks,
    /// Frozen before or learned since.
    limits: Vec<Baseline>,
    /// Violations that have begun and not ended, by endpoint and metric.
    open: BTreeMap<(String, &'static str), Timestamp>,
    results: u64,
    failed: u64,
    last_word: Instant,
    trouble: bool,
}

impl<'a> Desk<'a> {
    fn new(args: &'a MonitorArgs, endpoints: &[Watched], frozen: Vec<Baseline>) -> Result<Self> {
        let courier = args.post.as_deref().map(Courier::to_service).transpose()?;
        if let (Some(courier), Some(spool)) = (&courier, &args.spool) {
            let found = courier.load(spool)?;
            if found > 0 {
                output::say(DIM, "post:", &format!("{found} records that were left from the last time"));
            }
        }
        Ok(Self {
            args,
            endpoints: endpoints.to_vec(),
            session: args.output.as_deref().map(|path| open_session(path, endpoints)).transpose()?,
            courier,
            hooks: Hooks::new(args)?,
            limits: frozen,
            open: BTreeMap::new(),
            results: 0,
            failed: 0,
            last_word: Instant::now(),
            trouble: false,
        })
    }

    fn take(&mut self, observation: Option<Observation>) -> Result<()> {
        match observation {
            None => {}
            Some(Observation::Request { endpoint, record }) => self.take_record(endpoint, &record)?,
            Some(Observation::Notice(notice)) => self.take_notice(&notice)?,
        }
        self.watch_courier();
        if self.last_word.elapsed() >= self.args.heartbeat {
            self.last_word = Instant::now();
            output::say(DIM, "heartbeat:", &self.state());
        }
        Ok(())
    }

    /// Appended first: what is printed or posted has been kept.
    fn take_record(&mut self, endpoint: usize, record: &RequestRecord) -> Result<()> {
        self.results += 1;
        self.failed += u64::from(!record.succeeded());
        if let Some(session) = &mut self.session {
            session.append(record)?;
        }
        let target = &self.endpoints[endpoint].target;
        if let Some(courier) = &self.courier {
            let address = target.endpoint.url.host_str();
            courier.send(log_entry(record, &target.provider, &target.model, address));
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

    fn take_notice(&mut self, notice: &Notice) -> Result<()> {
        if let Some(session) = &mut self.session {
            session.append_event(&RunEvent { at: notice.at, message: notice.to_string() })?;
        }
        self.note_open(notice);
        if self.args.json {
            print_line(&serde_json::to_value(notice)?)?;
        }
        let (style, label) = match (notice.is_violation(), notice.is_recovery()) {
            (true, _) => (BAD, "violation:"),
            (_, true) => (GOOD, "recovery:"),
            _ => (CAUTION, "learned:"),
        };
        output::say(style, label, &notice.to_string());
        if let NoticeKind::Learned { metric, standards, results, .. } = &notice.kind {
            return self.keep_limits(&notice.endpoint, *metric, *standards, *results);
        }
        self.hooks.tell(notice);
        Ok(())
    }

    fn note_open(&mut self, notice: &Notice) {
        let metric = match &notice.kind {
            NoticeKind::Violation { metric, .. } | NoticeKind::Recovery { metric, .. } => metric.name(),
            _ => "failures",
        };
        let key = (notice.endpoint.clone(), metric);
        if notice.is_violation() {
            self.open.insert(key, notice.at);
        } else if notice.is_recovery() {
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
        let target = self.endpoints.iter().find(|watched| watched.name == endpoint).map(|watched| &watched.target);
        let group = target.into_iter().flat_map(|target| {
            [("provider".to_owned(), target.provider.clone()), ("model".to_owned(), target.model.clone())]
        });
        self.limits.push(Baseline { group: group.collect(), metric: metric.name().to_owned(), n, standards });
        Ok(write_atomically(path, Baseline::to_json(&self.limits)?.as_bytes())?)
    }

    /// Says once that the service is gone, and once that it is back.
    fn watch_courier(&mut self) {
        let Some(Delivery { waiting, trouble, .. }) = self.courier.as_ref().map(Courier::delivery) else { return };
        match (&trouble, self.trouble) {
            (Some(trouble), false) => {
                output::say(CAUTION, "post:", &format!("{trouble}; records are kept and sent later"));
                self.trouble = true;
            }
            (None, true) => {
                output::say(GOOD, "post:", &format!("the service takes records again, {waiting} are waiting"));
                self.trouble = false;
            }
            _ => {}
        }
    }

    fn state(&self) -> String {
        let mut parts = vec![format!("{} results", self.results)];
        if self.failed > 0 {
            parts.push(format!("{} failed", self.failed));
        }
        match self.open.len() {
            0 => parts.push("in control".to_owned()),
            open => parts.push(format!("{open} violations open")),
        }
        if let Some(delivery) = self.courier.as_ref().map(Courier::delivery) {
            parts.push(posted(&delivery));
        }
        parts.join(" · ")
    }

    fn close(mut self) -> Result<ExitCode> {
        if let Some(session) = &self.session {
            session.sync()?;
        }
        // The state is told without the posts that were on their way: these have a word of their own.
        if let Some(courier) = self.courier.take() {
            let delivery = courier.close(FAREWELL, self.args.spool.as_deref())?;
            output::say(DIM, "post:", &posted(&delivery));
        }
        output::say(DIM, "ended:", &self.state());
        self.hooks.close(FAREWELL);
        Ok(ExitCode::from(u8::from(!self.open.is_empty())))
    }
}

fn posted(delivery: &Delivery) -> String {
    let Delivery { delivered, waiting, dropped, refused, .. } = delivery;
    let mut words = format!("{delivered} posted, {waiting} waiting");
    for (count, what) in [(dropped, "dropped because too many waited"), (refused, "refused by the service")] {
        if *count > 0 {
            words.push_str(&format!(", {count} {what}"));
        }
    }
    words
}

fn open_session(path: &Path, endpoints: &[Watched]) -> Result<SessionWriter> {
    if path.exists() {
        let (writer, notices) = SessionWriter::resume(path)?;
        notices.iter().for_each(|notice| output::say(CAUTION, "note:", &notice.to_string()));
        return Ok(writer);
    }
    let all_simulated = endpoints.iter().all(|watched| watched.target.vendor == VendorKind::Simulated);
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
