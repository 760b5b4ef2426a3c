//! Where Stripe's API is: `https://api.stripe.com`, or a simulated one in tests and on the local stack.
//!
//! The rule: the key is never sent in the clear over a network, so plain http is for the same machine only.
//! An http address is also how the functions know that they run on a local stack.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// The address of Stripe's API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiBase(Url);

/// A text that is no such address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the address of Stripe's API is `https://host`, or `http://` on this machine, without path, query or credentials"
)]
pub struct InvalidApiBase;

impl FromStr for ApiBase {
    type Err = InvalidApiBase;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|_| InvalidApiBase)?;
        let safe = match url.scheme() {
            "https" => true,
            "http" => is_loopback(&url),
            _ => false,
        };
        let bare = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if safe && bare { Ok(Self(url)) } else { Err(InvalidApiBase) }
    }
}

impl ApiBase {
    /// Returns whether it is a simulated Stripe on this machine.
    pub fn is_local(&self) -> bool {
        self.0.scheme() == "http"
    }

    /// The address of a call; each segment is one, whatever characters it has.
    pub(super) fn join(&self, segments: &[&str]) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear().push("v1").extend(segments);
        }
        url
    }
}

impl fmt::Display for ApiBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

/// Returns whether the address names the machine itself.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_can_leave_the_machine_only_by_https() {
        for good in [
            "https://api.stripe.com",
            "https://api.stripe.com/",
            "http://127.0.0.1:1234",
            "http://localhost:1",
        ] {
            assert!(good.parse::<ApiBase>().is_ok(), "{good}");
        }
        for bad in [
            "http://api.stripe.com",
            "http://127.0.0.1.example.com",
            "http://10.0.0.1",
            "ftp://localhost",
            "https://user:secret@api.stripe.com",
            "https://api.stripe.com/v1",
            "https://api.stripe.com?x",
            "api.stripe.com",
            "",
        ] {
            assert_eq!(bad.parse::<ApiBase>(), Err(InvalidApiBase), "{bad}");
        }
    }

    #[test]
    fn an_id_cannot_lead_to_another_call() {
        let base: ApiBase = "https://api.stripe.com".parse().unwrap();
        for (id, encoded) in [
            ("a/../b?c#d", "a%2F..%2Fb%3Fc%23d"),
            ("acme/42", "acme%2F42"),
            ("50%25", "50%2525"),
            ("user 7", "user%207"),
            ("gid://shop/Customer/1", "gid:%2F%2Fshop%2FCustomer%2F1"),
        ] {
            let url = base.join(&["customers", id]);
            assert_eq!(url.as_str(), format!("https://api.stripe.com/v1/customers/{encoded}"));
        }
    }
}
