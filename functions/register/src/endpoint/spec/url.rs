//! The addresses that Stripe may send to.
//!
//! The rule: https, and a host that can be on the public internet. On the local stack, where Stripe is a
//! simulated one on this machine, http to this machine is allowed too. Where a host's name leads is not
//! looked up here. At the stack's own address, only the endpoint's own path takes its deliveries.

use shared::endpoint::EndpointName;
use shared::http::ApiError;
use shared::public_host::names_public_host;
use shared::stripe::is_loopback;
use url::Url;

/// Checks an address. Returns it as it was written.
pub(super) fn check(text: &str, local: bool) -> Result<&str, ApiError> {
    let refuse = |reason: &str| {
        Err(ApiError::invalid("url", format!("`{text}` {reason}"))
            .remedy("give a public address that begins https://, or leave `url` out for the stack's own"))
    };
    // The parser would silently drop these.
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return refuse("contains a space or a control character");
    }
    let Ok(url) = Url::parse(text) else { return refuse("is not a whole address") };
    let is_here = local && is_loopback(&url);
    match url.scheme() {
        "https" => {}
        "http" if is_here => {}
        _ => return refuse("is not https, so anybody on the way could read the events"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("carries a user name or password, which Stripe would show in its dashboard and logs");
    }
    if url.fragment().is_some() {
        return refuse("has a part after `#`, which is never sent");
    }
    if names_public_host(&url) || is_here {
        Ok(text)
    } else {
        refuse(
            "is an address inside a machine or network, or a name that the public internet does not know: Stripe cannot send there",
        )
    }
}

/// Refuses an address of the stack itself that is not this endpoint's: its deliveries could never be taken
/// there.
pub(super) fn refuse_path_of_another(
    text: &str,
    name: &EndpointName,
    public_url: &str,
) -> Result<(), ApiError> {
    let own = format!("{public_url}/webhooks/{name}");
    let is_of_another = match (Url::parse(text), Url::parse(&own)) {
        (Ok(url), Ok(own)) => {
            let folder = own.path().trim_end_matches(name.as_str()).trim_end_matches('/');
            let is_inside =
                url.path().strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            url.origin() == own.origin() && is_inside && url.path() != own.path()
        }
        (Err(_), _) | (_, Err(_)) => false,
    };
    if !is_of_another {
        return Ok(());
    }
    let message =
        format!("`{text}` is at this stack, and its endpoint `{name}` takes deliveries at {own} only");
    Err(ApiError::invalid("url", message)
        .remedy(format!("leave `url` out, or give {own}, or the name that the address ends with")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_https_addresses_are_kept_as_written() {
        for url in [
            "https://hooks.example.com/webhooks/main",
            "https://HOOKS.example.com:8443/a?b=c",
            "https://8.8.8.8/x",
            "https://[2606:4700::1]/x",
        ] {
            assert_eq!(check(url, false).unwrap(), url);
            assert_eq!(check(url, true).unwrap(), url);
        }
    }

    #[test]
    fn an_address_that_stripe_cannot_or_should_not_reach_is_refused() {
        for url in [
            "",
            "hooks.example.com/x",
            "http://example.com/x",
            "ftp://example.com/x",
            "https://",
            "https://user@example.com/x",
            "https://user:secret@example.com/x",
            "https://example.com/x#y",
            " https://example.com/x",
            "https://exa\tmple.com/x",
            "https://localhost/x",
            "https://hooks/x",
            "https://hooks.local/x",
            "https://hooks.internal/x",
            "https://hooks.test/x",
            "https://api.localhost/x",
            "https://localhost./x",
            "https://127.0.0.1/x",
            "https://2130706433/x",
            "https://0x7f.1/x",
            "https://10.1.2.3/x",
            "https://172.16.0.1/x",
            "https://192.168.1.1/x",
            "https://169.254.169.254/latest/meta-data",
            "https://100.64.0.1/x",
            "https://0.0.0.0/x",
            "https://224.0.0.1/x",
            "https://255.255.255.255/x",
            "https://[::1]/x",
            "https://[::]/x",
            "https://[fe80::1]/x",
            "https://[fd00::1]/x",
            "https://[::ffff:10.0.0.1]/x",
            "https://[64:ff9b::a00:1]/x",
            "https://[2002:a00:1::]/x",
        ] {
            assert_eq!(check(url, false).map_err(|error| error.code()), Err("parameter_invalid"), "{url}");
        }
    }

    #[test]
    fn at_the_stacks_own_address_only_the_endpoints_own_path_is_let_through() {
        let name = "main".parse().unwrap();
        let is_allowed = |url, public_url| refuse_path_of_another(url, &name, public_url).is_ok();
        for url in [
            "https://hooks.example.com/webhooks/main",
            "https://HOOKS.example.com:443/webhooks/main?via=proxy",
            "https://hooks.example.com/elsewhere",
            "https://hooks.example.com/webhooks2/x",
            "https://other.example.com/webhooks/other",
        ] {
            assert!(is_allowed(url, "https://hooks.example.com"), "{url}");
        }
        for url in [
            "https://hooks.example.com/webhooks",
            "https://hooks.example.com/webhooks/",
            "https://hooks.example.com/webhooks/other",
            "https://hooks.example.com/webhooks/main/",
            "https://hooks.example.com/webhooks/main/x",
            "https://hooks.example.com/x/../webhooks/Main",
        ] {
            assert!(!is_allowed(url, "https://hooks.example.com"), "{url}");
        }
        assert!(is_allowed("https://example.com/b/webhooks/main", "https://example.com/b"));
        assert!(!is_allowed("https://example.com/b/webhooks/x", "https://example.com/b"));
    }

    #[test]
    fn on_the_local_stack_this_machine_and_no_other_may_be_named() {
        for url in
            ["http://127.0.0.1:4566/x", "http://localhost:4566/x", "https://localhost/x", "http://[::1]:1/x"]
        {
            assert_eq!(check(url, true).unwrap(), url);
        }
        for url in ["http://10.0.0.1/x", "https://192.168.0.1/x", "http://example.com/x", "http://0.0.0.0/x"]
        {
            assert!(check(url, true).is_err(), "{url}");
        }
    }
}
