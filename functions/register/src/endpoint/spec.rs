//! What an admin asks for when registering or changing an endpoint, read from the request and checked.
//!
//! The rule: a refusal names the field, the reason and the remedy, and comes before anything is stored or
//! asked of Stripe. What only Stripe can know (whether it offers a version, whether it takes a further
//! endpoint) is left to Stripe.

mod url;

use jiff::civil::Date;
use shared::endpoint::{API_VERSION, EndpointName, EndpointRow, EndpointSpec, EndpointState};
use shared::event_type::{applied, expand};
use shared::http::{ApiError, Fields};

use self::url::{check, refuse_path_of_another};

/// The name where none is given.
const DEFAULT_NAME: &str = "main";
/// Stripe's own limit, in characters.
const LONGEST_DESCRIPTION: usize = 5_000;

pub(super) const CREATE_FIELDS: [&str; 6] =
    ["name", "events", "description", "url", "api_version", "connect"];

/// The name that is asked for, if it is one, for the audit: also where the rest is refused.
pub(super) fn requested_name(fields: &Fields) -> Option<EndpointName> {
    name(fields).ok()
}

/// Reads and checks a request to register.
pub(super) fn read(
    fields: &Fields,
    public_url: &str,
    local: bool,
) -> Result<(EndpointName, EndpointSpec), ApiError> {
    let name = name(fields)?;
    let default_url = format!("{public_url}/webhooks/{name}");
    let url = check(fields.text("url")?.unwrap_or(&default_url), local)?.to_owned();
    refuse_path_of_another(&url, &name, public_url)?;
    let spec = EndpointSpec {
        url,
        events: events(fields)?,
        description: description(fields)?.to_owned(),
        api_version: api_version(fields)?.to_owned(),
        connect: fields.flag("connect")?.unwrap_or(false),
    };
    Ok((name, spec))
}

/// The last two are known so that their refusal can say what to do instead.
pub(super) const UPDATE_FIELDS: [&str; 6] =
    ["url", "events", "description", "disabled", "api_version", "connect"];

/// Reads and checks a change of `row`: what is left out stays. Returns what is wanted, and whether the
/// endpoint is to be disabled.
pub(super) fn read_update(
    fields: &Fields,
    row: &EndpointRow,
    public_url: &str,
    local: bool,
) -> Result<(EndpointSpec, bool), ApiError> {
    for (field, remedy) in [
        (
            "api_version",
            format!(
                "POST /endpoints/{}/rotate with `api_version` switches over without losing an event",
                row.name
            ),
        ),
        (
            "connect",
            format!(
                "register another endpoint with the right `connect`, then DELETE /endpoints/{0}?confirm={0}",
                row.name
            ),
        ),
    ] {
        if fields.is_given(field) {
            return Err(ApiError::invalid(field, format!("Stripe cannot change `{field}` of an endpoint"))
                .remedy(remedy));
        }
    }
    // A change that is not confirmed yet is what is wanted now.
    let (base, disabled) = match &row.pending_change {
        Some(change) => (&change.spec, change.disabled),
        None => (&row.spec, row.state == EndpointState::Disabled),
    };
    let mut spec = base.clone();
    if let Some(url) = fields.text("url")? {
        check(url, local)?.clone_into(&mut spec.url);
        refuse_path_of_another(url, &row.name, public_url)?;
    }
    if fields.is_given("events") {
        spec.events = events(fields)?;
    }
    if fields.text("description")?.is_some() {
        description(fields)?.clone_into(&mut spec.description);
    }
    Ok((spec, fields.flag("disabled")?.unwrap_or(disabled)))
}

/// The fields in which two endpoints differ.
pub(super) fn differences(one: &EndpointSpec, other: &EndpointSpec) -> Vec<&'static str> {
    let fields = [
        ("url", one.url == other.url),
        ("events", one.events == other.events),
        ("description", one.description == other.description),
        ("api_version", one.api_version == other.api_version),
        ("connect", one.connect == other.connect),
    ];
    fields.into_iter().filter(|(_, same)| !same).map(|(field, _)| field).collect()
}

fn name(fields: &Fields) -> Result<EndpointName, ApiError> {
    let name = fields.text("name")?.unwrap_or(DEFAULT_NAME).parse();
    name.map_err(|error: shared::endpoint::InvalidEndpointName| {
        ApiError::invalid("name", error.to_string()).remedy("choose a name such as `main` or `disputes`")
    })
}

fn events(fields: &Fields) -> Result<Vec<String>, ApiError> {
    let Some(patterns) = fields.texts("events")? else {
        return Ok(applied().iter().map(|event_type| (*event_type).to_owned()).collect());
    };
    if patterns.is_empty() {
        return Err(ApiError::invalid(
            "events",
            "`events` is empty, so the endpoint would never be sent anything",
        )
        .remedy("name event types, or leave `events` out for all that Billhook applies"));
    }
    expand(patterns).map_err(|error| {
        ApiError::invalid("events", error.to_string())
            .remedy("name exact types or `prefix.*`; leave `events` out for all that Billhook applies")
    })
}

fn description(fields: &Fields) -> Result<&str, ApiError> {
    let description = fields.text("description")?.unwrap_or_default();
    let length = description.chars().count();
    if length > LONGEST_DESCRIPTION {
        let message = format!("`description` has {length} characters; Stripe takes {LONGEST_DESCRIPTION}");
        return Err(ApiError::invalid("description", message).remedy("shorten it"));
    }
    Ok(description)
}

/// `2026-10-28.endive`, or `2020-08-27` as versions were before 2024. Which of them Stripe offers, Stripe
/// says.
pub(super) fn api_version(fields: &Fields) -> Result<&str, ApiError> {
    let version = fields.text("api_version")?.unwrap_or(API_VERSION);
    let (date, name) = match version.split_once('.') {
        Some((date, name)) => (date, Some(name)),
        None => (version, None),
    };
    let dated = date.len() == 10 && date.parse::<Date>().is_ok();
    let named = name.is_none_or(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase()));
    if dated && named {
        return Ok(version);
    }
    Err(ApiError::invalid("api_version", format!("`{version}` is no version of Stripe's API"))
        .remedy(format!("write it as Stripe does, such as {API_VERSION}, or leave it out")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(body: &str) -> Result<(EndpointName, EndpointSpec), ApiError> {
        read(&Fields::read(body.as_bytes(), &CREATE_FIELDS)?, "https://hooks.example.com", false)
    }

    #[test]
    fn an_empty_request_asks_for_all_that_is_applied_at_the_public_url() {
        let (name, spec) = spec("").unwrap();
        assert_eq!((name.as_str(), spec.url.as_str()), ("main", "https://hooks.example.com/webhooks/main"));
        assert_eq!((spec.events.len(), spec.api_version.as_str()), (applied().len(), API_VERSION));
        assert!(!spec.connect && spec.description.is_empty());
    }

    #[test]
    fn patterns_become_types_and_null_is_as_left_out() {
        let (_, some) = spec(r#"{"events":["invoice.paid","charge.dispute.*"]}"#).unwrap();
        assert_eq!(some.events.len(), 6);
        assert_eq!(spec(r#"{"events":null}"#).unwrap(), spec("{}").unwrap());
    }

    #[test]
    fn each_refusal_names_its_field_and_a_remedy() {
        let long = format!(r#"{{"description":"{}"}}"#, "x".repeat(5_001));
        let cases = [
            (r#"{"name":"No Good"}"#, "name", "1 to 32"),
            (r#"{"name":7}"#, "name", "not a text"),
            (r#"{"events":[]}"#, "events", "empty"),
            (r#"{"events":["invoice.payed"]}"#, "events", "invoice.paid"),
            (r#"{"events":["*"]}"#, "events", "no event type"),
            (r#"{"events":"invoice.paid"}"#, "events", "list of texts"),
            (&long, "description", "5001"),
            (r#"{"url":"http://example.com"}"#, "url", "https"),
            (r#"{"url":"https://hooks.example.com/webhooks/other"}"#, "url", "webhooks/main only"),
            (r#"{"api_version":"latest"}"#, "api_version", "latest"),
            (r#"{"api_version":"2026-13-01.x"}"#, "api_version", "2026-13-01.x"),
            (r#"{"api_version":"2026-07-29."}"#, "api_version", "2026-07-29."),
            (r#"{"connect":"yes"}"#, "connect", "true or false"),
            (r#"{"colour":"red"}"#, "colour", "no field"),
        ];
        for (body, field, reason) in cases {
            let failure = serde_json::to_value(answer(spec(body).unwrap_err())).unwrap();
            assert_eq!(failure["error"]["field"], field, "{body}");
            assert!(failure["error"]["message"].as_str().unwrap().contains(reason), "{failure}");
        }
    }

    #[test]
    fn versions_of_both_forms_are_taken() {
        for version in ["2026-10-28.endive", "2020-08-27"] {
            assert_eq!(spec(&format!(r#"{{"api_version":"{version}"}}"#)).unwrap().1.api_version, version);
        }
    }

    #[test]
    fn the_fields_in_which_two_endpoints_differ_are_named() {
        let (_, one) = spec("{}").unwrap();
        let (_, other) = spec(r#"{"url":"https://example.com/x","connect":true}"#).unwrap();
        assert_eq!(differences(&one, &other), ["url", "connect"]);
        assert!(differences(&one, &one).is_empty());
    }

    fn answer(error: ApiError) -> serde_json::Value {
        let response = error.into_response("req");
        serde_json::from_slice(response.body()).unwrap()
    }
}
