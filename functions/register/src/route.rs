//! Which act a request asks for.

use lambda_http::Request;
use lambda_http::http::{Method, StatusCode};
use shared::http::{ApiError, segments};

/// An act. Names in paths are taken as they come; one that cannot be a name is the name of nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// Anybody with a role may.
    Read(Read),
    /// Admins may, and it is audited.
    Change(Change),
}

/// What changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Read {
    Endpoints,
    OneEndpoint(String),
    Settings,
}

/// What is for admins alone: what changes something, and what shows a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    Register,
    Patch(String),
    Deregister(String),
    /// It changes nothing, but who has seen a secret is worth knowing.
    ShowSecret(String),
    Test(String),
    Repair(String),
    Rotate(String),
    SetStripeKey,
    SetRules,
}

impl Route {
    pub(crate) fn of(request: &Request) -> Result<Self, ApiError> {
        let segments = segments(request);
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let routes: Vec<(Method, Self)> = match segments.as_slice() {
            ["endpoints"] => vec![
                (Method::GET, Self::Read(Read::Endpoints)),
                (Method::POST, Self::Change(Change::Register)),
            ],
            ["endpoints", name] => vec![
                (Method::GET, Self::Read(Read::OneEndpoint((*name).to_owned()))),
                (Method::PATCH, Self::Change(Change::Patch((*name).to_owned()))),
                (Method::DELETE, Self::Change(Change::Deregister((*name).to_owned()))),
            ],
            ["endpoints", name, "secret"] => {
                vec![(Method::GET, Self::Change(Change::ShowSecret((*name).to_owned())))]
            }
            ["endpoints", name, "rotate"] => {
                vec![(Method::POST, Self::Change(Change::Rotate((*name).to_owned())))]
            }
            ["endpoints", name, "repair"] => {
                vec![(Method::POST, Self::Change(Change::Repair((*name).to_owned())))]
            }
            ["endpoints", name, "test"] => {
                vec![(Method::POST, Self::Change(Change::Test((*name).to_owned())))]
            }
            ["settings"] => vec![
                (Method::GET, Self::Read(Read::Settings)),
                (Method::PATCH, Self::Change(Change::SetRules)),
            ],
            ["settings", "stripe-key"] => vec![(Method::PUT, Self::Change(Change::SetStripeKey))],
            _ => return Err(ApiError::no_route(request)),
        };
        let methods: Vec<_> = routes.iter().map(|(method, _)| method.to_string()).collect();
        let found = routes.into_iter().find(|(method, _)| method == request.method());
        found.map(|(_, route)| route).ok_or_else(|| {
            let message = format!("{} is not a method of this path", request.method());
            ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
                .remedy(format!("its methods are {}", methods.join(", ")))
        })
    }
}
