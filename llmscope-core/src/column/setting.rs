//! Which columns of a summary say how its run was set up. Runs with equal settings are runs of the same thing.

use super::name::{Name, is_in};
use super::{Meaning, Preference, Role};

/// Numbers that are chosen before a run: the load and its shape, and how the work is divided.
const CHOSEN: &str = "\
    concurrency users vus connections clients workers threads parallelism batch ubatch layers burstiness tp pp dp ep \
    gpus replicas parameter";
/// Numbers that are chosen if they have no statistic. Measured token counts are `input_tokens.mean`.
const CHOSEN_NAMES: [&str; 3] = ["input_tokens", "output_tokens", "n_depth"];
/// What the runs of a chart are meant to compare: the software that was measured.
const VERSIONS: &str = "version versions commit sha revision build release digest";

/// True if the column of this name says how a run was set up, and not when it ran, which run it was, or what it measured.
///
/// A text is a setting, unless its name says that it is a time, an identity, a status, or a version of the software:
/// versions are what a chart of runs compares. A number is one if its name says that it is chosen: a concurrency, or a
/// rate at which requests were offered.
pub(crate) fn is_setting(name: &str, is_number: bool) -> bool {
    let words = Name::of(name);
    let meaning = Meaning::of_name(name);
    if words.has(VERSIONS) {
        return false;
    }
    if !is_number {
        return !matches!(meaning.role, Role::Time | Role::Identity | Role::Status);
    }
    let is_offered = meaning.role == Role::Rate && meaning.preference == Preference::Unknown;
    // `metric.statistic` is measured.
    !name.contains('.')
        && (is_offered || words.has(CHOSEN) || is_prescribed_length(&words) || CHOSEN_NAMES.contains(&name))
}

/// A length of prompts or answers in tokens: `random_input_len`.
fn is_prescribed_length(words: &Name) -> bool {
    words.last() == Some("len") && words.words.iter().any(|word| is_in("input output prompt prefix", word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_and_labels_are_settings_and_results_are_not() {
        for (name, is_number, expected) in [
            ("model", false, true),
            ("dataset", false, true),
            ("backend", false, true),
            ("started_at", false, false),
            ("start_time_local", false, false),
            ("request_id", false, false),
            ("status", false, false),
            ("build_commit", false, false),
            ("vllm_version", false, false),
            ("concurrency", true, true),
            ("n_gpu_layers", true, true),
            ("parameter_n", true, true),
            ("request_rate_per_s", true, true),
            ("random_input_len", true, true),
            ("input_tokens", true, true),
            ("input_tokens.mean", true, false),
            ("requests_per_s", true, false),
            ("requests", true, false),
            ("failed", true, false),
            ("duration_s", true, false),
            ("ttft_s.p50", true, false),
            ("total_input_tokens", true, false),
            ("spec_decode_acceptance_length", true, false),
            ("rtfx", true, false),
        ] {
            assert_eq!(is_setting(name, is_number), expected, "{name}");
        }
    }
}
