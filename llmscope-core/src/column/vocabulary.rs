//! The meaning of the words in a column's name.
//!
//! The words are those of the logs that this crate reads and of common exports. A word that is not listed gives no
//! meaning: the answer is then "unknown", which is reported.

use super::name::{Name, is_in};
use super::{Meaning, Preference, Role, Source, units};
use crate::metric::{Bounds, Unit};

/// Things that are counted. With `_s` after them, they form a rate: `tokens_s`, `req_sec`.
pub(super) const COUNTED: &str = "\
    tok toks tokens byte bytes kb mb gb kib mib gib bit bits req reqs requests queries items op ops operations \
    calls messages msgs rows records samples images frames txn transactions errors failures timeouts retries \
    hits misses events chunks chars characters words steps iterations iters flops gflops tflops prompts \
    completions responses jobs tasks kreq kreqs ktok ktoks mtok mtoks ktokens mtokens";
/// Durations.
pub(super) const DURATION: &str = "\
    latency latencies duration durations time times elapsed delay delays wait waiting response rtt took runtime \
    walltime jitter lag timing timings ttft ttfb ttlt tpot itl icl e2e e2el prefill decode overhead age uptime \
    downtime stall lat lats dur rt rtts ping pings responsetime resptime totaltime servicetime querytime exectime \
    roundtrip turnaround makespan";
/// Durations without the word "time": the name alone says so.
pub(super) const CLEAR_DURATION: &str = "\
    latency latencies duration durations elapsed delay delays rtt took runtime walltime jitter lag ttft ttfb \
    ttlt tpot itl icl e2e e2el uptime downtime wait lat lats dur rt rtts ping pings responsetime resptime totaltime \
    servicetime querytime exectime roundtrip turnaround makespan";
/// Durations that are settings or facts, neither good nor bad.
const NEUTRAL_DURATION: &str = "\
    timeout ttl interval period age deadline budget idle offset skew drift audio video remaining between";
/// Durations that are chosen, also next to the name of a latency: `latency_budget_ms`.
const CHOSEN_DURATION: &str = "budget threshold slo sla objective think sleep ramp pause keepalive";
/// Words of columns that hold points in time.
const POINT_IN_TIME: &str = "timestamp timestamps date datetime";
/// More of it is worse.
const BAD: &str = "\
    error errors err errs failure failures failed fail fails timeout timeouts miss misses missed retry retries \
    drop drops dropped reject rejects rejected rejections violation violations loss losses lost hallucination \
    hallucinations toxicity eviction evictions preemption preemptions abort aborts aborted perplexity ppl wer \
    cer mae mse rmse mape brier regret waste wasted penalty jitter overhead defects crash crashes stall stalls \
    incorrect wrong invalid downtime refusal refusals slowdown degradation throttled throttles throttling oom ooms \
    outage outages 4xx 5xx 429s 500s nll logloss ece smape regressions fault faults exception exceptions warning \
    warnings alert alerts alarm alarms incident incidents restart restarts disconnect disconnects disconnections \
    reconnects collision collisions conflicts interrupts leaks leaked kills killed complaint complaints bugs deadlock \
    deadlocks rollbacks invalidations cancelled canceled cancellations expired evicted preempted starvation churn \
    abandoned unavailable swaps violated overruns";
/// More of it is better.
const GOOD: &str = "\
    throughput goodput bandwidth tps rps qps fps iops accuracy acc precision recall f1 auc auroc bleu rouge \
    meteor ndcg mrr hit hits success successes succeeded pass passed passes quality speed speedup availability \
    uptime efficiency mfu similarity reward rewards win wins correct correctness relevance faithfulness \
    groundedness helpfulness coherence satisfaction acceptance accepted match matches xput tput thrpt thruput apdex \
    elo mos csat nps bertscore chrf mcc kappa iou psnr ssim mmlu gsm8k humaneval rtfx savings saved rouge1 rouge2 \
    rougel rougelsum";
/// With these, more of a duration or of something bad is not worse: `time_saved_s`, `errors_avoided`.
const REVERSED: &str = "\
    saved saving savings reduction reductions improvement improvements avoided prevented remaining headroom margin slack \
    survival lifetime mtbf mttf";
/// With these, more of something bad is not worse: `error_detection_rate`, `error_free_rate`.
const HANDLED: &str = "detected detection caught handled recovered free left";
/// Amounts of money of which more is not worse.
const INCOME: &str = "revenue revenues income profit profits sales earnings balance budget";
/// Things that wait: fewer are better.
const BACKLOG: &str = "queue queues queued backlog pending";
/// Phases of a request whose rate is measured, not set.
const MEASURED: &str = "eval decode prefill generation gen output processing generated";
/// Higher scores are better, unless another word says that they are not.
pub(super) const SCORES: &str = "score scores rating ratings elo";
/// Measures of quality without a unit.
const QUALITY: &str = "\
    accuracy acc precision recall f1 auc auroc bleu rouge meteor ndcg mrr quality similarity reward rewards \
    correctness relevance faithfulness groundedness helpfulness coherence satisfaction toxicity perplexity ppl \
    wer cer mae mse rmse brier loss apdex mos csat nps bertscore chrf mcc kappa iou psnr ssim mmlu gsm8k humaneval \
    nll logloss ece smape rouge1 rouge2 rougel rougelsum";
/// Rates per second by their name.
pub(super) const PER_SECOND: &str = "\
    tps rps qps fps iops bps kbps mbps gbps throughput goodput bandwidth mibps xput tput thrpt thruput tgs hz ktps mtps \
    krps kqps kops mops";
pub(super) const PER_MINUTE: &str = "tpm rpm qpm";
pub(super) const SHARES: &str = "rate ratio share fraction pct percent percentage proportion utilization";
pub(super) const MONEY: &str = "cost costs price prices spend usd dollars $";
const SIZES: &str = "byte bytes kb mb gb kib mib gib memory mem rss vram size bits heap";
/// A rate of these, without a period, is a load.
const OFFERED: &str = "token tokens request requests req query queries arrival sample frame";
/// A difference can be below 0.
const DIFFERENCES: &str = "delta diff difference change drift skew offset gain slack";
/// With these, `us` and `ns` are no units: a country, a namespace.
pub(super) const PLACES: &str = "region country market price prices sales revenue population users zone k8s";

/// The meaning of a name by its words.
pub(super) fn meaning(name: &str) -> Meaning {
    let name = Name::of(name);
    let unit = units::of(&name).ok().flatten();
    let role = role(&name, unit);
    let preference = preference(&name, role);
    let has_no_unit = matches!(role, Role::Count | Role::Share | Role::Score | Role::Status | Role::Identity);
    let known = |is_known: bool| if is_known { Source::Name } else { Source::Unknown };
    Meaning {
        role,
        unit: unit.unwrap_or(Unit::One),
        bounds: bounds(&name, role),
        preference,
        unit_from: known(unit.is_some() || has_no_unit),
        preference_from: known(preference != Preference::Unknown),
    }
}

fn role(name: &Name, unit: Option<Unit>) -> Role {
    if name.is_summarized_by("count n") {
        return Role::Count;
    }
    if name.is_summarized_by("variance") {
        return Role::Unknown;
    }
    match unit {
        Some(unit) if unit.is_rate() => return Role::Rate,
        Some(Unit::UsDollar) => return Role::Cost,
        Some(Unit::Percent) => return Role::Share,
        _ => {}
    }
    let last = name.last().unwrap_or_default();
    let is_duration = unit.is_some_and(Unit::is_duration);
    if is_point_in_time(name, last) {
        return Role::Time;
    }
    match last {
        _ if is_duration => return duration(name),
        "id" | "ids" | "uuid" | "uid" | "guid" | "hash" => return Role::Identity,
        "status" | "code" | "ok" | "state" | "success" | "outcome" => return Role::Status,
        "model" | "provider" | "name" | "region" | "version" | "class" | "kind" | "type" => return Role::Label,
        _ if is_named_duration(name, last) => return duration(name),
        _ => {}
    }
    if name.has(MONEY) {
        return Role::Cost;
    }
    if name.has(BACKLOG) && !name.has(SHARES) {
        return Role::Count;
    }
    if name.has(SHARES) {
        let of_things =
            last == "rate" && (name.has(OFFERED) || name.has(MEASURED)) && !name.has(BAD) && !name.has(GOOD);
        return if of_things { Role::Rate } else { Role::Share };
    }
    if name.has(SCORES) || name.has(QUALITY) {
        return Role::Score;
    }
    if name.has(SIZES) {
        return Role::Size;
    }
    let counts = "count counts total number num";
    if name.has(COUNTED) || name.has(counts) || name.has(BAD) || name.has("hit successes passes") {
        return Role::Count;
    }
    Role::Unknown
}

fn is_point_in_time(name: &Name, last: &str) -> bool {
    let is_end = name.has("start end arrival begin") && !name.has_phrase(&["end", "to", "end"]);
    let before = name.words.len().checked_sub(2).map_or("", |at| name.words[at].as_str());
    let is_event = last == "at" && (before.ends_with("ed") || matches!(before, "sent" | "begun"));
    let is_named = name.has(POINT_IN_TIME)
        || is_event
        || (last == "ts" && !units::is_rate_of_tokens(name))
        || name.words == ["time"];
    is_named || (is_end && name.has("time times"))
}

/// A duration without a unit.
fn is_named_duration(name: &Name, last: &str) -> bool {
    let phrases = [["time", "to"], ["time", "per"], ["time", "between"], ["time", "taken"], ["time", "spent"]];
    let is_first_token = last == "token" && name.has_phrase(&["first", "token"]);
    let has_phrase = phrases.iter().any(|phrase| name.has_phrase(phrase));
    let is_of_duration = [SHARES, SCORES, BAD, "count counts"].iter().any(|words| is_in(words, last));
    (name.has(CLEAR_DURATION) && (!is_of_duration || is_in(CLEAR_DURATION, last)))
        || matches!(last, "time" | "times")
        || has_phrase
        || is_first_token
}

fn duration(name: &Name) -> Role {
    const PER_TOKEN: [&[&str]; 5] =
        [&["per", "token"], &["per", "tok"], &["per", "output", "token"], &["inter", "token"], &["inter", "chunk"]];
    if name.has("ttft") || name.has_phrase(&["first", "token"]) {
        Role::FirstToken
    } else if name.has("tpot itl icl") || PER_TOKEN.iter().any(|phrase| name.has_phrase(phrase)) {
        Role::PerToken
    } else if name.has("e2e e2el") || name.has_phrase(&["end", "to", "end"]) {
        Role::EndToEnd
    } else {
        Role::Duration
    }
}

/// Lower is better for durations, costs and what is bad; higher for rates, scores and what is good. Words that
/// contradict each other say nothing.
fn preference(name: &Name, role: Role) -> Preference {
    if name.is_summarized_by("std stdev stddev sd mad iqr") {
        return Preference::Lower;
    }
    if name.is_summarized_by("variance") {
        return Preference::Unknown;
    }
    if name.is_summarized_by("count n") {
        return preference_of_count(name);
    }
    let (is_good, is_bad) = (name.has(GOOD), name.has(BAD));
    let is_for_less = role.is_duration() || role == Role::Cost || is_bad;
    match role {
        Role::Time | Role::Identity | Role::Label | Role::Status | Role::Size => Preference::Unknown,
        _ if is_for_less && is_reversed(name, role) => Preference::Unknown,
        _ if is_good && is_bad => Preference::Unknown,
        Role::Score | Role::Share if name.has(CLEAR_DURATION) && !is_bad && !name.has("uptime") => Preference::Unknown,
        Role::FirstToken | Role::EndToEnd | Role::PerToken => Preference::Lower,
        Role::Duration if name.has("uptime") => Preference::Higher,
        Role::Duration => {
            let is_neutral = name.has(NEUTRAL_DURATION) && !name.has(CLEAR_DURATION) && !name.has("response");
            if is_neutral || name.has(CHOSEN_DURATION) { Preference::Unknown } else { Preference::Lower }
        }
        Role::Cost => Preference::Lower,
        _ if is_bad => Preference::Lower,
        _ if is_good => Preference::Higher,
        Role::Count if name.has(BACKLOG) => Preference::Lower,
        // A rate at which requests were offered is a load.
        Role::Rate if name.has("rate arrival offered target") && !name.has(MEASURED) => Preference::Unknown,
        Role::Rate => Preference::Higher,
        Role::Score if name.has(SCORES) => Preference::Higher,
        Role::Score | Role::Share | Role::Count | Role::Unknown => Preference::Unknown,
    }
}

/// True if the name turns what is bad into something good: `errors_avoided`, `time_to_failure`, `non_error_rate`.
fn is_reversed(name: &Name, role: Role) -> bool {
    let is_bad = |word: &str| is_in(BAD, word);
    let is_negated = |pair: &[String]| match pair {
        [before, word] => is_bad(word) && is_in("to no non zero without", before),
        _ => false,
    };
    let is_handled = !role.is_duration() && name.has(BAD) && name.has(HANDLED);
    name.has(REVERSED)
        || is_handled
        || (role == Role::Cost && name.has(INCOME))
        || name.words.windows(2).any(is_negated)
}

/// The preference of a number of events: `error_count`, `n_hits`. The number of values of a measure has none.
fn preference_of_count(name: &Name) -> Preference {
    const GOOD_EVENTS: &str =
        "hit hits success successes succeeded pass passed passes win wins correct accepted matches";
    let is_of_values = name.has(QUALITY) || name.has(DURATION);
    match (name.has(GOOD_EVENTS), name.has(BAD) && !is_of_values) {
        (true, false) => Preference::Higher,
        (false, true) => Preference::Lower,
        _ => Preference::Unknown,
    }
}

fn bounds(name: &Name, role: Role) -> Bounds {
    let is_amount = matches!(role, Role::Rate | Role::Share | Role::Count | Role::Size | Role::Cost);
    let is_dispersion = name.is_summarized_by("std stdev stddev sd mad iqr");
    if is_dispersion || ((role.is_duration() || is_amount) && !name.has(DIFFERENCES)) {
        Bounds::NON_NEGATIVE
    } else {
        Bounds::NONE
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Meaning, Preference, Role};
    use crate::metric::Unit;

    #[track_caller]
    fn check(names: &[&str], role: Role, unit: Unit, preference: Preference) {
        for name in names {
            let found = Meaning::of_name(name);
            assert_eq!((found.role, found.unit, found.preference), (role, unit, preference), "{name}");
        }
    }

    #[test]
    fn durations_have_their_units_and_lower_is_better() {
        use Preference::Lower;
        let duration = |names: &[&str], unit| check(names, Role::Duration, unit, Lower);
        duration(
            &["latency_ms", "latencyMs", "LatencyMS", "Latency (ms)", "queue.wait_ms", "p95_latency_ms"],
            Unit::Millisecond,
        );
        duration(
            &["latency_ms_p95", "latency_ms.mean", "prefill_ms", "elapsed_millis", "ms", "time_ms"],
            Unit::Millisecond,
        );
        duration(
            &["latency_us", "latency_µs", "Latency [µs]", "duration_usec", "elapsedMicros", "p99_us"],
            Unit::Microsecond,
        );
        duration(&["latency_ns", "real_time_ns", "elapsedNs", "DurationNanoseconds"], Unit::Nanosecond);
        duration(
            &["Total Time (s)", "latency_s", "durationSeconds", "window_response_s.p95", "took_sec", "p95_s", "s/it"],
            Unit::Second,
        );
        duration(&["Time / s", "latency_s.std", "queue_time_s", "wait_seconds"], Unit::Second);
        duration(&["duration_minutes", "wait_mins"], Unit::Minute);
        duration(&["duration_h", "runtime_hours"], Unit::Hour);
        duration(&["latency", "duration", "latency_min", "response_time", "Total Time", "time_to_connect"], Unit::One);
        check(
            &["ttft_ms", "mean_ttft_ms", "TTFTms", "time_to_first_token_ms"],
            Role::FirstToken,
            Unit::Millisecond,
            Lower,
        );
        check(&["median_ttft", "first_token", "time_to_first_token"], Role::FirstToken, Unit::One, Lower);
        check(&["e2e_ms", "e2eLatencyMs", "median_e2el_ms"], Role::EndToEnd, Unit::Millisecond, Lower);
        duration(&["lat", "dur", "rt", "ping", "time_taken", "elapsed", "resp_time", "rtt", "responsetime"], Unit::One);
        duration(&["lat_ms", "rt_ms", "time_taken_ms", "respTimeMs", "latency/ms"], Unit::Millisecond);
        check(&["E2ELatencyMs"], Role::EndToEnd, Unit::Millisecond, Lower);
        check(&["TTFTMs", "ttft(ms)", "ttftms"], Role::FirstToken, Unit::Millisecond, Lower);
        check(&["end_to_end_time"], Role::EndToEnd, Unit::One, Lower);
        check(
            &["itl_ms", "inter_token_latency_ms", "ms_per_token", "ms/tok"],
            Role::PerToken,
            Unit::Millisecond,
            Lower,
        );
        check(
            &["s_per_token", "time_per_output_token_s", "tpot_s", "tpot_s.p99"],
            Role::PerToken,
            Unit::SecondPerToken,
            Lower,
        );
        check(&["uptime_s"], Role::Duration, Unit::Second, Preference::Higher);
        check(
            &["timeout_s", "audio_s", "interval_s", "time_between_failures_s", "think_time_s", "latency_budget_s"],
            Role::Duration,
            Unit::Second,
            Preference::Unknown,
        );
    }

    #[test]
    fn rates_are_not_durations_and_higher_is_better() {
        use Preference::{Higher, Lower, Unknown};
        let rate = |names: &[&str], unit| check(names, Role::Rate, unit, Higher);
        rate(
            &["tps", "tokens_per_sec", "tok_s", "Tokens/sec", "tokensPerSecond", "tok/s", "output_tps"],
            Unit::PerSecond,
        );
        rate(&["throughput", "output_throughput", "Throughput (MB/s)", "goodput", "qps", "rps_mean"], Unit::PerSecond);
        rate(&["req_sec", "bytes_s", "requests_per_s", "requests_s", "Requests/s", "decode_tok_s"], Unit::PerSecond);
        rate(
            &["output_tokens_per_s", "timings.predicted_per_second", "items_second", "bandwidth_gbps"],
            Unit::PerSecond,
        );
        rate(&["queries_per_ms", "items_per_ms"], Unit::PerMillisecond);
        rate(&["ops_per_us"], Unit::PerMicrosecond);
        rate(&["ops_per_ns"], Unit::PerNanosecond);
        rate(&["tokens_per_min", "tpm", "Requests/min"], Unit::PerMinute);
        rate(&["jobs_per_hour"], Unit::PerHour);
        check(&["errors_s", "errors_per_sec", "Failures/s", "timeouts_per_s"], Role::Rate, Unit::PerSecond, Lower);
        check(&["request_rate_per_s"], Role::Rate, Unit::PerSecond, Unknown);
        rate(&["xput", "tput", "tgs", "ktps", "kops", "hz", "fps", "iops", "mbps", "gbps", "kreq_s"], Unit::PerSecond);
        rate(&["tok_s_gpu", "tokens_ps", "req_ps", "tg_ts", "avg_ts"], Unit::PerSecond);
        rate(&["eval_rate", "decode_rate", "output_token_rate"], Unit::One);
        check(&["rtfx"], Role::Unknown, Unit::One, Higher);
        check(&["request_rate", "token_rate"], Role::Rate, Unit::One, Unknown);
    }

    #[test]
    fn shares_scores_counts_and_costs_have_their_directions() {
        use Preference::{Higher, Lower, Unknown};
        check(
            &["hit_rate", "cache_hit_ratio", "success_rate", "acceptance_rate", "pass_rate"],
            Role::Share,
            Unit::One,
            Higher,
        );
        check(&["miss_rate", "failure_ratio", "drop_rate", "error_rate"], Role::Share, Unit::One, Lower);
        check(&["accuracy_pct", "Success %"], Role::Share, Unit::Percent, Higher);
        check(&["error_pct", "packet_loss_percent", "Failures %"], Role::Share, Unit::Percent, Lower);
        check(&["latency_ratio"], Role::Share, Unit::One, Unknown);
        check(&["cpu_percent"], Role::Share, Unit::Percent, Unknown);
        check(&["score", "eval_score", "accuracy", "f1", "bleu", "quality", "rating"], Role::Score, Unit::One, Higher);
        check(&["latency_score"], Role::Score, Unit::One, Unknown);
        check(&["pass_at_1", "speed", "availability"], Role::Unknown, Unit::One, Higher);
        check(&["loss", "perplexity", "wer", "toxicity_score", "brier_score"], Role::Score, Unit::One, Lower);
        check(&["errors", "retries", "failed_requests", "cache_misses"], Role::Count, Unit::One, Lower);
        check(&["tokens", "output_tokens", "requests", "tokens_per_request"], Role::Count, Unit::One, Unknown);
        check(&["latency_ms.count", "ttft_s.count"], Role::Count, Unit::One, Unknown);
        check(&["cache_hits"], Role::Count, Unit::One, Higher);
        check(&["cost", "price", "cost_per_token"], Role::Cost, Unit::One, Lower);
        check(&["cost_usd", "total_usd"], Role::Cost, Unit::UsDollar, Lower);
        check(&["error_count", "n_errors", "retry_count", "queue_depth", "queue_size"], Role::Count, Unit::One, Lower);
        check(&["success_count", "hit_count"], Role::Count, Unit::One, Higher);
        check(&["throughput.count", "loss.count"], Role::Count, Unit::One, Unknown);
        check(&["win_rate", "uptime_ratio"], Role::Share, Unit::One, Higher);
        check(&["refusal_rate"], Role::Share, Unit::One, Lower);
        check(&["uptime_pct", "availability_pct"], Role::Share, Unit::Percent, Higher);
        check(&["downtime_pct"], Role::Share, Unit::Percent, Lower);
        check(&["elo", "apdex", "rougeL", "mos", "humaneval"], Role::Score, Unit::One, Higher);
        check(&["dropped", "oom"], Role::Count, Unit::One, Lower);
        check(&["memory", "rss_bytes", "size"], Role::Size, Unit::One, Unknown);
        check(&["page_faults_per_s", "exceptions_per_s", "restarts/s"], Role::Rate, Unit::PerSecond, Lower);
    }

    #[test]
    fn less_of_what_is_bad_has_no_known_direction() {
        use Preference::Unknown;
        let duration = |names: &[&str]| check(names, Role::Duration, Unit::Second, Unknown);
        duration(&["time_saved_s", "latency_reduction_s", "time_to_failure_s", "mean_time_to_failure_s"]);
        duration(&["latency_headroom_s", "time_remaining_s", "latency_improvement_s"]);
        check(&["revenue_usd", "cost_savings_usd", "budget_remaining_usd"], Role::Cost, Unit::UsDollar, Unknown);
        check(&["error_free_rate", "non_error_rate", "error_detection_rate"], Role::Share, Unit::One, Unknown);
        check(&["errors_avoided", "failures_prevented"], Role::Count, Unit::One, Unknown);
        check(&["time_to_first_token_s"], Role::FirstToken, Unit::Second, Preference::Lower);
    }

    #[test]
    fn other_names_end_in_no_unit_and_have_no_direction() {
        use Preference::Unknown;
        check(
            &["s", "x", "value", "p99", "95%", "", "temperature", "concurrency", "users_us", "height_h"],
            Role::Unknown,
            Unit::One,
            Unknown,
        );
        check(&["status", "status_code", "http_code", "success", "ok"], Role::Status, Unit::One, Unknown);
        check(&["ids", "id", "request_id", "trace_id"], Role::Identity, Unit::One, Unknown);
        check(&["class", "latency_class", "model", "region"], Role::Label, Unit::One, Unknown);
        check(&["timestamp", "time", "started_at", "start_time", "date"], Role::Time, Unit::One, Unknown);
        check(&["timestamp_ms"], Role::Time, Unit::Millisecond, Unknown);
        check(&["start_time_s"], Role::Time, Unit::Second, Unknown);
        check(&["throughput_loss"], Role::Rate, Unit::PerSecond, Unknown);
    }

    #[test]
    fn only_differences_are_below_zero() {
        for (name, bounded) in [
            ("latency_ms", true),
            ("throughput", true),
            ("tokens", true),
            ("latency_ms.std", true),
            ("latency_delta_ms", false),
            ("clock_offset_ms", false),
            ("score", false),
            ("x", false),
        ] {
            assert_eq!(Meaning::of_name(name).bounds.lower.is_some(), bounded, "{name}");
        }
    }
}
