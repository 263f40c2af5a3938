//! `serve`: arguments → settings → the service, until a signal ends it.

mod args;

use std::io::IsTerminal as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use llmscope_core::RuleSet;
use llmscope_harness::{Secret, fetch_json};
use llmscope_server::{AlarmKind, Alerting, Durability, Keys, Service, Settings, SqliteStore, WatchSettings};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt as _;

use self::args::DurabilityArg;
pub(crate) use self::args::ServeArgs;
use crate::alarm::{AlarmArg, AlarmSideArg};
use crate::baseline;
use crate::output::{self, CAUTION, DIM, GOOD};

pub(crate) fn run(args: &ServeArgs) -> Result<ExitCode> {
    if args.healthcheck {
        return Ok(health(args.address));
    }
    let settings = settings(args)?;
    log(args)?;
    if args.check {
        SqliteStore::open(&settings.database, settings.durability)?.check()?;
        output::say(DIM, "checked:", &format!("{} passed the integrity check", settings.database.display()));
    }
    let note = key_note(&settings.keys);
    let interrupted = crate::bench::on_interrupt()?;
    let service = Service::start(settings)?;
    announce(args, &service, note);
    while !interrupted.load(Ordering::Relaxed) {
        const TICK: Duration = Duration::from_millis(100);
        std::thread::sleep(TICK);
    }
    if args.log_json {
        tracing::info!("ending: requests in flight are answered");
    } else {
        output::say(DIM, "ending:", "requests in flight are answered");
    }
    service.stop();
    Ok(ExitCode::SUCCESS)
}

/// What the user should know about the keys.
fn key_note(keys: &Keys) -> Option<&'static str> {
    if keys.is_empty() {
        Some(
            "no key is set (LLMSCOPE_API_KEY): the service listens on loopback only, and every local user has all scopes",
        )
    } else {
        keys.short().map(|_| {
            "a key has fewer than 8 characters: it is accepted on loopback only; create one with `openssl rand -hex 24`"
        })
    }
}

/// Reports the address; with --log-json as an event of the log.
fn announce(args: &ServeArgs, service: &Service, note: Option<&str>) {
    let (url, store) = (format!("http://{}", service.address()), args.database.display().to_string());
    if args.log_json {
        tracing::info!(url, store, "listening");
        note.into_iter().for_each(|note| tracing::warn!("{note}"));
        return;
    }
    output::say(GOOD, "listening:", &url);
    output::say(DIM, "store:", &store);
    note.into_iter().for_each(|note| output::say(CAUTION, "note:", note));
}

/// Checks that the service at this address is ready. For an unspecified address, asks on loopback.
fn health(mut address: SocketAddr) -> ExitCode {
    const PATIENCE: Duration = Duration::from_secs(3);
    if address.ip().is_unspecified() {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    match fetch_json(&format!("http://{address}/ready"), None, PATIENCE) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            output::say(CAUTION, "not ready:", &error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn settings(args: &ServeArgs) -> Result<Settings> {
    let variable = |name: &str| std::env::var(name).ok();
    let (alarm, alert_rules) = alarm(args)?;
    let defaults = WatchSettings::default();
    let webhook = Secret::from_environment(&[&args.webhook_env]);
    Ok(Settings {
        address: args.address,
        database: args.database.clone(),
        durability: match args.durability {
            DurabilityArg::Full => Durability::Full,
            DurabilityArg::Normal => Durability::Normal,
        },
        keys: Keys::new(variable("LLMSCOPE_API_KEY").as_deref(), variable("LLMSCOPE_API_KEYS").as_deref())?,
        open_legacy: args.open_legacy,
        origins: args.origin.clone(),
        retention_days: args.retention_days,
        violation_days: args.violation_days,
        watch: WatchSettings {
            metrics: if args.metric.is_empty() { defaults.metrics } else { args.metric.clone() },
            alarm,
            rules: args.rules.clone(),
            learn: args.learn,
            transform: args.transform,
            max_series: args.max_series,
        },
        baselines: args.baseline.as_deref().map(baseline::read).transpose()?.unwrap_or_default(),
        alerting: webhook.map(|webhook| Alerting {
            webhook,
            rules: alert_rules,
            both_sides: args.alarm_side == AlarmSideArg::Both,
            no_data: args.alert_no_data,
        }),
        requests_per_s: NonZeroU32::new(args.rate_limit),
        connections: args.connections,
        ..Settings::default()
    })
}

/// What raises an alarm, and the rules whose violations are sent.
fn alarm(args: &ServeArgs) -> Result<(AlarmKind, RuleSet)> {
    Ok(match (args.alarm, &args.alert_rules) {
        (None | Some(AlarmArg::Shift), None) => (AlarmKind::Shift(args.false_alarms), RuleSet::none()),
        (Some(AlarmArg::Rules), None) => (AlarmKind::Rules, "1,2".parse()?),
        (None | Some(AlarmArg::Rules), Some(rules)) => (AlarmKind::Rules, rules.clone()),
        (Some(AlarmArg::None), None) => (AlarmKind::Nothing, RuleSet::none()),
        (Some(AlarmArg::Shift | AlarmArg::None), Some(_)) => {
            bail!("--alert-rules is about rules: use --alarm rules, or leave --alert-rules out")
        }
    })
}

/// Logs to standard error.
fn log(args: &ServeArgs) -> Result<()> {
    let level = std::env::var("LLMSCOPE_LOG").unwrap_or_else(|_| "info".to_owned());
    let filter = EnvFilter::try_new(&level).with_context(|| format!("LLMSCOPE_LOG={level}"))?;
    let logger = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let installed = if args.log_json {
        logger.json().finish().try_init()
    } else {
        logger.with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()).finish().try_init()
    };
    installed.context("cannot set up logging")
}
