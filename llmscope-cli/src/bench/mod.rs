//! `bench`: options → benchmark → records as they arrive → session and summary.

mod args;
mod found;
mod progress;
mod recorder;
mod steps;
mod summary;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use llmscope_core::quantity::counted;
use llmscope_core::session::{ClientHealth, RequestRecord, SessionHeader};
use llmscope_core::{Objective, plot};
use llmscope_harness::workload::{Sizes, Tier, Workload};
use llmscope_harness::{
    Arrival, Bench, BenchHandle, Delivery, FindLoad, FoundLoad, Load, Next, Plan, Probe, Summary, Tally, Update,
    Uploader, log_entry,
};

use self::args::ArrivalArg;
pub(crate) use self::args::BenchArgs;
use self::progress::Progress;
use self::recorder::Recorder;
use self::steps::Steps;
pub(crate) use self::summary::BenchReport;
use self::summary::Run;
use crate::output::{self, CAUTION};
use crate::picture;

pub(crate) fn run(args: &BenchArgs) -> Result<ExitCode> {
    check_plot(args)?;
    let searched = found::objectives(args)?;
    let objectives = match &args.slo {
        Some(slo) if !args.find_load => slo.parse()?,
        _ => found::of_requests(&searched),
    };
    let bench = bench(args, &searched)?;
    let header = header(args, &bench)?;
    found::announce(args, &bench.plan);
    let uploader = args.post.as_deref().map(crate::post::uploader).transpose()?;
    let mut recorder = Recorder::open(args.output.as_deref(), &header, args.append)?;
    let mut progress = Progress::new(args.quiet || args.json, &header);
    let interrupted = on_interrupt()?;
    let handle = bench.start()?;
    let mut post = |record: &RequestRecord| {
        let (provider, model) = (header.provider.as_deref(), header.model.as_deref());
        if let Some(uploader) = uploader.as_ref().filter(|_| !record.warmup) {
            uploader.send(log_entry(record, provider.unwrap_or_default(), model.unwrap_or_default(), None));
        }
    };
    let mut steps = Steps::new(objectives.clone());
    let tally = (Tally::new(objectives), &mut steps);
    let ended = drain(&handle, &interrupted, &mut recorder, &mut progress, &mut post, tally);
    // Stop the run before the program returns, even if recording failed, for example on a full disk.
    handle.stop();
    handle.join()?;
    progress.finish();
    let Ended { tally, health, found } = ended?;
    let path = recorder.finish()?;
    let posted = uploader.map_or(Ok(()), send_rest);
    let summary = tally.summary();
    if let Some(path) = &args.plot {
        let steps = steps::measured(&steps.reports());
        picture::write(path, plot::load_svg(&title(&header), &steps))?;
    }
    if !args.quiet {
        let run = Run {
            header: &header,
            summary: &summary,
            tally: &tally,
            steps: steps.reports(),
            health: health.as_ref(),
            found: found.as_ref(),
        };
        output::unless_closed(summary::report(args, run, path.as_deref()))?;
    }
    if summary.requests > 0 && summary.failed == summary.requests {
        bail!("no request succeeded: {}", summary::kinds(&summary));
    }
    posted?;
    Ok(found.map_or_else(|| exit_status(args, &summary), |found| found::exit_status(&found)))
}

/// A picture needs several loads.
fn check_plot(args: &BenchArgs) -> Result<()> {
    let Some(path) = &args.plot else { return Ok(()) };
    picture::check(path)?;
    let has_steps = args.find_load || args.concurrency.len() > 1 || args.rate.len() > 1;
    ensure!(has_steps, "--plot draws several loads: add --concurrency 1,2,4,8 or --rate 1,2,4,8");
    Ok(())
}

/// `vllm · llama-3 (simulated)`: what was measured.
fn title(header: &SessionHeader) -> String {
    let names = [header.provider.as_deref(), header.model.as_deref()].into_iter().flatten().collect::<Vec<_>>();
    let simulated = if header.simulated { " (simulated)" } else { "" };
    format!("{}{simulated}", names.join(" · "))
}

/// 1 if more requests failed than allowed.
fn exit_status(args: &BenchArgs, summary: &Summary) -> ExitCode {
    #[allow(clippy::cast_precision_loss, reason = "counts of requests are far below 2^53")]
    let rate = summary.failed as f64 / (summary.requests as f64).max(1.0);
    if rate <= args.max_error_rate {
        return ExitCode::SUCCESS;
    }
    let (failed, all) = (summary.failed, counted(summary.requests, "request"));
    output::say(CAUTION, "failed:", &format!("{failed} of {all}, more than --max-error-rate allows"));
    ExitCode::from(1)
}

fn bench(args: &BenchArgs, searched: &[Objective]) -> Result<Bench> {
    let target = args.target.target(args.vendor)?;
    let workload = workload(args)?;
    for warning in &workload.warnings {
        output::say(CAUTION, "warning:", warning);
    }
    Ok(Bench::new(target, workload, plan(args, searched)?, args.simulate.unwrap_or_default())?)
}

fn workload(args: &BenchArgs) -> Result<Workload> {
    if let Some(path) = &args.trace {
        return Ok(Workload::read_trace(path, args.seed)?);
    }
    let workload = prompts(args)?;
    Ok(match args.output_tokens {
        Some(tokens) => workload.with_output_tokens(tokens),
        None => workload,
    })
}

fn prompts(args: &BenchArgs) -> Result<Workload> {
    if let Some(path) = &args.prompts {
        return Ok(Workload::read(path)?);
    }
    let Some(input_tokens) = args.prompt_tokens else {
        // One tier by default: a chart of responses of several lengths would show the mixture.
        let default = [Tier::SimpleRecall];
        return Ok(Workload::tiers(if args.tier.is_empty() { &default } else { &args.tier }));
    };
    let output_tokens = args.output_tokens.unwrap_or(Workload::SYNTHETIC_OUTPUT_TOKENS);
    let sizes = Sizes { input_tokens_stdev: args.prompt_tokens_stdev, ..Sizes::fixed(input_tokens, output_tokens) };
    let asked = args.requests.and_then(|requests| usize::try_from(requests.saturating_add(args.warmup)).ok());
    let most = Workload::SYNTHETIC_PROMPTS;
    Ok(Workload::synthetic(sizes, asked.unwrap_or(most).clamp(1, most), args.seed))
}

fn plan(args: &BenchArgs, searched: &[Objective]) -> Result<Plan> {
    let arrival = match args.arrival {
        ArrivalArg::Constant => Arrival::Constant,
        ArrivalArg::Poisson => Arrival::Poisson,
    };
    let load = match (&args.rate[..], &args.trace) {
        (rates, None) if args.find_load => {
            let rates = if rates.is_empty() { &[1.0] } else { rates };
            let &[first_per_s] = rates else {
                bail!("--rate with --find-load: expected one rate, the first one");
            };
            Load::Find(FindLoad { objectives: searched.to_vec(), alpha: args.alpha, first_per_s, arrival })
        }
        (_, Some(_)) => Load::Replay { speed: args.speed },
        ([], None) if args.concurrency.is_empty() => Load::Closed { concurrency: vec![1] },
        ([], None) => Load::Closed { concurrency: args.concurrency.clone() },
        (rates_per_s, None) => Load::Open { rates_per_s: rates_per_s.to_vec(), arrival },
    };
    Ok(Plan {
        load,
        requests: args.requests,
        duration: args.duration,
        warmup: args.warmup,
        ramp: args.ramp,
        think: args.think,
        timeout: args.timeout,
        connect_timeout: args.connect_timeout,
        retries: args.retries,
        stop_after_failures: args.stop_after_failures,
        reuse_connections: !args.no_keepalive,
        output_tokens: args.output_tokens,
        seed: args.seed,
        sample_machine: args.sample_machine,
        budget: args.budget,
    })
}

fn header(args: &BenchArgs, bench: &Bench) -> Result<SessionHeader> {
    let mut header = bench.header(Probe::new().environment());
    header.name.clone_from(&args.name);
    for label in &args.label {
        let (name, value) = label
            .split_once('=')
            .with_context(|| format!("--label {label}: expected NAME=VALUE, such as build=1234"))?;
        header.labels.insert(name.trim().to_owned(), value.trim().to_owned());
    }
    Ok(header)
}

/// A run that ended.
struct Ended {
    tally: Tally,
    health: Option<ClientHealth>,
    /// The result of a search for a load.
    found: Option<FoundLoad>,
}

/// Receives updates until the run ends, and stops the run at Ctrl-C.
fn drain(
    handle: &BenchHandle,
    interrupted: &AtomicBool,
    recorder: &mut Recorder,
    progress: &mut Progress,
    post: &mut impl FnMut(&RequestRecord),
    (mut tally, steps): (Tally, &mut Steps),
) -> Result<Ended> {
    const TICK: Duration = Duration::from_millis(200);
    let (mut health, mut found) = (None, None);
    let mut stopped = false;
    loop {
        if !stopped && interrupted.load(Ordering::Relaxed) {
            stopped = true;
            handle.stop();
        }
        match handle.next(TICK) {
            Next::Finished => return Ok(Ended { tally, health, found }),
            Next::Idle => progress.show(&tally),
            Next::Update(update) => {
                recorder.record(&update)?;
                match update {
                    Update::Request(record) => {
                        post(&record);
                        tally.push(&record);
                        steps.push(&record);
                        progress.advance(&tally);
                    }
                    Update::Stage(stage) => {
                        progress.begin_stage(&stage);
                        steps.begin(&stage);
                    }
                    Update::StepEnded(health) => steps.end(health),
                    Update::Event(event) => progress.print(&event.message),
                    Update::LoadFound(load) => found = Some(*load),
                    Update::Health(last) => health = Some(last),
                    Update::Sample(_) => {}
                }
            }
        }
    }
}

/// Sends the records that are still queued, within a time limit. All of them are in the session. Records that did not
/// arrive are an error: the service would judge a part of the run.
fn send_rest(uploader: Uploader) -> Result<()> {
    const PATIENCE: Duration = Duration::from_secs(10);
    let Delivery { delivered, waiting, dropped, refused, last_error, .. } = uploader.close(PATIENCE)?;
    let left = waiting as u64 + dropped;
    let style = if left + refused > 0 { CAUTION } else { output::DIM };
    let why = last_error.map(|last_error| format!(": {last_error}")).unwrap_or_default();
    output::say(
        style,
        "post:",
        &format!("{} sent, {left} not sent, {refused} refused{why}", counted(delivered, "record")),
    );
    if left + refused > 0 {
        bail!("{} did not reach the service: upload the session to it", counted(left + refused, "record"));
    }
    Ok(())
}

/// A flag that Ctrl-C or SIGTERM sets; a second signal ends the program at once.
pub(crate) fn on_interrupt() -> Result<Arc<AtomicBool>> {
    use signal_hook::consts::TERM_SIGNALS;
    const INTERRUPTED: i32 = 130;
    let flag = Arc::new(AtomicBool::new(false));
    for &signal in TERM_SIGNALS {
        // In this order, the first signal finds the flag unset and sets it.
        signal_hook::flag::register_conditional_shutdown(signal, INTERRUPTED, flag.clone())?;
        signal_hook::flag::register(signal, flag.clone())?;
    }
    Ok(flag)
}
