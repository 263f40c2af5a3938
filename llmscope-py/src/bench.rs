//! Benchmarks of endpoints.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use llmscope_core::session::SessionWriter;
use llmscope_core::{Session as CoreSession, Unit};
use llmscope_harness::vendor::Simulation;
use llmscope_harness::workload::{Conversation, Sizes, Tier, Turn, Workload};
use llmscope_harness::{
    Arrival, Bench, BenchHandle, Load, Next, Objectives, Plan, Prices, Probe, Tally, Target, TargetOptions, Update,
    VendorKind,
};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::error::Result;
use crate::session::Session;

/// Measures an endpoint: sends requests, timestamps every chunk of the responses, and returns them as a session.
///
/// Ctrl-C ends the run; the session then contains the requests that had ended. Keys come from the environment, as on
/// the command line: ``OPENAI_API_KEY``, ``ANTHROPIC_API_KEY``, ``GEMINI_API_KEY``, …
///
/// Args:
///     vendor: ``"openai"`` (and compatible servers), ``"openai-responses"``, ``"azure"``, ``"openrouter"``,
///         ``"anthropic"``, ``"gemini"``, ``"bedrock"``, ``"github"``, ``"ollama"``, ``"ollama-generate"`` or
///         ``"simulated"``.
///     url: Base URL, such as ``"http://localhost:8000/v1"``; by default, the vendor's own.
///     model: The model; by default, the only one that the endpoint lists.
///     provider: Name of the provider, if it differs from the vendor.
///     key_env: Environment variable that contains the key, if it differs from the vendor's own.
///     extra_body: Additional fields for the body of every request.
///     requests: Number of requests to measure; 100 by default, unlimited with a duration.
///     duration: Time during which requests are issued: seconds, or a text such as ``"60s"``.
///     concurrency: Closed loop: N clients, each of which waits for its response. Several numbers make a sweep.
///     rate: Open loop: requests per second, regardless of pending responses.
///     arrival: Distribution of arrivals in an open loop: ``"poisson"`` or ``"constant"``.
///     warmup: Number of initial requests that the analysis excludes.
///     prompts: Prompts as a list of texts, or the path of a file of prompts.
///     prompt_tokens: Generate synthetic prompts of about N tokens.
///     output_tokens: Maximum number of output tokens per request.
///     tier: Built-in prompts: ``"simple-recall"``, ``"moderate-reasoning"``, ``"complex-reasoning"``,
///         ``"high-load-creative"`` or ``"extended-context"``.
///     timeout: Time limit for a complete response: seconds, or a text such as ``"60s"``.
///     retries: Number of further attempts after 429, 5xx or a broken connection.
///     reuse_connections: False to open a new connection for every request.
///     seed: Seed of every random choice.
///     price_in: US dollars per million input tokens.
///     price_out: US dollars per million output tokens.
///     simulate: Behavior of the simulated vendor: ``"ttft=50ms,tpot=2ms,failures=1%,shift=100:1.5"``.
///     name: A name for the run.
///     labels: Labels to group by.
///     output: File in JSON Lines to which each request is appended during the run; it must not exist.
///     progress: True for a line on standard error, False for none, or a function that receives the current summary as
///         a dictionary about twice a second.
///
/// Returns:
///     The session.
///
/// Raises:
///     BenchError: If the endpoint cannot be used: no key, no such address, no model.
///     ParameterError: If the parameters contradict each other.
///
/// Example:
///     >>> import llmscope as ls
///     >>> session = ls.bench("simulated", requests=12, simulate="ttft=5ms,tpot=1ms,tokens=8", progress=False)
///     >>> len(session), session.simulated, session.summary()["failed"]
///     (12, True, 0)
#[pyfunction]
#[pyo3(signature = (
    vendor, *, url = None, model = None, provider = None, key_env = None, extra_body = None, requests = None,
    duration = None, concurrency = Several(vec![1]), rate = None, arrival = "poisson", warmup = 0, prompts = None,
    prompt_tokens = None, output_tokens = None, tier = None, timeout = None, retries = 0, reuse_connections = true,
    seed = 0, price_in = None, price_out = None, simulate = None, name = None, labels = None, output = None,
    progress = None
))]
#[allow(clippy::too_many_arguments, reason = "keyword arguments in Python")]
pub(crate) fn bench<'py>(
    py: Python<'py>,
    vendor: &str,
    url: Option<String>,
    model: Option<String>,
    provider: Option<String>,
    key_env: Option<String>,
    extra_body: Option<Bound<'py, PyDict>>,
    requests: Option<u64>,
    duration: Option<Seconds>,
    concurrency: Several,
    rate: Option<f64>,
    arrival: &str,
    warmup: u64,
    prompts: Option<Bound<'py, PyAny>>,
    prompt_tokens: Option<u32>,
    output_tokens: Option<u32>,
    tier: Option<&str>,
    timeout: Option<Seconds>,
    retries: u32,
    reuse_connections: bool,
    seed: u64,
    price_in: Option<f64>,
    price_out: Option<f64>,
    simulate: Option<&str>,
    name: Option<String>,
    labels: Option<BTreeMap<String, String>>,
    output: Option<PathBuf>,
    progress: Option<Bound<'py, PyAny>>,
) -> Result<Session> {
    let extra = match extra_body {
        None => serde_json::Map::new(),
        Some(fields) => {
            let text: String = py.import("json")?.call_method1("dumps", (fields,))?.extract()?;
            crate::document::from_json(&text)?
        }
    };
    let options = TargetOptions {
        url,
        model,
        provider,
        key_variable: key_env,
        extra,
        prices: Prices { input_usd_per_million: price_in, output_usd_per_million: price_out },
        ..TargetOptions::default()
    };
    let vendor: VendorKind = vendor.parse()?;
    let simulation = simulate.map(str::parse::<Simulation>).transpose()?.unwrap_or_default();
    let workload = workload(prompts, prompt_tokens, output_tokens, tier, seed)?;
    let workload = match output_tokens {
        Some(tokens) => workload.with_output_tokens(tokens),
        None => workload,
    };
    let usual = Plan::default();
    let plan = Plan {
        load: load(concurrency, rate, arrival)?,
        requests,
        duration: duration.map(|time| time.0),
        warmup,
        timeout: timeout.map_or(usual.timeout, |time| time.0),
        retries,
        reuse_connections,
        output_tokens,
        seed,
        ..usual
    };
    let target = py.detach(|| Target::new(vendor, options))?;
    let bench = Bench::new(target, workload, plan, simulation)?;
    let mut header = bench.header(Probe::new().environment());
    header.name = name;
    header.labels.extend(labels.unwrap_or_default());
    let writer = output.map(|path| SessionWriter::create(&path, &header)).transpose()?;
    let session = CoreSession { header, ..CoreSession::default() };
    let mut recording = Recording { session, writer, tally: Tally::new(Objectives::default()) };
    let mut handle = bench.start()?;
    let listener = listener(py, progress)?;
    let drained = recording.drain(py, &mut handle, listener.as_ref());
    handle.stop();
    py.detach(|| handle.join())?;
    drained?;
    Ok(Session(Arc::new(recording.session)))
}

/// The results of a run so far.
struct Recording {
    session: CoreSession,
    writer: Option<SessionWriter>,
    tally: Tally,
}

impl Recording {
    /// Receives results until the run ends. After Ctrl-C, the results of ended requests are still received.
    fn drain(&mut self, py: Python<'_>, handle: &mut BenchHandle, listener: Option<&Bound<'_, PyAny>>) -> Result<()> {
        const TICK: Duration = Duration::from_millis(50);
        const UPDATE_INTERVAL: Duration = Duration::from_millis(500);
        // The summary sorts all results so far: with many results, computing it must not take too much processor time
        // from the benchmark.
        const PAUSE_FACTOR: u32 = 20;
        let mut due = Instant::now() + UPDATE_INTERVAL;
        loop {
            // Mutably borrowed, because only the thread that waits without the GIL may use it.
            let waiting = &mut *handle;
            match py.detach(move || waiting.next(TICK)) {
                Next::Finished => break,
                Next::Idle => {}
                Next::Update(update) => self.take(update)?,
            }
            if py.check_signals().is_err() {
                handle.stop();
            }
            let begun = Instant::now();
            if let Some(listener) = listener.filter(|_| begun >= due) {
                listener.call1((crate::document::to_dict(py, &self.tally.summary())?, false))?;
                due = Instant::now() + UPDATE_INTERVAL.max(begun.elapsed() * PAUSE_FACTOR);
            }
        }
        if let Some(listener) = listener {
            listener.call1((crate::document::to_dict(py, &self.tally.summary())?, true))?;
        }
        Ok(())
    }

    fn take(&mut self, update: Update) -> Result<()> {
        self.writer.as_mut().map(|writer| update.append_to(writer)).transpose()?;
        if let Update::Request(record) = &update {
            self.tally.push(record);
        }
        update.put_into(&mut self.session);
        Ok(())
    }
}

/// Receives the progress: a function of the summary and whether the run has ended.
fn listener<'py>(py: Python<'py>, progress: Option<Bound<'py, PyAny>>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let module = py.import("llmscope._progress")?;
    Ok(match progress {
        None => module.call_method0("usual")?.extract::<Option<Bound<'py, PyAny>>>()?,
        Some(choice) if choice.is_callable() => Some(module.call_method1("of", (choice,))?),
        Some(choice) if choice.is_truthy()? => Some(module.getattr("line")?),
        Some(_) => None,
    })
}

fn load(concurrency: Several, rate: Option<f64>, arrival: &str) -> Result<Load> {
    let arrival = match arrival {
        "poisson" => Arrival::Poisson,
        "constant" => Arrival::Constant,
        other => Err(llmscope_core::Error::Unknown {
            what: "arrival",
            name: other.to_owned(),
            expected: "poisson or constant".to_owned(),
        })?,
    };
    Ok(match rate {
        Some(rate_per_s) => Load::Open { rates_per_s: vec![rate_per_s], arrival },
        None => Load::Closed { concurrency: concurrency.0 },
    })
}

fn workload(
    prompts: Option<Bound<'_, PyAny>>,
    prompt_tokens: Option<u32>,
    output_tokens: Option<u32>,
    tier: Option<&str>,
    seed: u64,
) -> Result<Workload> {
    if let Some(prompts) = prompts {
        if prompts.is_instance_of::<PyString>() || prompts.hasattr("__fspath__")? {
            return Ok(Workload::read(&prompts.extract::<PathBuf>()?)?);
        }
        let texts: Vec<String> = prompts.extract()?;
        let turn =
            |text: String| Conversation { turns: vec![Turn { text, output_tokens: None }], ..Default::default() };
        let conversations = texts.into_iter().map(turn).collect();
        return Ok(Workload { name: "given prompts".to_owned(), conversations, ..Workload::default() });
    }
    if let Some(input_tokens) = prompt_tokens {
        let sizes = Sizes::fixed(input_tokens, output_tokens.unwrap_or(Workload::SYNTHETIC_OUTPUT_TOKENS));
        return Ok(Workload::synthetic(sizes, Workload::SYNTHETIC_PROMPTS, seed));
    }
    Ok(Workload::tiers(&[tier.map(str::parse::<Tier>).transpose()?.unwrap_or(Tier::SimpleRecall)]))
}

/// One number or several.
pub(crate) struct Several(Vec<usize>);

impl<'py> FromPyObject<'_, 'py> for Several {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        object.extract::<usize>().map(|one| Self(vec![one])).or_else(|_| Ok(Self(object.extract()?)))
    }
}

/// A duration: seconds, or a text with a unit.
pub(crate) struct Seconds(Duration);

impl<'py> FromPyObject<'_, 'py> for Seconds {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let seconds = match object.extract::<String>() {
            Ok(text) => Unit::Second.parse(&text).map_err(|error| PyErr::from(crate::error::Failure::from(error)))?,
            Err(_) => object.extract::<f64>()?,
        };
        Duration::try_from_secs_f64(seconds)
            .map(Self)
            .map_err(|_| PyTypeError::new_err(format!("{seconds} is not a duration in seconds")))
    }
}
