use std::time::Duration;

use egress::{Entry, Outcome};

use super::{GROUPS_MAX, HOSTS_MAX, Requests, Traffic};

fn entry(host: &str, port: u16) -> Entry {
    let (method, scheme) = ("GET".to_owned(), "https".to_owned());
    let outcome = Outcome::Completed;
    Entry {
        method,
        scheme,
        host: host.into(),
        port,
        status: Some(200),
        bytes_in: 10,
        outcome,
        ..Entry::default()
    }
}

#[test]
fn requests_are_grouped_by_host_and_outcome() {
    let traffic = Traffic::default();
    let ledger = traffic.ledger("source");
    for port in [443, 443, 8443] {
        ledger.record(entry("api.test", port));
    }
    ledger.record(entry("::1", 443));
    let groups: Vec<_> = traffic
        .groups()
        .into_iter()
        .map(|(group, amounts)| (group.host, amounts.requests, amounts.bytes_in))
        .collect();
    let expected = [("https://[::1]", 1, 10), ("https://api.test", 2, 20), ("https://api.test:8443", 1, 10)];
    assert_eq!(groups, expected.map(|(host, requests, bytes)| (host.to_owned(), requests, bytes)));
}

#[test]
fn a_connector_that_asks_for_ever_new_hosts_does_not_fill_the_memory() {
    let traffic = Traffic::default();
    let ledger = traffic.ledger("source");
    for number in 0..HOSTS_MAX * 2 {
        ledger.record(entry(&format!("h{number}.test"), 443));
    }
    let groups = traffic.groups();
    assert_eq!(groups.len(), HOSTS_MAX + 1);
    assert_eq!(groups.values().map(|amounts| amounts.requests).sum::<u64>(), 2 * HOSTS_MAX as u64);
}

#[test]
fn paths_beyond_the_limit_do_not_hide_to_whom_a_connector_spoke() {
    let traffic = Traffic::default();
    let ledger = traffic.ledger("source");
    for number in 0..GROUPS_MAX * 2 {
        ledger.record(Entry { path: format!("/p{number}"), ..entry("many.test", 443) });
    }
    ledger.record(entry("last.test", 443));
    let groups = traffic.groups();
    assert_eq!(groups.len(), GROUPS_MAX + 2);
    assert!(groups.keys().any(|group| group.host == "https://last.test"));
}

#[test]
fn a_kept_request_says_for_what_by_which_rule_where_and_how_long_and_a_sum_does_not() {
    let traffic = Traffic::default();
    let ledger = traffic.ledger("source");
    for path in ["/v1/a/{id}", "/v1/b", "/v1/b"] {
        ledger.record(Entry {
            path: path.to_owned(),
            rule: Some("https://api.test".to_owned()),
            address: Some(([192, 0, 2, 1], 443).into()),
            duration: Duration::from_millis(20),
            ..entry("api.test", 443)
        });
    }
    let kept = serde_json::to_value(traffic.entries()).unwrap();
    let (group, amounts) = (&kept[1]["group"], &kept[1]["amounts"]);
    let said = ["path", "rule", "address", "host"].map(|key| group[key].as_str().unwrap());
    assert_eq!(said, ["/v1/b", "https://api.test", "192.0.2.1:443", "https://api.test"]);
    assert_eq!((amounts["requests"].as_u64(), amounts["duration_ms"].as_u64()), (Some(2), Some(40)));
    let read: Vec<Requests> = serde_json::from_value(kept).unwrap();
    assert_eq!(read, traffic.entries());
    let sums = traffic.sums();
    assert_eq!(sums.values().map(|amounts| amounts.requests).collect::<Vec<_>>(), [3]);
}

#[test]
fn what_an_earlier_version_kept_is_still_read() {
    let kept = r#"{"group":{"connection":"source","method":"GET","host":"https://api.test","status":200,
        "outcome":"completed"},"amounts":{"requests":1,"bytes_out":0,"bytes_in":9}}"#;
    let read: Requests = serde_json::from_str(kept).unwrap();
    assert_eq!((read.group.particulars.path, read.amounts.duration_ms), (None, 0));
}

#[test]
fn responses_that_nobody_could_search_are_counted_and_others_say_nothing_of_it() {
    let traffic = Traffic::default();
    let ledger = traffic.ledger("source");
    for opaque in [true, false, true] {
        ledger.record(Entry { opaque, ..entry("packed.test", 443) });
    }
    ledger.record(entry("plain.test", 443));
    let kept = serde_json::to_value(traffic.entries()).unwrap();
    let told =
        |number: usize| (kept[number]["group"]["host"].as_str(), kept[number]["amounts"].get("opaque"));
    assert_eq!(told(0), (Some("https://packed.test"), Some(&2.into())));
    assert_eq!(told(1), (Some("https://plain.test"), None));
    let read: Vec<Requests> = serde_json::from_value(kept).unwrap();
    assert_eq!(read, traffic.entries());
}
