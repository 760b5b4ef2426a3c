//! Why a request was not carried out, and how it is answered.
//!
//! Three families: the caller has to change something (4xx, with field and remedy), Stripe refused (502
//! `stripe_error`, with Stripe's own words), or something did not answer (503; the same request again goes on
//! where this one ended).

use lambda_http::http::StatusCode;
use shared::aws::StoreError;
use shared::endpoint::{EndpointRow, EndpointState, RotationEnd};
use shared::http::ApiError;
use shared::mode::Mode;
use shared::secret_store::SecretStoreError;
use shared::stripe::{StripeError, StripeFailure};

const SET_THE_KEY: &str =
    "set a Stripe key that works with PUT /settings/stripe-key, then send the same request again";

/// Why a request was not carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RegisterError {
    #[error("{}", .0.message())]
    Request(ApiError),
    #[error("no Stripe key has been set")]
    StripeKeyMissing,
    #[error("there is no endpoint `{0}`")]
    EndpointNotFound(String),
    #[error("there is an endpoint `{name}` already; it is {}", state_word(*state))]
    EndpointExists { name: String, state: EndpointState, is_as_requested: bool },
    #[error("there is an endpoint `{0}` already, which Stripe has not or whose signing secret is lost")]
    EndpointIncomplete(String),
    #[error("endpoint `{name}` is being registered already, with other values ({})", differs.join(", "))]
    RegistrationDiffers { name: String, differs: Vec<&'static str> },
    #[error("this cannot be done to endpoint `{name}` now; it is {}", state_word(*state))]
    EndpointNotActive { name: String, state: EndpointState },
    #[error("endpoint `{0}` is being changed by another request at this moment")]
    ChangeInProgress(String),
    #[error("endpoint `{0}` is getting another signing secret at this moment")]
    RotationInProgress(String),
    #[error("endpoint `{0}` is at the end of getting another signing secret, and the first one is going")]
    RotationEnding(String),
    #[error("for endpoint `{0}` a change of its signing secret is being given up")]
    RotationBeingGivenUp(String),
    #[error(
        "the endpoint at Stripe that was to take over from `{0}` was deleted there or has no secret here, so \
         the change of its signing secret was given up"
    )]
    RotationGivenUp(String),
    #[error("the signing secret of endpoint `{0}` is not being changed")]
    RotationNotFound(String),
    #[error(
        "Stripe has no endpoint for `{0}`: it was deleted there, or one that was to be made in its place was \
         refused"
    )]
    NotAtStripe(String),
    #[error("endpoint `{0}` was deregistered by another request while this one ran")]
    EndpointRemoved(String),
    #[error("the signing secret of endpoint `{0}` is lost")]
    SecretMissing(String),
    #[error("endpoint `{0}` was changed by another request at the same moment")]
    EndpointConflict(String),
    #[error(
        "endpoint `{name}` was changed by another request at the same moment, and {stripe_id} is left over \
         at Stripe"
    )]
    OrphanAtStripe { name: String, stripe_id: String },
    #[error("another admin changed the settings at the same moment")]
    SettingsConflict,
    #[error("this key is of {key} mode, and this stack serves {stack} mode")]
    KeyOfOtherMode { key: Mode, stack: Mode },
    #[error("this key is of another Stripe account than the endpoints and records here")]
    AccountDiffers,
    #[error(
        "it is not known whether this key is of the same Stripe account as the endpoints and records here"
    )]
    AccountUnknown,
    #[error("{error}")]
    Stripe { operation: StripeOperation, error: StripeError, remedy: Option<String> },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    SecretStore(#[from] SecretStoreError),
    #[error("the answer that contains the signing secret was lost twice")]
    AnswerLost,
    #[error("this took too long and was left unfinished")]
    TimedOut,
}

/// What Stripe was asked for. The remedy for the same refusal depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StripeOperation {
    Register,
    Deregister,
    Update,
    Repair,
    Rotate,
    Enable,
    CheckKey,
}

impl From<ApiError> for RegisterError {
    fn from(failure: ApiError) -> Self {
        Self::Request(failure)
    }
}

impl RegisterError {
    /// For `map_err`.
    pub(crate) fn stripe(operation: StripeOperation) -> impl FnOnce(StripeError) -> Self {
        move |error| Self::Stripe { operation, error, remedy: None }
    }

    /// Why something else cannot be done now to an endpoint that is `rotating`, by where the rotation is.
    pub(crate) fn rotation_under_way(row: &EndpointRow) -> Self {
        let name = row.name.to_string();
        match row.rotation.as_ref().and_then(|rotation| rotation.decided) {
            Some(RotationEnd::GiveUp) => Self::RotationBeingGivenUp(name),
            Some(RotationEnd::TakeOver) => Self::RotationEnding(name),
            None => Self::RotationInProgress(name),
        }
    }

    /// How it is answered. A Stripe that does not answer, and work that takes too long, are logged here.
    pub(crate) fn into_api_error(self) -> ApiError {
        let text = self.to_string();
        let refuse = |status, code| ApiError::new(status, code, text.clone());
        match self {
            Self::Request(failure) => failure,
            Self::StripeKeyMissing => refuse(StatusCode::CONFLICT, "stripe_key_missing")
                .remedy("set it with PUT /settings/stripe-key, body {\"key\": \"sk_…\"}"),
            Self::EndpointNotFound(_) => {
                refuse(StatusCode::NOT_FOUND, "not_found").remedy("GET /endpoints lists those there are")
            }
            Self::EndpointExists { name, is_as_requested: true, .. } => {
                refuse(StatusCode::CONFLICT, "endpoint_exists").field("name").remedy(format!(
                    "it is as this request wants it, so nothing is left to do: GET /endpoints/{name} shows \
                     it, GET /endpoints/{name}/secret its secret"
                ))
            }
            Self::EndpointIncomplete(name) => refuse(StatusCode::CONFLICT, "endpoint_exists")
                .field("name")
                .remedy(format!("POST /endpoints/{name}/repair completes it")),
            Self::EndpointExists { name, state: EndpointState::Deregistering, .. } => {
                refuse(StatusCode::CONFLICT, "endpoint_exists").field("name").remedy(format!(
                    "finish removing it with DELETE /endpoints/{name}?confirm={name}, then register again"
                ))
            }
            Self::EndpointExists { name, .. } => {
                refuse(StatusCode::CONFLICT, "endpoint_exists").field("name").remedy(format!(
                    "choose another name, or remove it first with DELETE /endpoints/{name}?confirm={name}"
                ))
            }
            Self::RegistrationDiffers { name, differs } => {
                let field = differs.first().copied().unwrap_or("name");
                refuse(StatusCode::CONFLICT, "endpoint_exists").field(field).remedy(format!(
                    "send the first request again to finish it, or remove what there is with \
                     DELETE /endpoints/{name}?confirm={name}"
                ))
            }
            Self::EndpointNotActive { name, state } => {
                refuse(StatusCode::CONFLICT, "endpoint_not_active").remedy(remedy_by_state(&name, state))
            }
            Self::NotAtStripe(name) => refuse(StatusCode::CONFLICT, "endpoint_not_at_stripe").remedy(format!(
                "POST /endpoints/{name}/repair makes one, with a signing secret of its own; if Stripe refuses \
                 that too, its answer says why"
            )),
            Self::EndpointRemoved(name) => refuse(StatusCode::CONFLICT, "endpoint_removed").remedy(format!(
                "if `{name}` is still wanted, register it with POST /endpoints; GET /audit shows who \
                 deregistered it"
            )),
            Self::ChangeInProgress(name) => refuse(StatusCode::CONFLICT, "change_in_progress")
                .remedy(format!("look at GET /endpoints/{name} in a minute, then decide again")),
            Self::RotationInProgress(name) => {
                refuse(StatusCode::CONFLICT, "rotation_in_progress").remedy(format!(
                    "wait until GET /endpoints/{name} says `active`: it ends by itself when all events of \
                     before are here. POST /endpoints/{name}/rotate {{\"at_once\":true}} ends it now, and \
                     DELETE /endpoints/{name}/rotate gives it up, both once the request that began it is over"
                ))
            }
            Self::RotationEnding(name) => {
                refuse(StatusCode::CONFLICT, "rotation_in_progress").remedy(format!(
                    "it can no longer be given up, and ends within some minutes; \
                     POST /endpoints/{name}/rotate {{\"at_once\":true}} ends it now"
                ))
            }
            Self::RotationBeingGivenUp(name) => {
                refuse(StatusCode::CONFLICT, "rotation_in_progress").remedy(format!(
                    "DELETE /endpoints/{name}/rotate goes on with it, or wait: it is done within five minutes"
                ))
            }
            Self::RotationGivenUp(name) => refuse(StatusCode::CONFLICT, "rotation_given_up").remedy(format!(
                "the signing secret of before is accepted still; POST /endpoints/{name}/rotate begins another \
                 change of it"
            )),
            Self::RotationNotFound(name) => refuse(StatusCode::CONFLICT, "no_rotation").remedy(format!(
                "nothing is left to give up; GET /endpoints/{name} shows how it is"
            )),
            Self::SecretMissing(name) => refuse(StatusCode::CONFLICT, "secret_missing").remedy(format!(
                "POST /endpoints/{name}/repair creates another endpoint at Stripe, with a secret of its \
                     own"
            )),
            Self::EndpointConflict(name) => refuse(StatusCode::CONFLICT, "endpoint_exists")
                .field("name")
                .remedy(format!("look at GET /endpoints/{name}, then decide again")),
            Self::OrphanAtStripe { name, stripe_id } => {
                refuse(StatusCode::CONFLICT, "endpoint_exists").field("name").remedy(format!(
                    "delete {stripe_id} in Stripe's dashboard under Developers > Webhooks; look at \
                     GET /endpoints/{name}, then decide again"
                ))
            }
            Self::SettingsConflict => refuse(StatusCode::CONFLICT, "settings_changed")
                .remedy("look at GET /settings, then decide again"),
            Self::KeyOfOtherMode { stack, .. } => {
                refuse(StatusCode::BAD_REQUEST, "key_of_other_mode").field("key").remedy(format!(
                    "use a key that begins sk_{stack}_ or rk_{stack}_, or the stack of the other mode"
                ))
            }
            Self::AccountDiffers => {
                refuse(StatusCode::CONFLICT, "stripe_account_differs").field("key").remedy(
                    "use a key of the same account; for another account, deploy another stack (records of \
                     two accounts must not mix)",
                )
            }
            Self::AccountUnknown => {
                refuse(StatusCode::CONFLICT, "stripe_account_unknown").field("key").remedy(
                    "use a secret key (sk_…), which can name its account, or give this one the right to \
                     read payments",
                )
            }
            Self::Stripe { operation, error, remedy } => stripe_answer(operation, &error, remedy),
            Self::Store(error) => retryable(error.into()),
            Self::SecretStore(error) => retryable(error.into()),
            Self::AnswerLost => retryable(refuse(StatusCode::BAD_GATEWAY, "stripe_error")),
            Self::TimedOut => {
                tracing::error!("a request was not done in time");
                retryable(refuse(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"))
            }
        }
    }
}

/// Every request can be sent again.
fn retryable(outage: ApiError) -> ApiError {
    outage.remedy("send the same request again: it goes on where this one ended")
}

/// How what Stripe answered, or that it did not, is passed on. `remedy` is in place of the usual one.
fn stripe_answer(operation: StripeOperation, error: &StripeError, remedy: Option<String>) -> ApiError {
    let failure = error.failure();
    let reason = describe(failure);
    match error {
        StripeError::NoAnswer(_) => {
            tracing::warn!(error = %error, stripe.request = failure.request_id, "Stripe did not answer");
            let outage =
                |message| ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "stripe_no_answer", message);
            match operation {
                StripeOperation::Register
                | StripeOperation::Deregister
                | StripeOperation::Update
                | StripeOperation::Repair
                | StripeOperation::Rotate
                | StripeOperation::Enable => {
                    retryable(outage(format!("Stripe did not say whether it was done: {reason}")))
                }
                StripeOperation::CheckKey => {
                    outage(format!("Stripe did not answer, so the key could not be checked: {reason}"))
                        .remedy("nothing was changed; send the same request again")
                }
            }
        }
        StripeError::Unauthorized(_) if operation == StripeOperation::CheckKey => {
            let message = format!("Stripe does not accept this key: {reason}");
            ApiError::new(StatusCode::BAD_REQUEST, "stripe_key_refused", message)
                .field("key")
                .remedy("copy the key once more from Stripe's dashboard, under Developers > API keys")
        }
        StripeError::Forbidden(_) if operation == StripeOperation::CheckKey => {
            let message = format!("this key may not read webhook endpoints: {reason}");
            ApiError::new(StatusCode::BAD_REQUEST, "stripe_key_lacks_right", message).field("key").remedy(
                "in Stripe's dashboard give the restricted key `Webhook Endpoints: Write` and \
                 `Events: Read`, or use another key",
            )
        }
        StripeError::Refused(_)
        | StripeError::Unauthorized(_)
        | StripeError::Forbidden(_)
        | StripeError::IdempotencyKeySpent(_) => {
            let message = format!("Stripe refused: {reason}");
            let mut answer = ApiError::new(StatusCode::BAD_GATEWAY, "stripe_error", message);
            if let Some(field) = failure.param.as_deref().and_then(field) {
                answer = answer.field(field);
            }
            answer.remedy(remedy.unwrap_or_else(|| usual_remedy(error).to_owned()))
        }
    }
}

/// Stripe's own message, and what its dashboard and its support find the call by.
fn describe(failure: &StripeFailure) -> String {
    let status = failure.status.map(|status| format!("HTTP {status}"));
    let request = failure.request_id.as_ref().map(|id| format!("request {id}"));
    let ids: Vec<String> = [status, failure.code.clone(), request].into_iter().flatten().collect();
    if ids.is_empty() { failure.message.clone() } else { format!("{} ({})", failure.message, ids.join(", ")) }
}

fn usual_remedy(error: &StripeError) -> &'static str {
    match error {
        StripeError::Unauthorized(_) => SET_THE_KEY,
        StripeError::Forbidden(_) => {
            "in Stripe's dashboard give the key `Webhook Endpoints: Write`, or set another with \
             PUT /settings/stripe-key; then send the same request again"
        }
        StripeError::Refused(failure) if failure.is_rate_limit() => {
            "Stripe limits calls; wait a moment and send the same request again"
        }
        StripeError::IdempotencyKeySpent(_) => "send the same request again",
        StripeError::Refused(_) | StripeError::NoAnswer(_) => {
            "change what Stripe names; its dashboard shows the call under Developers > Logs"
        }
    }
}

/// Our field for Stripe's parameter, where there is one.
fn field(param: &str) -> Option<&'static str> {
    match param.split('[').next()? {
        "url" => Some("url"),
        "enabled_events" => Some("events"),
        "description" => Some("description"),
        "api_version" => Some("api_version"),
        "connect" => Some("connect"),
        _ => None,
    }
}

/// What leads on from a state in which something cannot be done.
fn remedy_by_state(name: &str, state: EndpointState) -> String {
    match state {
        EndpointState::Registering => format!(
            "wait: it is registered, or taken back, within five minutes; or undo it with \
             DELETE /endpoints/{name}?confirm={name}"
        ),
        EndpointState::Deregistering => format!(
            "wait: it is gone within five minutes, or send DELETE /endpoints/{name}?confirm={name} again; then \
             POST /endpoints registers it anew"
        ),
        EndpointState::Disabled => format!(
            "enable it first: PATCH /endpoints/{name} {{\"disabled\":false}}; then send the same request again"
        ),
        EndpointState::Active | EndpointState::Changing | EndpointState::Rotating => {
            format!("look at GET /endpoints/{name}, then decide again")
        }
    }
}

fn state_word(state: EndpointState) -> &'static str {
    match state {
        EndpointState::Registering => "registering",
        EndpointState::Active => "active",
        EndpointState::Changing => "changing",
        EndpointState::Rotating => "rotating",
        EndpointState::Disabled => "disabled",
        EndpointState::Deregistering => "deregistering",
    }
}
