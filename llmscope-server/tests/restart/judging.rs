//! A restart does not change the violations that are found.

use llmscope_server::WatchSettings;

use super::client::by_rules;
use proptest::prelude::*;
use serde_json::json;

use super::{LEARN, Running, history, keep, series, violations};

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_series_with_restarts_is_judged_like_one_without(
        seed in 0_u64..1000,
        n in 40_usize..90,
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 1..3),
    ) {
        let records = history(seed, n);
        let whole = Running::learning(LEARN);
        keep(&whole.client, &records);

        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(n + 1)).collect();
        cuts.sort_unstable();
        let mut running = Running::learning(LEARN);
        let mut done = 0;
        for cut in cuts {
            keep(&running.client, &records[done..cut]);
            running.restart(|settings| settings.watch = WatchSettings { learn: LEARN, ..by_rules() });
            done = cut;
        }
        keep(&running.client, &records[done..]);
        prop_assert_eq!(violations(&running.client), violations(&whole.client));
        prop_assert_eq!(series(&running.client), series(&whole.client));
    }
}

#[test]
fn the_histories_of_these_tests_violate_rules() {
    let mut rules = std::collections::BTreeSet::new();
    for seed in 0..6 {
        let running = Running::learning(LEARN);
        keep(&running.client, &history(seed, 150));
        rules.extend(violations(&running.client).iter().map(|found| found["rule"].as_str().unwrap().to_owned()));
    }
    assert!(rules.len() >= 6, "{rules:?}");
}

#[test]
fn an_open_violation_continues_after_a_restart() {
    let mut running = Running::learning(LEARN);
    keep(&running.client, &history(4, LEARN));
    let slow = |client: &super::Client| {
        client.post("/api/log", &json!({"provider": "openai", "model": "gpt-4o", "latency": 5})).ok()
    };
    let beyond = |client: &super::Client| -> Vec<_> {
        violations(client).into_iter().filter(|found| found["rule"] == "nelson-1").collect()
    };
    slow(&running.client);
    let first = beyond(&running.client);
    running.restart(|_| {});
    slow(&running.client);
    let then = beyond(&running.client);
    assert_eq!((first.len(), then.len()), (1, 1));
    assert_eq!(first[0]["id"], then[0]["id"]);
    assert_eq!((&first[0]["signals"], &then[0]["signals"], &then[0]["open"]), (&json!(1), &json!(2), &json!(true)));
    assert_eq!(first[0]["signal_at"], then[0]["signal_at"]);
    assert_ne!(first[0]["last_at"], then[0]["last_at"]);
}
