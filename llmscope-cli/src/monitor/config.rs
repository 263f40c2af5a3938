//! The endpoints to watch: from options, the environment, or a TOML file.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use llmscope_harness::monitor::MonitoredEndpoint;
use llmscope_harness::vendor::Simulation;
use llmscope_harness::{Prices, Target, TargetOptions, VendorKind};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::MonitorArgs;
use crate::target::duration;

/// A file of endpoints. Fields at its top are defaults for all of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    interval: Option<String>,
    timeout: Option<String>,
    prompt: Option<String>,
    output_tokens: Option<u32>,
    endpoint: Vec<EndpointEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EndpointEntry {
    name: Option<String>,
    vendor: String,
    url: Option<String>,
    model: Option<String>,
    provider: Option<String>,
    key_env: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    header_env: BTreeMap<String, String>,
    ca_file: Option<std::path::PathBuf>,
    #[serde(default)]
    extra_body: Map<String, Value>,
    price_in: Option<f64>,
    price_out: Option<f64>,
    interval: Option<String>,
    timeout: Option<String>,
    prompt: Option<String>,
    output_tokens: Option<u32>,
    simulate: Option<String>,
}

pub(super) fn endpoints(args: &MonitorArgs) -> Result<Vec<MonitoredEndpoint>> {
    match &args.config {
        Some(path) => read(path, args).with_context(|| path.display().to_string()),
        None => Ok(vec![from_options(args)?]),
    }
}

fn from_options(args: &MonitorArgs) -> Result<MonitoredEndpoint> {
    let vendor = match args.vendor {
        Some(vendor) => vendor,
        None => from_environment()?,
    };
    let mut options = args.target.clone();
    if matches!(vendor, VendorKind::Ollama | VendorKind::OllamaGenerate) && options.model.is_none() {
        options.model = std::env::var("OLLAMA_MODEL").ok().filter(|model| !model.is_empty());
    }
    let target = options.target(vendor)?;
    Ok(MonitoredEndpoint {
        name: name_of(&target),
        target,
        prompt: args.prompt.clone(),
        output_tokens: Some(args.output_tokens),
        interval: args.interval,
        timeout: args.timeout,
        simulation: args.simulate.unwrap_or_default(),
    })
}

/// The variables of the previous service’s monitor.
fn from_environment() -> Result<VendorKind> {
    match std::env::var("USE_OLLAMA").map(|value| value.to_ascii_lowercase()).as_deref() {
        Ok("true" | "1" | "yes") => Ok(VendorKind::Ollama),
        Ok("false" | "0" | "no") => Ok(VendorKind::Simulated),
        _ => bail!("no endpoint to watch: use --vendor or --config, or set USE_OLLAMA=true"),
    }
}

fn name_of(target: &Target) -> String {
    let host = target.endpoint.url.host_str().unwrap_or_default();
    match target.vendor {
        VendorKind::Simulated => "SIMULATED endpoint".to_owned(),
        _ => format!("{} {} at {host}", target.provider, target.model),
    }
}

fn read(path: &Path, args: &MonitorArgs) -> Result<Vec<MonitoredEndpoint>> {
    let file: File = toml::from_str(&std::fs::read_to_string(path)?)?;
    let watched = file.endpoint.iter().enumerate().map(|(index, entry)| {
        let name = entry.name.clone().unwrap_or_else(|| format!("endpoint {}", index + 1));
        watched(&file, entry, args).with_context(|| name)
    });
    watched.collect()
}

fn watched(file: &File, entry: &EndpointEntry, args: &MonitorArgs) -> Result<MonitoredEndpoint> {
    let vendor: VendorKind = entry.vendor.parse()?;
    let options = TargetOptions {
        url: entry.url.clone(),
        model: entry.model.clone(),
        provider: entry.provider.clone(),
        key_variable: entry.key_env.clone(),
        headers: entry.headers.clone(),
        secret_headers: entry.header_env.clone(),
        roots: entry.ca_file.clone(),
        extra: entry.extra_body.clone(),
        prices: Prices { input_usd_per_million: entry.price_in, output_usd_per_million: entry.price_out },
    };
    let target = Target::new(vendor, options)?;
    let time = |name: &str, own: &Option<String>, shared: &Option<String>, default: Duration| {
        let text = own.as_ref().or(shared.as_ref());
        text.map_or(Ok(default), |text| duration(text).map_err(|error| anyhow::anyhow!("{name}: {error}")))
    };
    let simulation = entry.simulate.as_deref().map(str::parse::<Simulation>).transpose()?;
    let shown = name_of(&target);
    Ok(MonitoredEndpoint {
        name: match (&entry.name, vendor) {
            // A simulation is labelled as simulated everywhere.
            (Some(name), VendorKind::Simulated) => format!("{name} (SIMULATED)"),
            (Some(name), _) => name.clone(),
            (None, _) => shown,
        },
        target,
        prompt: entry.prompt.as_ref().or(file.prompt.as_ref()).unwrap_or(&args.prompt).clone(),
        output_tokens: entry.output_tokens.or(file.output_tokens).or(Some(args.output_tokens)),
        interval: time("interval", &entry.interval, &file.interval, args.interval)?,
        timeout: time("timeout", &entry.timeout, &file.timeout, args.timeout)?,
        simulation: simulation.or(args.simulate).unwrap_or_default(),
    })
}
