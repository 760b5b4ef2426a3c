//! A probe: a request that goes to an endpoint the way Stripe's go, signed with the secret kept here, and
//! what came back.
//!
//! It tells apart what a failed delivery cannot: an address that is not reached, a body that is changed on
//! the way, and a Stripe that signs with another secret. It has a type that Stripe never uses; receive stores
//! it for a day, outside of lists and counts.
//!
//! Rules: a probe goes by https to hosts of the internet only, also when their name leads elsewhere, because
//! a person chose the address; on the local stack it may go to this machine. No redirect is followed. The
//! answer is read up to a bound.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;
use url::{Host, Url};

use crate::aws::error_chain;
use crate::event_type::PROBE;
use crate::http::STRIPE_SIGNATURE;
use crate::mode::Mode;
use crate::public_host::{is_public, names_public_host};
use crate::secret::SigningSecret;
use crate::signature::sign;
use crate::stripe::{http_date, is_loopback};
use crate::unix_time::UnixSeconds;

/// One try. Stripe waits longer, but receive answers within three seconds.
const TRY_WITHIN: Duration = Duration::from_secs(4);
/// Of which connecting, TLS included. A firewall that drops packets says nothing else.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// A try without an answer is made once more.
const TRIES: usize = 2;
/// Far above what receive answers.
const LARGEST_ANSWER: usize = 16 * 1024;

/// What receive answers (functions/receive/README.md).
const OF_RECEIVE: [&str; 8] = [
    "signature_missing",
    "signature_malformed",
    "signature_mismatch",
    "timestamp_out_of_tolerance",
    "payload_invalid",
    "endpoint_unknown",
    "payload_too_large",
    "temporarily_unavailable",
];

/// What became of a probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeOutcome {
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
        at: ProbeStage,
        /// What happened.
        why: String,
    },
}

/// A step on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeStage {
    /// The host's name leads nowhere, or to a network that is not the internet.
    Name,
    /// Connecting, and TLS.
    Connection,
    /// The answer.
    #[serde(rename = "answer")]
    Response,
}

/// A probe, and what was observed on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeReport {
    /// What became of it.
    pub outcome: ProbeOutcome,
    /// The id of the event that it was stored as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Where the host's name led.
    pub addresses: Vec<SocketAddr>,
    /// How long it took, in milliseconds, to the answer or to where it ended.
    pub took_ms: u64,
    /// How far our clock is ahead of that of whoever answered, in milliseconds, give or take a second.
    pub clock_ahead_ms: Option<i64>,
}

/// Sends a probe, signed at `now`. `local` allows an address on this machine, as on the local stack.
pub async fn probe(
    url: &str,
    secret: &SigningSecret,
    mode: Mode,
    local: bool,
    now: Timestamp,
) -> ProbeReport {
    let mut report = once(url, secret, mode, local, now).await;
    for _ in 1..TRIES {
        if matches!(report.outcome, ProbeOutcome::NoAnswer { .. }) {
            report = once(url, secret, mode, local, now).await;
        }
    }
    report
}

async fn once(url: &str, secret: &SigningSecret, mode: Mode, local: bool, now: Timestamp) -> ProbeReport {
    let begun = Instant::now();
    let mut report = ProbeReport {
        outcome: ProbeOutcome::NoAnswer { at: ProbeStage::Name, why: String::new() },
        event: None,
        addresses: Vec::new(),
        took_ms: 0,
        clock_ahead_ms: None,
    };
    let lost = |at, why: String| ProbeOutcome::NoAnswer { at, why };
    let late = |at| lost(at, format!("nothing within {} s", TRY_WITHIN.as_secs()));
    report.outcome = match tokio::time::timeout_at(begun + TRY_WITHIN, resolved(url, local)).await {
        Err(_) => late(ProbeStage::Name),
        Ok(Err(why)) => lost(ProbeStage::Name, why),
        Ok(Ok((url, addresses))) => {
            let id = format!("evt_probe_{}", uuid::Uuid::new_v4().simple());
            let sent = send(url, &addresses, body(&id, mode, now), secret, now);
            let sent = tokio::time::timeout_at(begun + TRY_WITHIN, sent).await;
            report.addresses = addresses;
            match sent {
                Ok(Ok(answer)) => {
                    report.clock_ahead_ms =
                        answer.date.map(|date| now.as_millisecond() - date.as_millisecond());
                    let outcome = outcome(answer.status, &answer.body, &id);
                    report.event = (outcome == ProbeOutcome::Stored).then_some(id);
                    outcome
                }
                Ok(Err(error)) => {
                    let at = if error.is_connect() { ProbeStage::Connection } else { ProbeStage::Response };
                    lost(at, error_chain(&error.without_url()))
                }
                Err(_) => late(ProbeStage::Response),
            }
        }
    };
    report.took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    report
}

/// An answer, read up to its bound.
struct ProbeResponse {
    status: u16,
    date: Option<Timestamp>,
    body: Vec<u8>,
}

impl ProbeOutcome {
    /// What is wrong, and what to do about it; none if it came through.
    pub fn problem(&self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::Stored => return None,
            Self::Changed => (
                "what is sent to the endpoint is changed on the way, so no signature can match: a request of ours was",
                "let the proxy or firewall in between pass the body on byte by byte, and the header Stripe-Signature too; or the address is another stack's",
            ),
            Self::NoAnswer { at: ProbeStage::Name, .. } => (
                "the host in the endpoint's address leads nowhere, or not to the internet",
                "mend its DNS entry, or use another address",
            ),
            Self::NoAnswer { at: ProbeStage::Connection, .. } => (
                "nothing takes connections at the endpoint's address, or its certificate is not trusted",
                "look for a firewall, a proxy that does not run, a certificate that has expired",
            ),
            Self::NoAnswer { at: ProbeStage::Response, .. } => (
                "what takes connections at the endpoint's address does not answer in time",
                "look at the proxy in between, and at the receive function's log and throttling",
            ),
            Self::Answered { code: Some(_), status: 503 } => (
                "the receive function answers that it cannot store events",
                "look at the receive function's log: may it write the ledger, read the registry and the endpoint's secret, is it throttled?",
            ),
            Self::Answered { code: Some(_), .. } => (
                "the receive function refuses a request that is rightly signed",
                "the code says why; a change of an endpoint holds after ten seconds",
            ),
            Self::Answered { code: None, .. } => (
                "something else than the receive function answers at the endpoint's address",
                "is the address right? does a proxy, a firewall or a sign-in page answer in its place, or the API's throttle?",
            ),
        })
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
    match first_private(&addresses).filter(|_| !here) {
        Some(inside) => Err(format!("the name leads to {}, which is not on the internet", inside.ip())),
        None => Ok((url, addresses)),
    }
}

/// Where the host's name in an address leads, if that is not on the internet: nothing may be told to send
/// there. None also for a name that leads nowhere now, or is not answered for in time.
pub async fn leads_inside(url: &str) -> Option<IpAddr> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?.to_owned();
    let looked_up = tokio::net::lookup_host((host, url.port_or_known_default().unwrap_or(443)));
    let addresses = tokio::time::timeout(CONNECT_WITHIN, looked_up).await.ok()?.ok()?;
    let addresses: Vec<SocketAddr> = addresses.collect();
    first_private(&addresses).map(SocketAddr::ip)
}

/// One of these that is not on the internet.
fn first_private(addresses: &[SocketAddr]) -> Option<&SocketAddr> {
    addresses.iter().find(|address| !is_public(address.ip()))
}

async fn send(
    url: Url,
    addresses: &[SocketAddr],
    body: String,
    secret: &SigningSecret,
    now: Timestamp,
) -> Result<ProbeResponse, reqwest::Error> {
    let host = url.host_str().unwrap_or_default().to_owned();
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .resolve_to_addrs(&host, addresses)
        .no_proxy()
        .connect_timeout(CONNECT_WITHIN)
        .user_agent(concat!("Billhook/", env!("CARGO_PKG_VERSION")))
        .build()?;
    let mut response = http
        .post(url)
        .header("content-type", "application/json; charset=utf-8")
        .header(STRIPE_SIGNATURE, sign(secret, UnixSeconds::from(now), body.as_bytes()))
        .body(body)
        .send()
        .await?;
    let date = response.headers().get("date").and_then(|date| date.to_str().ok()).and_then(http_date);
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST_ANSWER {
            body.clear();
            break;
        }
    }
    Ok(ProbeResponse { status: response.status().as_u16(), date, body })
}

fn outcome(status: u16, answer: &[u8], id: &str) -> ProbeOutcome {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    // Only receive's own: anything else may be answered by whoever stands there.
    let code = answer["error"]["code"].as_str().filter(|code| OF_RECEIVE.contains(code)).map(str::to_owned);
    if status == 200 && answer["event"] == id {
        ProbeOutcome::Stored
    } else if status == 400 && code.as_deref() == Some("signature_mismatch") {
        ProbeOutcome::Changed
    } else {
        ProbeOutcome::Answered { status, code }
    }
}

/// An event in the form in which Stripe writes its own: indented, with what a program that reads and writes
/// JSON anew would write in another way.
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
mod tests;
