//! Pages without gaps or repeats, and filters.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::client::shape::texts;
use super::client::values::unsteady;
use super::{Client, Running, keep, keep_latencies, learned, violations};

/// The ids of all entries at a path, page by page.
fn all_pages(client: &Client, path: &str, list: &str, limit: usize) -> Vec<i64> {
    let (mut ids, mut before) = (Vec::new(), String::new());
    loop {
        let page = client.get(format!("{path}limit={limit}{before}")).ok();
        let found: Vec<i64> = page[list].as_array().unwrap().iter().map(|one| one["id"].as_i64().unwrap()).collect();
        assert!(found.len() <= limit);
        ids.extend(&found);
        match page.get("next") {
            Some(next) => before = format!("&before={next}"),
            None => return ids,
        }
        assert_eq!(found.len(), limit, "only the last page may be short");
    }
}

#[test]
fn pages_of_records_have_no_gaps_and_no_repeats() {
    let running = Running::start();
    keep(&running.client, &vec![json!({"provider": "a", "e2e_s": 0.3}); 23]);
    keep(&running.client, &vec![json!({"provider": "b", "e2e_s": 0.3}); 7]);
    let newest_first: Vec<i64> = (1..=30).rev().collect();
    for limit in [1, 7, 10, 29, 30, 31] {
        assert_eq!(all_pages(&running.client, "/api/v1/records?", "records", limit), newest_first, "{limit}");
    }
    assert_eq!(all_pages(&running.client, "/api/v1/records?provider=a&", "records", 4), newest_first[7..]);
}

#[test]
fn pages_do_not_change_while_records_arrive() {
    let running = Running::start();
    keep(&running.client, &vec![json!({"provider": "p", "e2e_s": 0.3}); 10]);
    let first = running.client.get("/api/v1/records?limit=5").ok();
    keep(&running.client, &vec![json!({"provider": "p", "e2e_s": 0.3}); 10]);
    let second = running.client.get(format!("/api/v1/records?limit=5&before={}", first["next"])).ok();
    let ids = |page: &Value| {
        page["records"].as_array().unwrap().iter().map(|one| one["id"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((ids(&first), ids(&second)), (vec![10, 9, 8, 7, 6], vec![5, 4, 3, 2, 1]));
}

#[test]
fn a_page_has_100_records_by_default() {
    let running = Running::start();
    keep(&running.client, &vec![json!({"provider": "p", "e2e_s": 0.3}); 101]);
    let page = running.client.get("/api/v1/records").ok();
    assert_eq!((page["records"].as_array().unwrap().len(), &page["next"]), (100, &json!(2)));
}

#[test]
fn pages_of_violations_have_no_gaps_and_no_repeats() {
    let running = learned();
    keep_latencies(&running.client, &unsteady(2, 400));
    let all: Vec<i64> = violations(&running.client, "").iter().map(|found| found["id"].as_i64().unwrap()).collect();
    assert!(all.len() > 20 && all.is_sorted_by(|a, b| a > b), "{all:?}");
    for limit in [1, 7, all.len() - 1, all.len(), all.len() + 1] {
        assert_eq!(all_pages(&running.client, "/api/v1/violations?", "violations", limit), all, "{limit}");
    }
}

#[test]
fn records_are_filtered_by_source_and_time() {
    let running = Running::start();
    let now = Timestamp::now();
    let at = |hours: i64| now - SignedDuration::from_hours(hours);
    for (provider, model, hours) in [("a", Some("m"), 1), ("a", None, 2), ("b", Some("m"), 3), ("a", Some("n"), 4)] {
        let mut record =
            json!({"provider": provider, "e2e_s": 0.3, "started_at": at(hours), "attributes": {"hours": hours}});
        if let Some(model) = model {
            record["model"] = json!(model);
        }
        keep(&running.client, &[record]);
    }
    let hours = |query: String| -> Vec<f64> {
        let page = running.client.get(format!("/api/v1/records?{query}")).ok();
        page["records"].as_array().unwrap().iter().map(|one| one["attributes"]["hours"].as_f64().unwrap()).collect()
    };
    assert_eq!(hours(String::new()), [4.0, 3.0, 2.0, 1.0]);
    assert_eq!(hours("provider=a".into()), [4.0, 2.0, 1.0]);
    assert_eq!(hours("model=m".into()), [3.0, 1.0]);
    assert_eq!(hours("provider=a&model=m".into()), [1.0]);
    assert_eq!(hours("provider=unknown".into()), [0.0; 0]);
    // `from` is inclusive, `to` is exclusive.
    assert_eq!(hours(format!("from={}", at(3))), [3.0, 2.0, 1.0]);
    assert_eq!(hours(format!("from={}&to={}", at(3), at(1))), [3.0, 2.0]);
    assert_eq!(hours("hours=2".into()), [1.0]);
    assert_eq!(hours("limit=2".into()), [4.0, 3.0]);
}

#[test]
fn an_invalid_filter_is_named() {
    let running = Running::start();
    for (query, field) in [
        ("hours=0", "hours"),
        ("limit=0", "limit"),
        ("limit=1000001", "limit"),
        ("from=yesterday", "from"),
        ("hours=1&from=2026-01-01T00:00:00Z", "hours"),
        ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "to"),
        ("before=x", "before"),
        ("format=xml", "format"),
        ("proviider=a", "proviider"),
    ] {
        let (loc, _) = running.client.get(format!("/api/v1/records?{query}")).field_error();
        assert_eq!(loc, [json!("query"), json!(field)], "{query}");
    }
}

#[test]
fn names_may_have_any_characters() {
    let running = Running::start();
    let odd = "a&b=c/ü%20\"'; DROP TABLE records;--\u{1f680}";
    keep(
        &running.client,
        &[json!({"provider": odd, "model": odd, "e2e_s": 0.3}), json!({"provider": "other", "e2e_s": 0.3})],
    );
    let query: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("provider", odd)
        .append_pair("model", odd)
        .finish();
    let page = running.client.get(format!("/api/v1/records?{query}")).ok();
    assert_eq!(texts(&page["records"], "provider"), [odd]);
    assert_eq!(super::series(&running.client)[0]["model"], odd);
}
