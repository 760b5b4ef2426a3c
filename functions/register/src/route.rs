//! What a request asks for, from its method and path.

use lambda_http::Request;
use lambda_http::http::Method;
use shared::http::{ApiError, segments};

/// What a request asks for. Names in paths are taken as they come: a text that cannot be a name names no
/// endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// For everybody with a role.
    Read(ReadRequest),
    /// For admins, and audited.
    Change(ChangeRequest),
}

/// A request that changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReadRequest {
    ListEndpoints,
    GetEndpoint(String),
    GetSettings,
}

/// A request that is for admins alone: it changes something, sends something, or shows a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ChangeRequest {
    CreateEndpoint,
    UpdateEndpoint(String),
    DeleteEndpoint(String),
    /// Changes nothing, but the audit is to say who has seen a secret.
    ShowSecret(String),
    RotateSecret(String),
    GiveUpRotation(String),
    RepairEndpoint(String),
    ProbeEndpoint(String),
    SetStripeKey,
    UpdateSettings,
}

impl Route {
    /// Reads the request's method and path.
    pub(crate) fn from_request(request: &Request) -> Result<Self, ApiError> {
        let segments = segments(request);
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let routes: Vec<(Method, Self)> = match segments.as_slice() {
            ["endpoints"] => vec![
                (Method::GET, Self::Read(ReadRequest::ListEndpoints)),
                (Method::POST, Self::Change(ChangeRequest::CreateEndpoint)),
            ],
            ["endpoints", name] => vec![
                (Method::GET, Self::Read(ReadRequest::GetEndpoint((*name).to_owned()))),
                (Method::PATCH, Self::Change(ChangeRequest::UpdateEndpoint((*name).to_owned()))),
                (Method::DELETE, Self::Change(ChangeRequest::DeleteEndpoint((*name).to_owned()))),
            ],
            ["endpoints", name, "secret"] => {
                vec![(Method::GET, Self::Change(ChangeRequest::ShowSecret((*name).to_owned())))]
            }
            ["endpoints", name, "rotate"] => {
                vec![
                    (Method::POST, Self::Change(ChangeRequest::RotateSecret((*name).to_owned()))),
                    (Method::DELETE, Self::Change(ChangeRequest::GiveUpRotation((*name).to_owned()))),
                ]
            }
            ["endpoints", name, "repair"] => {
                vec![(Method::POST, Self::Change(ChangeRequest::RepairEndpoint((*name).to_owned())))]
            }
            ["endpoints", name, "test"] => {
                vec![(Method::POST, Self::Change(ChangeRequest::ProbeEndpoint((*name).to_owned())))]
            }
            ["settings"] => vec![
                (Method::GET, Self::Read(ReadRequest::GetSettings)),
                (Method::PATCH, Self::Change(ChangeRequest::UpdateSettings)),
            ],
            ["settings", "stripe-key"] => vec![(Method::PUT, Self::Change(ChangeRequest::SetStripeKey))],
            _ => return Err(ApiError::no_route(request)),
        };
        let methods: Vec<_> = routes.iter().map(|(method, _)| method.to_string()).collect();
        let found = routes.into_iter().find(|(method, _)| method == request.method());
        found.map(|(_, route)| route).ok_or_else(|| {
            ApiError::method_not_allowed(request, format!("its methods are {}", methods.join(", ")))
        })
    }
}
