//! Limits of a former definition of the time per token do not judge values of the current one.

use serde_json::{Value, json};

use super::client::values::steady;
use super::{LEARN, Running, keep, series};
use llmscope_server::WatchSettings;

use super::client::by_rules;

/// Requests with a time per token, of definition 1 or of the current one.
fn requests(seed: u64, n: usize, definition: Option<u32>) -> Vec<Value> {
    let request = |tpot_s: f64| {
        let mut request = json!({"provider": "p", "model": "m", "e2e_s": 1.0, "tpot_s": tpot_s});
        if let Some(definition) = definition {
            request["attributes"] = json!({"tpot_definition": definition});
        }
        request
    };
    steady(seed, n).into_iter().map(request).collect()
}

fn tpot(running: &Running) -> Value {
    let all = series(&running.client);
    all.as_array().unwrap().iter().find(|series| series["metric"] == "tpot_s").unwrap().clone()
}

#[test]
fn values_of_a_newer_definition_begin_a_new_learning_phase() {
    let mut running = Running::learning(LEARN);
    keep(&running.client, &requests(1, LEARN, None));
    let learned = tpot(&running);
    assert_eq!((&learned["state"], &learned["tpot_definition"]), (&json!("watching"), &json!(1)));
    assert_eq!(learned.get("note"), None);

    keep(&running.client, &requests(2, 1, Some(2)));
    let again = tpot(&running);
    assert_eq!(
        (&again["state"], &again["learned"], &again["tpot_definition"]),
        (&json!("learning"), &json!(1), &json!(2))
    );
    assert_eq!(again["note"], "values of definition 2 arrived: the limits of definition 1 are learned again");

    // A client of a former version does not disturb the new limits, also after a restart.
    running.restart(|settings| settings.watch = WatchSettings { learn: LEARN, ..by_rules() });
    keep(&running.client, &requests(3, 5, None));
    keep(&running.client, &requests(4, LEARN - 1, Some(2)));
    let relearned = tpot(&running);
    assert_eq!((&relearned["state"], &relearned["n"]), (&json!("watching"), &json!(2 * LEARN)));
    // The other metrics have all values.
    let all = series(&running.client);
    let e2e = all.as_array().unwrap().iter().find(|series| series["metric"] == "e2e_s").unwrap();
    assert_eq!(e2e["n"], json!(2 * LEARN + 5));

    let report = running.client.get("/api/v1/analysis?metric=tpot_s&limits=data").ok();
    let groups: Vec<_> =
        report["analyses"].as_array().unwrap().iter().map(|one| &one["group"]["tpot_definition"]).collect();
    assert_eq!(groups, ["1", "2"]);
}

#[test]
fn baselines_of_a_former_definition_are_not_adopted() {
    let running = Running::learning(LEARN);
    keep(&running.client, &requests(1, LEARN, None));
    let old = running.client.get("/api/v1/baselines").text();
    keep(&running.client, &requests(2, 1, Some(2)));
    let of_tpot = |text: &str| -> Value {
        let mut file: Value = serde_json::from_str(text).unwrap();
        file["baselines"].as_array_mut().unwrap().retain(|baseline| baseline["metric"] == "tpot_s");
        file
    };
    let refused = running.client.put_text("/api/v1/baselines", &of_tpot(&old).to_string());
    assert!(refused.text().contains("with the definition of its metric"), "{}", refused.text());
    keep(&running.client, &requests(3, LEARN, Some(2)));
    let new = running.client.get("/api/v1/baselines").text();
    assert_eq!(of_tpot(&new)["baselines"][0]["tpot_definition"], json!(2));
    running.client.put_text("/api/v1/baselines", &of_tpot(&new).to_string()).ok();
}
