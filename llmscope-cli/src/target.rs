//! The endpoint: options that `bench` and `monitor` share.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use llmscope_core::Unit;
use llmscope_harness::{Prices, Target, TargetOptions, VendorKind};
use serde_json::{Map, Value};

#[derive(Debug, Clone, Args)]
pub(crate) struct TargetArgs {
    /// Base URL, such as http://localhost:8000/v1 [default: the vendor's]
    #[arg(long, value_name = "URL", help_heading = "Endpoint")]
    pub(crate) url: Option<String>,
    /// Model to request [default: the only one that the endpoint lists]
    #[arg(long, value_name = "NAME", help_heading = "Endpoint")]
    pub(crate) model: Option<String>,
    /// Provider's name in sessions, such as vllm [default: from the vendor]
    #[arg(long, value_name = "NAME", help_heading = "Endpoint")]
    pub(crate) provider: Option<String>,
    /// Environment variable with the key [default: the vendor's]
    #[arg(long, value_name = "VARIABLE", help_heading = "Endpoint")]
    pub(crate) key_env: Option<String>,
    /// Header to send, as 'Name: value' (repeatable); secrets: --header-env
    #[arg(long, value_name = "HEADER", help_heading = "Endpoint")]
    pub(crate) header: Vec<String>,
    /// Header whose value is in an environment variable (repeatable)
    #[arg(long, value_name = "NAME=VARIABLE", help_heading = "Endpoint")]
    pub(crate) header_env: Vec<String>,
    /// Certificates to trust in addition to the system's (PEM)
    #[arg(long, value_name = "FILE", help_heading = "Endpoint")]
    pub(crate) ca_file: Option<PathBuf>,
    /// JSON object of fields to set in each request: '{"ignore_eos": true}'
    #[arg(long, value_name = "JSON", help_heading = "Endpoint")]
    pub(crate) extra_body: Option<String>,
    /// US dollars per million tokens of the prompt
    #[arg(long, value_name = "USD", value_parser = price, help_heading = "Endpoint")]
    pub(crate) price_in: Option<f64>,
    /// US dollars per million tokens of the response
    #[arg(long, value_name = "USD", value_parser = price, help_heading = "Endpoint")]
    pub(crate) price_out: Option<f64>,
}

impl TargetArgs {
    pub(crate) fn target(&self, vendor: VendorKind) -> Result<Target> {
        let options = TargetOptions {
            url: self.url.clone(),
            model: self.model.clone(),
            provider: self.provider.clone(),
            key_variable: self.key_env.clone(),
            headers: pairs(&self.header, ':', "--header", "'Name: value'")?,
            secret_headers: pairs(&self.header_env, '=', "--header-env", "Name=VARIABLE")?,
            roots: self.ca_file.clone(),
            extra: self.extra_body.as_deref().map_or_else(|| Ok(Map::new()), extra_body)?,
            prices: Prices { input_usd_per_million: self.price_in, output_usd_per_million: self.price_out },
        };
        Ok(Target::new(vendor, options)?)
    }
}

fn pairs(texts: &[String], separator: char, option: &str, form: &str) -> Result<BTreeMap<String, String>> {
    let pair = |text: &String| {
        let (name, value) = text.split_once(separator).with_context(|| format!("{option}: expected {form}"))?;
        Ok((name.trim().to_owned(), value.trim().to_owned()))
    };
    texts.iter().map(pair).collect()
}

const EXTRA_BODY: &str = "--extra-body: expected a JSON object, such as {\"temperature\": 0}";

fn extra_body(text: &str) -> Result<Map<String, Value>> {
    match serde_json::from_str(text).context(EXTRA_BODY)? {
        Value::Object(fields) => Ok(fields),
        _ => bail!(EXTRA_BODY),
    }
}

fn price(text: &str) -> Result<f64, String> {
    let price = text.trim_start_matches('$').parse().ok().filter(|price: &f64| price.is_finite() && *price >= 0.0);
    price.ok_or_else(|| "expected US dollars per million tokens, such as 2.50".to_owned())
}

/// `500ms`, `30s`, `5min`; a bare number is in seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit_s) = match text.trim() {
        minutes if minutes.ends_with("min") => (minutes.trim_end_matches("min"), 60.0),
        minutes if minutes.ends_with('m') && !minutes.ends_with("sm") => (minutes.trim_end_matches('m'), 60.0),
        hours if hours.ends_with('h') => (hours.trim_end_matches('h'), 3600.0),
        other => (other, 1.0),
    };
    let expected = || format!("\"{text}\" is not a duration: expected 500ms, 30s, 5min or 2h");
    let seconds = if unit_s > 1.0 {
        number.trim().parse::<f64>().map_err(|_| expected())? * unit_s
    } else {
        Unit::Second.parse(number).map_err(|_| expected())?
    };
    Duration::try_from_secs_f64(seconds).map_err(|_| expected())
}
