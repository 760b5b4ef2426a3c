//! What a probe is, where it may go, and what its answers mean.

use super::*;
use crate::event::{self, ParsedEvent};

#[test]
fn a_probe_is_an_event_that_json_written_anew_would_not_be() {
    let body = body("evt_probe_1", Mode::Test, Timestamp::UNIX_EPOCH);
    let ParsedEvent::Event(event) = event::read(body.as_bytes()) else { panic!("{body}") };
    assert_eq!((event.id.as_str(), event.event_type.as_ref()), ("evt_probe_1", PROBE));
    let value: Value = serde_json::from_str(&body).unwrap();
    for written in [serde_json::to_string(&value).unwrap(), serde_json::to_string_pretty(&value).unwrap()] {
        assert_ne!(written, body);
    }
}

#[test]
fn an_answer_counts_only_if_it_names_the_probe() {
    let outcome_of = |status, answer: &str| outcome(status, answer.as_bytes(), "evt_probe_1");
    assert_eq!(
        outcome_of(200, r#"{"received":true,"event":"evt_probe_1","outcome":"stored"}"#),
        ProbeOutcome::Stored
    );
    assert_eq!(outcome_of(200, "<html>"), ProbeOutcome::Answered { status: 200, code: None });
    assert_eq!(
        outcome_of(200, r#"{"event":"evt_probe_2"}"#),
        ProbeOutcome::Answered { status: 200, code: None }
    );
    assert_eq!(outcome_of(400, r#"{"error":{"code":"signature_mismatch"}}"#), ProbeOutcome::Changed);
    let other = outcome_of(400, r#"{"error":{"code":"of_a_gateway"}}"#);
    assert_eq!(other, ProbeOutcome::Answered { status: 400, code: None });
    let late = ProbeOutcome::Answered { status: 400, code: Some("timestamp_out_of_tolerance".into()) };
    assert_eq!(outcome_of(400, r#"{"error":{"code":"timestamp_out_of_tolerance"}}"#), late);
}

#[test]
fn a_name_that_leads_inside_among_others_leads_inside() {
    let inside_of = |list: &[&str]| {
        let list: Vec<SocketAddr> = list.iter().map(|address| address.parse().unwrap()).collect();
        first_private(&list).map(ToString::to_string)
    };
    assert_eq!(inside_of(&["8.8.8.8:443", "[2606:4700::1]:443"]), None);
    for private in
        ["10.0.0.1:443", "127.0.0.1:443", "169.254.169.254:443", "[::ffff:192.168.0.1]:443", "[fd00::1]:443"]
    {
        assert_eq!(inside_of(&["8.8.8.8:443", private]).as_deref(), Some(private));
    }
}

#[tokio::test]
async fn where_a_name_leads_is_looked_up() {
    assert!(leads_inside("https://localhost/x").await.is_some_and(|address| address.is_loopback()));
    assert_eq!(leads_inside("not an address").await, None);
    assert_eq!(leads_inside("https://nowhere.invalid/x").await, None);
}

#[tokio::test]
async fn nothing_that_answers_a_connection_is_told_apart_from_nothing_that_takes_one() {
    // It takes connections and says nothing: no TLS, or no answer.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let secret = "whsec_x".parse().unwrap();
    for (scheme, at) in [("https", ProbeStage::Connection), ("http", ProbeStage::Response)] {
        let url = format!("{scheme}://{}/x", silent.local_addr().unwrap());
        let report = once(&url, &secret, Mode::Test, true, Timestamp::UNIX_EPOCH).await;
        assert!(
            matches!(&report.outcome, ProbeOutcome::NoAnswer { at: step, .. } if *step == at),
            "{report:?}"
        );
    }
}

#[tokio::test]
async fn no_probe_leaves_for_a_machine_or_network_inside() {
    for url in [
        "http://example.com/x",
        "https://127.0.0.1/x",
        "https://10.0.0.1/x",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/x",
        "not an address",
    ] {
        let secret = "whsec_x".parse().unwrap();
        let outcome = probe(url, &secret, Mode::Test, false, Timestamp::UNIX_EPOCH).await.outcome;
        assert!(matches!(outcome, ProbeOutcome::NoAnswer { at: ProbeStage::Name, .. }), "{url}: {outcome:?}");
    }
    // A port of this machine where nothing listens.
    let secret = "whsec_x".parse().unwrap();
    let outcome =
        probe("http://127.0.0.1:9/x", &secret, Mode::Test, true, Timestamp::UNIX_EPOCH).await.outcome;
    assert!(matches!(outcome, ProbeOutcome::NoAnswer { at: ProbeStage::Connection, .. }), "{outcome:?}");
}
