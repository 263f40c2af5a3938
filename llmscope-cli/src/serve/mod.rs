//! `serve`: what was typed → settings → the service, until it is told to end.

mod args;

use std::io::IsTerminal as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context as _, Result};
use llmscope_core::{Metric, RuleSet};
use llmscope_harness::{Secret, inquire};
use llmscope_server::{Alerting, Durability, Judging, Keys, Service, Settings, SqliteStore};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt as _;

use self::args::DurabilityArg;
pub(crate) use self::args::ServeArgs;
use crate::analyze::read_baseline;
use crate::output::{self, CAUTION, DIM, GOOD};

pub(crate) fn run(args: &ServeArgs) -> Result<ExitCode> {
    if args.healthcheck {
        return Ok(health(args.address));
    }
    let settings = settings(args)?;
    log(args)?;
    if args.check {
        SqliteStore::open(&settings.database, settings.durability)?.check()?;
        output::say(DIM, "checked:", &format!("{} is sound", settings.database.display()));
    }
    let keyless = settings.keys.is_empty();
    let interrupted = crate::bench::on_interrupt()?;
    let service = Service::start(settings)?;
    announce(args, &service, keyless);
    while !interrupted.load(Ordering::Relaxed) {
        const TICK: Duration = Duration::from_millis(100);
        std::thread::sleep(TICK);
    }
    if args.log_json {
        tracing::info!("ending: requests under way are answered");
    } else {
        output::say(DIM, "ending:", "requests under way are answered");
    }
    service.stop();
    Ok(ExitCode::SUCCESS)
}

/// Says where it listens; to programs as an event of the log.
fn announce(args: &ServeArgs, service: &Service, keyless: bool) {
    const KEYLESS: &str = "there is no key, so only this machine is served, and whoever is on it may do everything \
                           (LLMSCOPE_API_KEY)";
    let (url, store) = (format!("http://{}", service.address()), args.database.display().to_string());
    if args.log_json {
        tracing::info!(url, store, "listening");
        keyless.then(|| tracing::warn!("{KEYLESS}"));
        return;
    }
    output::say(GOOD, "listening:", &url);
    output::say(DIM, "store:", &store);
    keyless.then(|| output::say(CAUTION, "note:", KEYLESS));
}

/// Whether the service at this address is ready. One that listens everywhere listens here, too.
fn health(mut address: SocketAddr) -> ExitCode {
    const PATIENCE: Duration = Duration::from_secs(3);
    if address.ip().is_unspecified() {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    match inquire(&format!("http://{address}/ready"), None, PATIENCE) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            output::say(CAUTION, "not ready:", &error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn settings(args: &ServeArgs) -> Result<Settings> {
    let variable = |name: &str| std::env::var(name).ok();
    let metrics = args.metric.iter().map(|name| name.parse()).collect::<Result<Vec<Metric>, _>>()?;
    let defaults = Judging::default();
    let webhook = Secret::from_environment(&[&args.webhook_env]);
    let alert_rules: RuleSet = args.alert_rules.parse().context("--alert-rules")?;
    Ok(Settings {
        address: args.address,
        database: args.database.clone(),
        durability: match args.durability {
            DurabilityArg::Full => Durability::Full,
            DurabilityArg::Normal => Durability::Normal,
        },
        keys: Keys::new(variable("LLMSCOPE_API_KEY").as_deref(), variable("LLMSCOPE_API_KEYS").as_deref())?,
        origins: args.origin.clone(),
        retention_days: args.retention_days,
        judging: Judging {
            metrics: if metrics.is_empty() { defaults.metrics } else { metrics },
            rules: args.rules.parse().context("--rules")?,
            learn: args.learn,
            transform: args.transform,
        },
        baselines: args.baseline.as_deref().map(read_baseline).transpose()?.unwrap_or_default(),
        alerting: webhook.map(|webhook| Alerting { webhook, rules: alert_rules }),
        requests_per_s: NonZeroU32::new(args.rate_limit),
        connections: args.connections,
    })
}

/// What the service has to say goes to standard error.
fn log(args: &ServeArgs) -> Result<()> {
    let level = std::env::var("LLMSCOPE_LOG").unwrap_or_else(|_| "info".to_owned());
    let filter = EnvFilter::try_new(&level).with_context(|| format!("LLMSCOPE_LOG={level}"))?;
    let logger = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let installed = if args.log_json {
        logger.json().finish().try_init()
    } else {
        logger.with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()).finish().try_init()
    };
    installed.context("the log could not be set up")
}
