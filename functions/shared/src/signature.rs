//! The `Stripe-Signature` header: how a delivery is known to come from Stripe.
//!
//! Stripe's documentation ("Verify webhook signatures manually"): the header is `t=<unix
//! seconds>,v1=<hex>[,v1=…]`, and a `v1` is HMAC-SHA256, keyed with the whole secret, over the text of `t`, a
//! dot and the body as sent. While a secret is being rolled there is one `v1` for each.
//!
//! Rules kept here, some stricter than the official libraries:
//! - the HMAC is over the text of `t` and the bytes of the body exactly as they came, and compared in
//!   constant time;
//! - every well-formed `v1` counts; items that are not well formed, and other schemes, are skipped;
//! - the signature is checked before the age, so that only the holder of a secret learns about our clock;
//! - the age is bounded both ways (the libraries accept any time in the future);
//! - two different `t` are refused. The same header twice, which a proxy joins by a comma, counts once.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::secret::SigningSecret;
use crate::unix_time::UnixSeconds;

/// How far `t` may be from our clock, in seconds, to either side. Five minutes is the default of Stripe's
/// libraries.
pub const TOLERANCE_S: i64 = 300;

/// Why a delivery is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// No header, or an empty one.
    #[error("the Stripe-Signature header is missing")]
    Missing,
    /// Nothing in it that could be checked.
    #[error("the Stripe-Signature header is malformed: {0}")]
    Malformed(&'static str),
    /// No `v1` was made with a secret of this endpoint over this body.
    #[error(
        "no signature in the Stripe-Signature header matches this body and the endpoint's signing secret"
    )]
    Mismatch,
    /// Rightly signed, but `off_by_s` seconds away from our clock (negative: from the past).
    #[error("the signature's timestamp is {off_by_s} s from the clock here, more than {TOLERANCE_S} s")]
    OutOfTolerance {
        /// `t` less our clock, in seconds.
        off_by_s: i64,
    },
}

/// Checks `header` over `body` against every secret accepted now. Returns `t`.
///
/// # Errors
/// See [`SignatureError`]; the variants are tried in the order in which they stand there.
pub fn verify<'a>(
    header: Option<&str>,
    body: &[u8],
    secrets: impl IntoIterator<Item = &'a SigningSecret>,
    now: UnixSeconds,
) -> Result<UnixSeconds, SignatureError> {
    let header = Header::parse(header.ok_or(SignatureError::Missing)?)?;
    let signed = secrets.into_iter().any(|secret| header.is_signed_with(secret, body));
    if !signed {
        return Err(SignatureError::Mismatch);
    }
    let off_by_s = (header.timestamp - now).as_secs();
    if off_by_s.abs() > TOLERANCE_S {
        return Err(SignatureError::OutOfTolerance { off_by_s });
    }
    Ok(header.timestamp)
}

struct Header<'a> {
    timestamp_text: &'a str,
    timestamp: UnixSeconds,
    signatures: Vec<[u8; 32]>,
}

impl<'a> Header<'a> {
    fn parse(text: &'a str) -> Result<Self, SignatureError> {
        if text.trim().is_empty() {
            return Err(SignatureError::Missing);
        }
        let mut timestamps = text.split(',').filter_map(|item| item.strip_prefix("t="));
        let timestamp_text = timestamps.next().ok_or(SignatureError::Malformed("it has no `t`"))?;
        if timestamps.any(|other| other != timestamp_text) {
            return Err(SignatureError::Malformed("it has two different `t`"));
        }
        if timestamp_text.is_empty() || !timestamp_text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(SignatureError::Malformed("`t` is not a number of seconds"));
        }
        let timestamp = timestamp_text
            .parse()
            .map(UnixSeconds::new)
            .map_err(|_| SignatureError::Malformed("`t` is too large"))?;
        let signatures: Vec<_> =
            text.split(',').filter_map(|item| item.strip_prefix("v1=")).filter_map(decode).collect();
        if signatures.is_empty() {
            return Err(SignatureError::Malformed("it has no `v1` of 64 lower-case hexadecimal digits"));
        }
        Ok(Self { timestamp_text, timestamp, signatures })
    }

    fn is_signed_with(&self, secret: &SigningSecret, body: &[u8]) -> bool {
        let mut mac = mac(secret);
        mac.update(self.timestamp_text.as_bytes());
        mac.update(b".");
        mac.update(body);
        // `verify_slice` compares in constant time.
        self.signatures.iter().any(|signature| mac.clone().verify_slice(signature).is_ok())
    }
}

fn decode(item: &str) -> Option<[u8; 32]> {
    let lower = item.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let mut bytes = [0; 32];
    (lower && hex::decode_to_slice(item, &mut bytes).is_ok()).then_some(bytes)
}

fn mac(secret: &SigningSecret) -> Hmac<Sha256> {
    #[allow(clippy::expect_used, reason = "HMAC takes keys of any length, so this cannot fail")]
    Hmac::new_from_slice(secret.reveal().as_bytes()).expect("HMAC takes any key")
}

/// Makes the header that Stripe would send with `body` at `timestamp`: for the probe and for tests.
pub fn sign(secret: &SigningSecret, timestamp: UnixSeconds, body: &[u8]) -> String {
    let mut mac = mac(secret);
    mac.update(timestamp.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    format!("t={timestamp},v1={}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    const NOW: UnixSeconds = UnixSeconds::new(1_785_000_000);
    const BODY: &[u8] = br#"{"id":"evt_1"}"#;

    fn secret() -> SigningSecret {
        "whsec_test".parse().unwrap()
    }

    fn check(header: &str) -> Result<UnixSeconds, SignatureError> {
        verify(Some(header), BODY, [&secret()], NOW)
    }

    fn good() -> String {
        sign(&secret(), NOW, BODY).split_once(",v1=").unwrap().1.to_owned()
    }

    #[test]
    fn a_known_answer_made_with_another_implementation_is_accepted() {
        // printf '1785000000.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_test
        let known = "t=1785000000,v1=2ae552dfb8853de99cfd9bfd33a6853d8f6610faa57ff7ebcdc6ded726b5c154";
        assert_eq!(check(known), Ok(NOW));
    }

    #[test]
    fn every_v1_counts_wherever_it_stands_and_whatever_stands_beside_it() {
        let (good, bad) = (good(), "0".repeat(64));
        for header in [
            format!("t={NOW},v1={bad},v1={good}"),
            format!("t={NOW},v1={good},v1={bad}"),
            format!("v1={good},t={NOW}"),
            format!("t={NOW},v0={bad},v1={good},v2=x"),
            format!("t={NOW},v1=,v1={good},,"),
            format!("t={NOW},v1,v1=zz,v1={},v1={good}", good.to_uppercase()),
            format!("t={NOW},v1=é,v1={good}"),
        ] {
            assert_eq!(check(&header), Ok(NOW), "{header}");
        }
    }

    #[test]
    fn the_same_header_twice_counts_once() {
        let (header, good) = (sign(&secret(), NOW, BODY), good());
        for twice in [
            format!("{header},{header}"),
            format!("{header}, {header}"),
            format!("t={NOW},t={NOW},v1={good}"),
        ] {
            assert_eq!(check(&twice), Ok(NOW), "{twice}");
        }
    }

    #[test]
    fn an_old_secret_is_accepted_beside_the_new_one() {
        let header = sign(&secret(), NOW, BODY);
        let other = "whsec_new".parse().unwrap();
        assert_eq!(verify(Some(&header), BODY, [&other, &secret()], NOW), Ok(NOW));
        assert_eq!(verify(Some(&header), BODY, [&other], NOW), Err(SignatureError::Mismatch));
        assert_eq!(verify(Some(&header), BODY, [], NOW), Err(SignatureError::Mismatch));
    }

    #[test]
    fn the_text_of_t_is_what_is_signed() {
        let mut mac = mac(&secret());
        mac.update(b"0001785000000.");
        mac.update(BODY);
        let tag = hex::encode(mac.finalize().into_bytes());
        assert_eq!(check(&format!("t=0001785000000,v1={tag}")), Ok(NOW));
        assert_eq!(check(&format!("t=1785000000,v1={tag}")), Err(SignatureError::Mismatch));
    }

    #[test]
    fn a_header_without_what_is_needed_is_malformed_or_missing() {
        let good = good();
        assert_eq!(verify(None, BODY, [&secret()], NOW), Err(SignatureError::Missing));
        assert_eq!(check(" "), Err(SignatureError::Missing));
        for header in [
            format!("v1={good}"),
            format!("t={NOW}"),
            format!("t={NOW},v0={good}"),
            format!("t={NOW},v1={}", good.to_uppercase()),
            format!("t={NOW},v1={good} "),
            format!("t={NOW},v1={}", &good[..63]),
            format!("t={NOW},v1={good}00"),
            format!("t={NOW}, v1={good}"),
            format!("T={NOW},V1={good}"),
            format!("t={NOW} ,v1={good}"),
            format!("t=+{NOW},v1={good}"),
            format!("t=-1,v1={good}"),
            format!("t=,v1={good}"),
            format!("t={NOW}.5,v1={good}"),
            format!("t=17_8500_0000,v1={good}"),
            format!("t=99999999999999999999,v1={good}"),
            format!("t={NOW},t=1,v1={good}"),
            format!("t=1,v1={good},t={NOW},v1={good}"),
        ] {
            assert!(
                matches!(check(&header), Err(SignatureError::Malformed(_))),
                "{header}: {:?}",
                check(&header)
            );
        }
    }

    #[test]
    fn the_age_is_bounded_to_the_past_and_to_the_future_and_only_told_when_rightly_signed() {
        let off_by = |seconds: i64| NOW + SignedDuration::from_secs(seconds);
        let milliseconds = NOW.get() * 999;
        for (t, expected) in [
            (off_by(-300), Ok(off_by(-300))),
            (off_by(300), Ok(off_by(300))),
            (off_by(-301), Err(SignatureError::OutOfTolerance { off_by_s: -301 })),
            (off_by(301), Err(SignatureError::OutOfTolerance { off_by_s: 301 })),
            (off_by(milliseconds), Err(SignatureError::OutOfTolerance { off_by_s: milliseconds })),
        ] {
            assert_eq!(check(&sign(&secret(), t, BODY)), expected, "{t}");
        }
        let stale_and_forged = format!("t=1,v1={}", "0".repeat(64));
        assert_eq!(check(&stale_and_forged), Err(SignatureError::Mismatch));
    }

    #[test]
    fn one_changed_byte_of_the_body_is_a_mismatch() {
        let header = sign(&secret(), NOW, BODY);
        for i in 0..BODY.len() {
            let mut body = BODY.to_vec();
            body[i] ^= 1;
            assert_eq!(verify(Some(&header), &body, [&secret()], NOW), Err(SignatureError::Mismatch));
        }
    }
}
