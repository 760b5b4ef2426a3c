//! A probe: a request that goes to an endpoint the way Stripe's go, signed with the secret kept here, and what came back.
//!
//! It tells apart what a delivery that fails cannot: is the address reached at all, is the body changed on the way, or does Stripe
//! sign with another secret? It has a type that Stripe never uses; receive stores it for a day, outside of lists and counts.
//!
//! Rules: a probe goes by https to hosts of the internet only, also when their name leads elsewhere, because a person chose the
//! address; on the local stack it may go to this machine. No redirect is followed. The answer is read up to a bound.

use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;
use url::{Host, Url};

use crate::address::{is_public, names_public_host};
use crate::aws::chain;
use crate::event_type::PROBE;
use crate::mode::Mode;
use crate::secret::SigningSecret;
use crate::signature::sign;
use crate::stripe::is_loopback;

/// One try. Stripe waits longer, but receive answers within three seconds.
const TRY_WITHIN: Duration = Duration::from_secs(4);
/// A try without an answer is made once more.
const TRIES: usize = 2;
/// Far above what receive answers.
const LARGEST_ANSWER: usize = 16 * 1024;

/// What became of a probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Probed {
    /// It came through unchanged and was stored.
    Stored,
    /// It came through and its signature did not match: it was changed on the way.
    Changed,
    /// Something else was answered: receive's own error code, or none if it was not receive that answered.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The code in the answer.
        code: Option<String>,
    },
    /// Nothing was answered.
    NoAnswer {
        /// How far it got.
        at: Step,
        /// What happened.
        why: String,
    },
}

/// A step on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The host's name leads nowhere, or to a network that is not the internet.
    Name,
    /// Connecting, and TLS.
    Connection,
    /// The answer.
    Answer,
}

/// Sends a probe, signed at `now`. `local`: is this the local stack?
pub async fn probe(url: &str, secret: &SigningSecret, mode: Mode, local: bool, now: Timestamp) -> Probed {
    let mut probed = once(url, secret, mode, local, now).await;
    for _ in 1..TRIES {
        if matches!(probed, Probed::NoAnswer { .. }) {
            probed = once(url, secret, mode, local, now).await;
        }
    }
    probed
}

async fn once(url: &str, secret: &SigningSecret, mode: Mode, local: bool, now: Timestamp) -> Probed {
    let until = Instant::now() + TRY_WITHIN;
    let lost = |at, why: String| Probed::NoAnswer { at, why };
    let late = |at| lost(at, format!("nothing within {} s", TRY_WITHIN.as_secs()));
    let (url, addresses) = match tokio::time::timeout_at(until, resolved(url, local)).await {
        Ok(Ok(resolved)) => resolved,
        Ok(Err(why)) => return lost(Step::Name, why),
        Err(_) => return late(Step::Name),
    };
    let id = format!("evt_probe_{}", uuid::Uuid::new_v4().simple());
    match tokio::time::timeout_at(until, send(url, &addresses, body(&id, mode, now), secret, now)).await {
        Ok(Ok((status, answer))) => meaning(status, &answer, &id),
        Ok(Err(error)) => {
            let at = if error.is_connect() { Step::Connection } else { Step::Answer };
            lost(at, chain(&error.without_url()))
        }
        Err(_) => late(Step::Answer),
    }
}

/// The address, and where its host's name leads: to these addresses and no others the probe goes.
async fn resolved(url: &str, local: bool) -> Result<(Url, Vec<SocketAddr>), String> {
    let url = Url::parse(url).map_err(|error| error.to_string())?;
    let here = local && is_loopback(&url);
    if !here && (url.scheme() != "https" || !names_public_host(&url)) {
        return Err("the address is not https, or inside a machine or network".to_owned());
    }
    let port = url.port_or_known_default().unwrap_or(443);
    let addresses: Vec<SocketAddr> = match url.host() {
        Some(Host::Domain(name)) => {
            let found = tokio::net::lookup_host((name, port)).await;
            found.map_err(|error| format!("`{name}` leads nowhere: {error}"))?.collect()
        }
        Some(Host::Ipv4(address)) => vec![(address, port).into()],
        Some(Host::Ipv6(address)) => vec![(address, port).into()],
        None => return Err("the address has no host".to_owned()),
    };
    match addresses.iter().find(|address| !here && !is_public(address.ip())) {
        Some(inside) => Err(format!("the name leads to {}, which is not on the internet", inside.ip())),
        None => Ok((url, addresses)),
    }
}

async fn send(
    url: Url,
    addresses: &[SocketAddr],
    body: String,
    secret: &SigningSecret,
    now: Timestamp,
) -> Result<(u16, Vec<u8>), reqwest::Error> {
    let host = url.host_str().unwrap_or_default().to_owned();
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .resolve_to_addrs(&host, addresses)
        .no_proxy()
        .user_agent(concat!("Billhook/", env!("CARGO_PKG_VERSION")))
        .build()?;
    let mut response = http
        .post(url)
        .header("content-type", "application/json; charset=utf-8")
        .header("stripe-signature", sign(secret, now.as_second(), body.as_bytes()))
        .body(body)
        .send()
        .await?;
    let mut answer = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        answer.extend_from_slice(&chunk);
        if answer.len() > LARGEST_ANSWER {
            answer.clear();
            break;
        }
    }
    Ok((response.status().as_u16(), answer))
}

fn meaning(status: u16, answer: &[u8], id: &str) -> Probed {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    let code = answer["error"]["code"].as_str().map(str::to_owned);
    if status == 200 && answer["event"] == id {
        Probed::Stored
    } else if status == 400 && code.as_deref() == Some("signature_mismatch") {
        Probed::Changed
    } else {
        Probed::Answered { status, code }
    }
}

/// An event in the form in which Stripe writes its own: indented, with what a program that reads and writes JSON anew would
/// write in another way.
fn body(id: &str, mode: Mode, now: Timestamp) -> String {
    let livemode = mode == Mode::Live;
    let created = now.as_second();
    format!(
        r#"{{
  "id": "{id}",
  "object": "event",
  "api_version": null,
  "created": {created},
  "data": {{
    "object": {{
      "object": "{PROBE}",
      "text": "\u00e9 é \/ /",
      "number": 1.50,
      "a": null
    }}
  }},
  "livemode": {livemode},
  "type": "{PROBE}"
}}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{self, Reading};

    #[test]
    fn a_probe_is_an_event_that_json_written_anew_would_not_be() {
        let body = body("evt_probe_1", Mode::Test, Timestamp::UNIX_EPOCH);
        let Reading::Event(event) = event::read(body.as_bytes()) else { panic!("{body}") };
        assert_eq!((event.id.as_str(), event.event_type.as_ref()), ("evt_probe_1", PROBE));
        let value: Value = serde_json::from_str(&body).unwrap();
        for written in [serde_json::to_string(&value).unwrap(), serde_json::to_string_pretty(&value).unwrap()]
        {
            assert_ne!(written, body);
        }
    }

    #[test]
    fn an_answer_counts_only_if_it_names_the_probe() {
        let of = |status, answer: &str| meaning(status, answer.as_bytes(), "evt_probe_1");
        assert_eq!(of(200, r#"{"received":true,"event":"evt_probe_1","outcome":"stored"}"#), Probed::Stored);
        assert_eq!(of(200, "<html>"), Probed::Answered { status: 200, code: None });
        assert_eq!(of(200, r#"{"event":"evt_probe_2"}"#), Probed::Answered { status: 200, code: None });
        assert_eq!(of(400, r#"{"error":{"code":"signature_mismatch"}}"#), Probed::Changed);
        let late = Probed::Answered { status: 400, code: Some("timestamp_out_of_tolerance".into()) };
        assert_eq!(of(400, r#"{"error":{"code":"timestamp_out_of_tolerance"}}"#), late);
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
            let probed = probe(url, &secret, Mode::Test, false, Timestamp::UNIX_EPOCH).await;
            assert!(matches!(probed, Probed::NoAnswer { at: Step::Name, .. }), "{url}: {probed:?}");
        }
        // A port of this machine where nothing listens.
        let secret = "whsec_x".parse().unwrap();
        let probed = probe("http://127.0.0.1:9/x", &secret, Mode::Test, true, Timestamp::UNIX_EPOCH).await;
        assert!(matches!(probed, Probed::NoAnswer { at: Step::Connection, .. }), "{probed:?}");
    }
}
