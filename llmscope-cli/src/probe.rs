//! `probe`: the machine and its current load.

use std::io::Write;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use llmscope_core::Unit;
use llmscope_core::quantity::{counted, number};
use llmscope_core::session::{Cpu, Environment, Gpu, GpuSample, MachineSample};
use llmscope_harness::probe::{Probe, SHORTEST_INTERVAL};
use serde::Serialize;

use crate::output::{DIM, Sink};
use crate::report::table::bare_table;

pub(crate) fn run(args: &ProbeArgs) -> Result<ExitCode> {
    let mut probe = Probe::new();
    let mut out = Sink::stdout();
    match (args.watch, args.json) {
        (false, json) => once(&mut out, &mut probe, json)?,
        (true, false) => watch(&mut out, &mut probe, args)?,
        (true, true) => watch_json(&mut out, &mut probe, args)?,
    }
    out.finish()?;
    Ok(ExitCode::SUCCESS)
}

/// The machine and one reading of it.
#[derive(Serialize)]
struct Machine {
    environment: Environment,
    sample: MachineSample,
}

fn once(out: &mut Sink, probe: &mut Probe, json: bool) -> Result<()> {
    // The load of the processors takes two readings.
    thread::sleep(SHORTEST_INTERVAL);
    let machine = Machine { environment: probe.environment(), sample: probe.sample() };
    if json {
        return out.write_json(&machine);
    }
    let Machine { environment, sample } = machine;
    let mut rows = machine_rows(&environment);
    rows.extend(sample_rows(&sample, environment.memory_bytes));
    rows.extend(gpu_rows(&environment.gpus, &sample.gpus));
    write_table(out, &rows)?;
    write_unreadable(out, &environment, &sample)
}

/// The machine, then one line per reading.
fn watch(out: &mut Sink, probe: &mut Probe, args: &ProbeArgs) -> Result<()> {
    let environment = probe.environment();
    let mut rows = machine_rows(&environment);
    rows.extend(environment.memory_bytes.map(|bytes| ("memory".to_owned(), gibibytes(bytes))));
    rows.extend(gpu_rows(&environment.gpus, &[]));
    write_table(out, &rows)?;
    for reading in 0..args.count.unwrap_or(u64::MAX) {
        thread::sleep(args.interval);
        let sample = probe.sample();
        if reading == 0 {
            write_unreadable(out, &environment, &sample)?;
        }
        let facts = sample_facts(&sample);
        writeln!(out, "{DIM}{}{DIM:#}  {}", sample.at.strftime("%T"), facts.join(" · "))?;
        out.flush()?;
    }
    Ok(())
}

/// One object per reading, all of one shape.
fn watch_json(out: &mut Sink, probe: &mut Probe, args: &ProbeArgs) -> Result<()> {
    for _ in 0..args.count.unwrap_or(u64::MAX) {
        thread::sleep(args.interval);
        writeln!(out, "{}", serde_json::to_string(&probe.sample())?)?;
        out.flush()?;
    }
    Ok(())
}

/// A name and its text.
type Row = (String, String);

fn write_table(out: &mut Sink, rows: &[Row]) -> Result<()> {
    let mut table = bare_table(out.width());
    for (name, text) in rows {
        table.add_row(vec![format!(" {name}"), text.clone()]);
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(out.flush()?)
}

fn machine_rows(environment: &Environment) -> Vec<Row> {
    let rows = [
        ("operating system", environment.os.clone()),
        ("kernel", environment.kernel.clone()),
        ("container", environment.container.clone()),
        ("processors", environment.cpu.as_ref().map(cpu_text)),
    ];
    named(rows)
}

fn sample_rows(sample: &MachineSample, memory_bytes: Option<u64>) -> Vec<Row> {
    let of_all = memory_bytes.map(|all| format!(" of {}", gibibytes(all))).unwrap_or_default();
    let rows = [
        ("busy", sample.cpu_utilization.map(percent)),
        ("load", sample.load_1m.map(|load| format!("{load:.2} over one minute"))),
        ("memory", sample.memory_used_bytes.map(|used| format!("{}{of_all} in use", gibibytes(used)))),
        ("CPU temperature", sample.cpu_temperature_c.map(celsius)),
    ];
    named(rows)
}

fn named<const N: usize>(rows: [(&str, Option<String>); N]) -> Vec<Row> {
    rows.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?))).collect()
}

/// Name, memory, driver and, if known, the load of each GPU.
fn gpu_rows(gpus: &[Gpu], samples: &[GpuSample]) -> Vec<Row> {
    let row = |(index, gpu): (usize, &Gpu)| {
        let driver = gpu.driver.as_ref().map(|driver| format!("driver {driver}"));
        let mut facts = vec![gpu.name.clone()];
        facts.extend(gpu.memory_bytes.map(gibibytes).into_iter().chain(driver));
        facts.extend(samples.get(index).map(gpu_facts).unwrap_or_default());
        (format!("GPU {index}"), facts.join(", "))
    };
    gpus.iter().enumerate().map(row).collect()
}

fn cpu_text(cpu: &Cpu) -> String {
    let logical = cpu.logical_cores.map(|cores| counted(cores, "usable thread"));
    let physical = cpu.physical_cores.map(|cores| counted(cores, "physical core"));
    [cpu.model.clone(), cpu.architecture.clone(), logical, physical]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ")
}

fn sample_facts(sample: &MachineSample) -> Vec<String> {
    let machine = [
        sample.cpu_utilization.map(|share| format!("{} busy", percent(share))),
        sample.load_1m.map(|load| format!("load {load:.2}")),
        sample.memory_used_bytes.map(|used| format!("{} in use", gibibytes(used))),
        sample.cpu_temperature_c.map(celsius),
    ];
    let gpu = |(index, sample): (usize, &GpuSample)| format!("GPU {index}: {}", gpu_facts(sample).join(", "));
    machine.into_iter().flatten().chain(sample.gpus.iter().enumerate().map(gpu)).collect()
}

fn gpu_facts(sample: &GpuSample) -> Vec<String> {
    let facts = [
        sample.utilization.map(|share| format!("{} busy", percent(share))),
        sample.memory_used_bytes.map(|used| format!("{} in use", gibibytes(used))),
        sample.temperature_c.map(celsius),
        sample.power_w.map(|watts| format!("{} W", number(watts))),
    ];
    facts.into_iter().flatten().collect()
}

/// One line with what cannot be read on this machine.
fn write_unreadable(out: &mut Sink, environment: &Environment, sample: &MachineSample) -> Result<()> {
    let missing = unreadable(environment, sample);
    if !missing.is_empty() {
        writeln!(out, " {DIM}not readable here: {}{DIM:#}", missing.join(", "))?;
    }
    Ok(())
}

fn unreadable(environment: &Environment, sample: &MachineSample) -> Vec<String> {
    let cpu = environment.cpu.as_ref();
    let known = [
        ("operating system", environment.os.is_some()),
        ("kernel", environment.kernel.is_some()),
        ("CPU model", cpu.is_some_and(|cpu| cpu.model.is_some())),
        ("CPU utilization", sample.cpu_utilization.is_some()),
        ("load", sample.load_1m.is_some()),
        ("memory", environment.memory_bytes.is_some() && sample.memory_used_bytes.is_some()),
        ("CPU temperature", sample.cpu_temperature_c.is_some()),
        ("GPUs", !environment.gpus.is_empty()),
    ];
    let missing = known.into_iter().filter(|(_, known)| !known).map(|(name, _)| name.to_owned());
    missing.chain(sample.gpus.iter().enumerate().flat_map(|(index, gpu)| unreadable_of(index, gpu))).collect()
}

fn unreadable_of(index: usize, gpu: &GpuSample) -> Vec<String> {
    let known = [
        ("utilization", gpu.utilization.is_some()),
        ("memory in use", gpu.memory_used_bytes.is_some()),
        ("temperature", gpu.temperature_c.is_some()),
        ("power", gpu.power_w.is_some()),
        ("energy", gpu.energy_j.is_some()),
    ];
    known.into_iter().filter(|(_, known)| !known).map(|(name, _)| format!("{name} of GPU {index}")).collect()
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn celsius(degrees: f64) -> String {
    format!("{degrees:.0} °C")
}

fn gibibytes(bytes: u64) -> String {
    const GIBIBYTE: f64 = 1_073_741_824.0;
    format!("{:.1} GiB", bytes as f64 / GIBIBYTE)
}

/// A time such as `2s` or `500ms`, of at least the shortest interval between readings.
fn interval(text: &str) -> Result<Duration, String> {
    let seconds = Unit::Second.parse(text).map_err(|error| error.to_string())?;
    let interval = Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?;
    if interval < SHORTEST_INTERVAL {
        return Err(format!(
            "expected at least {} ms: shorter intervals cannot be measured",
            SHORTEST_INTERVAL.as_millis()
        ));
    }
    Ok(interval)
}

#[derive(Debug, Args)]
pub(crate) struct ProbeArgs {
    /// Print a reading every interval, until Ctrl-C
    #[arg(long)]
    pub(crate) watch: bool,
    /// Time between two readings, such as 2s or 500ms
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = interval, requires = "watch")]
    pub(crate) interval: Duration,
    /// Stop after N readings
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), requires = "watch")]
    pub(crate) count: Option<u64>,
    /// Print JSON: the machine and one reading, or one reading per line when watching
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bare_sample() -> MachineSample {
        let mut sample = Probe::new().sample();
        (sample.cpu_utilization, sample.load_1m, sample.memory_used_bytes) = (Some(0.5), None, Some(3 << 29));
        (sample.cpu_temperature_c, sample.gpus) = (None, Vec::new());
        sample
    }

    #[test]
    fn what_is_absent_is_named_once_and_has_no_row() {
        let sample = bare_sample();
        let names: Vec<String> = sample_rows(&sample, None).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["busy", "memory"]);
        let environment = Environment { kernel: Some("6.1".to_owned()), ..Environment::default() };
        let expected = ["operating system", "CPU model", "load", "memory", "CPU temperature", "GPUs"];
        assert_eq!(unreadable(&environment, &sample), expected);
    }

    #[test]
    fn readings_are_words() {
        let gpu = GpuSample { utilization: Some(0.37), power_w: Some(95.0), ..GpuSample::default() };
        let sample = MachineSample { gpus: vec![gpu], ..bare_sample() };
        assert_eq!(sample_facts(&sample), ["50.0 % busy", "1.5 GiB in use", "GPU 0: 37.0 % busy, 95.00 W"]);
        let missing = unreadable_of(0, &sample.gpus[0]);
        assert_eq!(missing, ["memory in use of GPU 0", "temperature of GPU 0", "energy of GPU 0"]);
        let gpus = [Gpu { name: "AMD Instinct MI210".to_owned(), driver: None, memory_bytes: Some(64 << 30) }];
        assert_eq!(gpu_rows(&gpus, &[])[0], ("GPU 0".to_owned(), "AMD Instinct MI210, 64.0 GiB".to_owned()));
    }

    #[test]
    fn an_interval_has_a_unit_and_a_shortest_length() {
        assert_eq!(interval("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(interval("500ms"), Ok(Duration::from_millis(500)));
        for bad in ["", "soon", "0s", "1ms", "-2s", "1e30s"] {
            assert!(interval(bad).is_err(), "{bad}");
        }
    }
}
