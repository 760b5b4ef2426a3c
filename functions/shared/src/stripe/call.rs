//! One call to Stripe: its tries, its bounds, and what its end means.
//!
//! ```text
//! try ── 2xx ────────────────────────────────► answered
//!  ├─── 401, and there is another key now ───► try with that one
//!  ├─── worth trying again, and time left ───► wait, try
//!  └─── else ────────────────────────────────► refused, or no answer
//! ```
//!
//! Only Stripe's own words count. A refusal without its `error.type`, or an answer that is not the object
//! asked for, is somebody else's (a proxy, a firewall, a captive portal): it is no answer, whatever its
//! status.
//!
//! The rule: a refusal says nothing of an earlier try of the same call that ended unclearly, so the whole is
//! then no answer. Two are exceptions: one that Stripe has kept under the idempotency key is the answer to
//! that try, and what Stripe does not know (any more) is not there, whatever became of it.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderMap;
use reqwest::{Method, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::error::{StripeError, StripeFailure};
use super::pace::Pace;
use super::page_size::PageSize;
use super::retry::{Failed, delay};
use super::{Stripe, StripeKeys};
use crate::aws::error_chain;
use crate::deadline::Deadline;
use crate::endpoint::API_VERSION;
use crate::lossy_json;
use crate::secret::StripeKey;
use crate::unix_time::UnixSeconds;

/// One try. Stripe's slowest calls take a few seconds; its libraries wait 80, longer than API Gateway does.
const TRY_WITHIN: Duration = Duration::from_secs(8);
/// The most that is read of an answer: a Lambda function has 128 MB or more, and what is read is copied
/// twice. A page of larger items is asked for in smaller ones (`page`).
pub(super) const LARGEST_ANSWER: usize = 16 * 1024 * 1024;

/// Calls with one key, to be answered before one deadline.
#[derive(Debug)]
pub struct Session<'a> {
    stripe: &'a Stripe,
    key: StripeKey,
    /// Where another key may be found if Stripe does not know this one.
    keys: Option<&'a StripeKeys>,
    deadline: Deadline,
    pace: Pace,
    /// How many items fit into a page, by what the last page was like.
    pub(super) page_size: PageSize,
    /// The account that the key belongs to, once Stripe has been asked for it; none if it does not say it.
    pub(super) account: OnceCell<Option<String>>,
}

/// The body of an answer.
pub(super) struct Body {
    /// Its bytes, or the first [`LARGEST_ANSWER`] of them.
    pub(super) bytes: Vec<u8>,
    /// Whether there is more of it.
    pub(super) is_cut: bool,
}

/// An answer of Stripe.
#[derive(Debug, Clone)]
pub struct StripeResponse<T> {
    /// What it says.
    pub value: T,
    /// Stripe's `Request-Id`.
    pub request_id: Option<String>,
    /// The time by Stripe's own clock: its `Date`, in whole seconds.
    pub date: Option<Timestamp>,
    /// How long the answered try took.
    pub round_trip: Duration,
}

impl<T> StripeResponse<T> {
    pub(super) fn map<U>(self, read: impl FnOnce(T) -> U) -> StripeResponse<U> {
        let Self { value, request_id, date, round_trip } = self;
        StripeResponse { value: read(value), request_id, date, round_trip }
    }

    /// A time by Stripe's clock that had passed when Stripe looked: its `Date` less the round trip. `None` if
    /// the answer has no `Date`.
    pub fn asked_at(&self) -> Option<Timestamp> {
        self.date?.checked_sub(self.round_trip).ok()
    }

    /// The last second, that had wholly passed when Stripe was asked: what is stamped up to
    /// then is in the answer.
    pub fn as_of(&self) -> Option<UnixSeconds> {
        Some(UnixSeconds::from(self.asked_at()?) - SignedDuration::from_secs(1))
    }
}

impl StripeResponse<Body> {
    /// Reads the body. A call whose answer cannot be read may have been done.
    pub(super) fn parse<T: DeserializeOwned>(self) -> Result<StripeResponse<T>, StripeError> {
        if self.value.is_cut {
            return Err(self.too_large());
        }
        match lossy_json::from_slice(&self.value.bytes) {
            Ok(value) => Ok(self.map(|_| value)),
            // The cause is dropped on purpose: it could quote a secret.
            Err(_) => Err(not_stripes(self.request_id)),
        }
    }

    /// The error of an answer that is too large to be read.
    pub(super) fn too_large(self) -> StripeError {
        self.unusable(StripeFailure::too_large(LARGEST_ANSWER))
    }

    fn unusable(self, failure: StripeFailure) -> StripeError {
        StripeError::NoAnswer(Box::new(StripeFailure { request_id: self.request_id, ..failure }))
    }
}

/// A call to be made.
#[derive(Debug, Clone)]
pub(super) struct Call<'a> {
    pub(super) method: Method,
    /// The path after `/v1/`.
    pub(super) path: &'a [&'a str],
    pub(super) params: Vec<(String, String)>,
    pub(super) idempotency_key: Option<&'a str>,
    /// The connected account it is for.
    pub(super) account: Option<&'a str>,
}

impl<'a> Call<'a> {
    pub(super) fn new(method: Method, path: &'a [&'a str]) -> Self {
        Self { method, path, params: Vec::new(), idempotency_key: None, account: None }
    }

    pub(super) fn param(mut self, name: &str, value: impl Into<String>) -> Self {
        self.params.push((name.to_owned(), value.into()));
        self
    }
}

/// How one try ended.
enum Try {
    Answer { status: u16, headers: Headers, body: Body, round_trip: Duration },
    Lost(String),
}

struct Headers {
    request_id: Option<String>,
    date: Option<Timestamp>,
    failed: Failed,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        stripe: &'a Stripe,
        key: StripeKey,
        keys: Option<&'a StripeKeys>,
        deadline: Deadline,
    ) -> Self {
        let (pace, page_size, account) = (Pace::default(), PageSize::default(), OnceCell::new());
        Self { stripe, key, keys, deadline, pace, page_size, account }
    }

    /// The same, with at least so long from the beginning of one call, or of one try, to that of the next.
    #[must_use]
    pub fn paced(self, interval: Duration) -> Self {
        Self { pace: Pace::of_interval(interval), ..self }
    }

    /// How many calls were made, each try counted.
    pub fn calls(&self) -> u64 {
        self.pace.calls()
    }

    /// Makes a call that Stripe answers with this object (its word for it, and its id if that is known), and
    /// reads it. Anything else is not Stripe's answer.
    pub(super) async fn call_for<T: DeserializeOwned>(
        &self,
        call: &Call<'_>,
        object: &str,
        id: Option<&str>,
    ) -> Result<StripeResponse<T>, StripeError> {
        #[derive(Deserialize)]
        struct Named {
            object: String,
            #[serde(default)]
            id: Option<String>,
        }
        let answer = self.answer(call).await?;
        let named = lossy_json::from_slice::<Named>(&answer.value.bytes);
        let is_it = |named: &Named| named.object == object && (id.is_none() || named.id.as_deref() == id);
        if answer.value.is_cut || named.is_ok_and(|named| is_it(&named)) {
            answer.parse()
        } else {
            Err(not_stripes(answer.request_id))
        }
    }

    /// Makes a call and reads its answer.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        call: &Call<'_>,
    ) -> Result<StripeResponse<T>, StripeError> {
        self.answer(call).await?.parse()
    }

    /// Makes a call, and returns its answer unread.
    pub(super) async fn answer(&self, call: &Call<'_>) -> Result<StripeResponse<Body>, StripeError> {
        let mut key = self.key.clone();
        let mut other_key_tried = false;
        let mut unclear = false;
        let mut tried = 0;
        loop {
            tried += 1;
            let turn = self.pace.take_turn(Instant::now());
            if !self.deadline.allows(turn) {
                let failure = StripeFailure::happened("no turn to call Stripe before the time is up");
                return Err(StripeError::NoAnswer(Box::new(failure)));
            }
            if !turn.is_zero() {
                tokio::time::sleep(turn).await;
            }
            let ended = self.try_once(call, &key).await;
            let (failed, error) = match ended {
                Try::Answer { status: 200..=299, headers, body, round_trip } => {
                    let Headers { request_id, date, .. } = headers;
                    return Ok(StripeResponse { value: body, request_id, date, round_trip });
                }
                Try::Answer { status, headers, body, .. } => {
                    if status == 401
                        && !other_key_tried
                        && let Some(keys) = self.keys
                        && let Some(other) = keys.replacement_for(&key).await
                    {
                        other_key_tried = true;
                        key = other;
                        tried -= 1;
                        continue;
                    }
                    let failure =
                        Box::new(StripeFailure::read(status, &body.bytes, headers.request_id, &key));
                    (headers.failed, error_for(status, headers.failed.replayed, unclear, failure))
                }
                Try::Lost(why) => {
                    (Failed::default(), StripeError::NoAnswer(Box::new(StripeFailure::happened(why))))
                }
            };
            // A call that only reads can be answered anew whatever became of the last try.
            unclear |= matches!(error, StripeError::NoAnswer(_)) && call.method != Method::GET;
            match delay(failed, tried, random()) {
                Some(wait) if self.deadline.allows(wait) => tokio::time::sleep(wait).await,
                Some(_) | None => return Err(error),
            }
        }
    }

    async fn try_once(&self, call: &Call<'_>, key: &StripeKey) -> Try {
        let begun = Instant::now();
        match self.deadline.within(TRY_WITHIN).bound(self.send(call, key, begun)).await {
            Some(Ok(answer)) => answer,
            Some(Err(error)) => Try::Lost(error_chain(&error.without_url())),
            None => Try::Lost(format!("no answer within {:.1} s", begun.elapsed().as_secs_f64())),
        }
    }

    async fn send(&self, call: &Call<'_>, key: &StripeKey, begun: Instant) -> Result<Try, reqwest::Error> {
        let url = self.stripe.base.join(call.path);
        let mut request = self
            .stripe
            .http
            .request(call.method.clone(), url)
            .bearer_auth(key.reveal())
            .header("stripe-version", API_VERSION);
        if let Some(idempotency_key) = call.idempotency_key {
            request = request.header("idempotency-key", idempotency_key);
        }
        if let Some(account) = call.account {
            request = request.header("stripe-account", account);
        }
        let request = if call.method == Method::POST {
            request.form(&call.params)
        } else {
            request.query(&call.params)
        };
        let response = request.send().await?;
        let status = response.status().as_u16();
        let headers = Headers::read(status, response.headers());
        let body = bounded(response).await?;
        Ok(Try::Answer { status, headers, body, round_trip: begun.elapsed() })
    }
}

/// An answer that was good by its status, and is not what Stripe answers.
pub(super) fn not_stripes(request_id: Option<String>) -> StripeError {
    StripeError::NoAnswer(Box::new(StripeFailure {
        request_id,
        ..StripeFailure::happened("an answer that is not Stripe's, or could not be read")
    }))
}

/// What a failed answer means.
fn error_for(status: u16, replayed: bool, unclear: bool, failure: Box<StripeFailure>) -> StripeError {
    match status {
        500.. if replayed => StripeError::IdempotencyKeySpent(failure),
        400 if failure.kind.as_deref() == Some("idempotency_error") => {
            StripeError::IdempotencyKeySpent(failure)
        }
        400..=499 if !failure.is_stripes() => StripeError::NoAnswer(failure),
        400..=499 if unclear && !replayed && !failure.is_missing() => StripeError::NoAnswer(failure),
        401 => StripeError::Unauthorized(failure),
        403 => StripeError::Forbidden(failure),
        // Stripe waited in vain for the whole request; the same call is still running.
        408 | 409 => StripeError::NoAnswer(failure),
        400..=499 => StripeError::Refused(failure),
        _ => StripeError::NoAnswer(failure),
    }
}

/// The body, as far as it is read.
async fn bounded(mut response: Response) -> Result<Body, reqwest::Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = LARGEST_ANSWER - bytes.len();
        bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            return Ok(Body { bytes, is_cut: true });
        }
    }
    Ok(Body { bytes, is_cut: false })
}

impl Headers {
    fn read(status: u16, headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name)?.to_str().ok();
        let date = text("date").and_then(http_date);
        Self {
            request_id: text("request-id").map(str::to_owned),
            date,
            failed: Failed {
                status: Some(status),
                should_retry: text("stripe-should-retry").and_then(|value| value.parse().ok()),
                replayed: text("idempotent-replayed") == Some("true"),
                retry_after: text("retry-after").and_then(|value| retry_after(value, date)),
            },
        }
    }
}

/// `Retry-After`: seconds, or a date (RFC 9110, 10.2.3), which is compared with the answer's own, so that our
/// clock does not matter. What has passed by then is no wait.
fn retry_after(value: &str, date: Option<Timestamp>) -> Option<Duration> {
    match value.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => Some(http_date(value)?.duration_since(date?).try_into().unwrap_or_default()),
    }
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, the one form of HTTP dates that is still sent (RFC 9110, 5.6.7).
pub(crate) fn http_date(text: &str) -> Option<Timestamp> {
    let date = DateTime::strptime("%a, %d %b %Y %H:%M:%S GMT", text).ok()?;
    TimeZone::UTC.to_timestamp(date).ok()
}

/// From 0 to 1: enough to keep many processes from trying again in step.
fn random() -> f64 {
    f64::from(uuid::Uuid::new_v4().as_fields().0) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_as_http_writes_it() {
        let date = http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        assert_eq!(date.as_second(), 784_111_777);
        assert!(http_date("yesterday").is_none());
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_by_the_answers_own_clock() {
        let date = http_date("Sun, 06 Nov 1994 08:49:37 GMT");
        for (value, date, seconds) in [
            ("3", None, Some(3)),
            ("3", date, Some(3)),
            ("Sun, 06 Nov 1994 08:49:39 GMT", date, Some(2)),
            // It has passed.
            ("Sun, 06 Nov 1994 08:49:36 GMT", date, Some(0)),
            ("Sun, 06 Nov 1994 08:49:39 GMT", None, None),
            ("-3", date, None),
            ("soon", date, None),
        ] {
            assert_eq!(retry_after(value, date), seconds.map(Duration::from_secs), "{value}");
        }
    }

    #[test]
    fn the_moment_asked_lies_before_the_answer() {
        let answered = StripeResponse {
            value: (),
            request_id: None,
            date: Some(Timestamp::from_second(100).unwrap()),
            round_trip: Duration::from_millis(1_500),
        };
        assert_eq!(answered.asked_at().unwrap().as_millisecond(), 98_500);
        assert_eq!(answered.as_of(), Some(UnixSeconds::new(97)), "the second 98 was not over yet");
    }

    #[test]
    fn a_refusal_does_not_settle_an_earlier_try_that_ended_unclearly() {
        let failure = || {
            let kind = Some("invalid_request_error".to_owned());
            Box::new(StripeFailure { kind, ..StripeFailure::happened("x") })
        };
        let limit = || Box::new(StripeFailure { code: Some("rate_limit".into()), ..*failure() });
        let answered_with = |status| {
            if status == 400 {
                limit()
            } else {
                Box::new(StripeFailure { status: Some(status), ..*failure() })
            }
        };
        for status in [400, 401, 403, 429] {
            assert!(
                matches!(error_for(status, false, true, answered_with(status)), StripeError::NoAnswer(_)),
                "{status}"
            );
            assert!(
                !matches!(error_for(status, false, false, answered_with(status)), StripeError::NoAnswer(_)),
                "{status}"
            );
        }
        assert!(matches!(error_for(400, false, true, failure()), StripeError::NoAnswer(_)));
        assert!(
            matches!(error_for(400, true, true, failure()), StripeError::Refused(_)),
            "kept, so it is of it"
        );
        let missing = Box::new(StripeFailure { code: Some("resource_missing".into()), ..*failure() });
        assert!(error_for(404, false, true, missing).is_missing());
        for status in [400, 401, 403, 404, 429] {
            let elses = Box::new(StripeFailure { status: Some(status), ..StripeFailure::happened("x") });
            assert!(matches!(error_for(status, false, false, elses), StripeError::NoAnswer(_)), "{status}");
        }
        assert!(matches!(error_for(408, false, false, failure()), StripeError::NoAnswer(_)));
        assert!(matches!(error_for(409, false, false, failure()), StripeError::NoAnswer(_)));
        assert!(matches!(error_for(302, false, false, failure()), StripeError::NoAnswer(_)));
        assert!(matches!(error_for(500, true, false, failure()), StripeError::IdempotencyKeySpent(_)));
    }
}
