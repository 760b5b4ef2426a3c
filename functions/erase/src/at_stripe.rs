//! Whether a customer is deleted at Stripe: by their record, else by Stripe, else by who asks for the
//! erasure.
//!
//! ```text
//! record ── deleted, or gone at Stripe: yes
//!       └── none, or not deleted ── ask Stripe ── deleted, or gone: yes, and the record says so from now on
//!                                             ├── there: no
//!                                             └── cannot be asked ── the admin says that they are: yes
//! ```
//!
//! No event may have told a deletion: no endpoint asked for `customer.deleted`, or the account has not been
//! reconciled for a month. Stripe can be asked unless there is no key, or one that Stripe does not accept for
//! this; it is then that a claim counts, which the audit holds.
//!
//! The rule: what is found is stored under the condition that the record is as it was read. A later event, or
//! an answer of Stripe's that shows the customer, takes the record's place, and stops the erasure.

use std::time::Duration;

use lambda_http::http::StatusCode;
use serde_json::Value;
use shared::aws::{StoreError, error_chain};
use shared::deadline::Deadline;
use shared::http::ApiError;
use shared::kind::Kind;
use shared::lossy_json;
use shared::object_key::ObjectKey;
use shared::records::{Provenance, Put, Record, RecordListing, says_only_deleted};
use shared::stripe::{StripeError, StripeFailure};
use shared::unix_time::UnixSeconds;

use crate::deps::Deps;

/// For all calls of one request, of the 30 s that API Gateway waits.
const ASK_WITHIN: Duration = Duration::from_secs(12);
/// Few processes write one record.
const MAX_ATTEMPTS: u32 = 10;
/// The field by which an admin says that a customer is deleted.
pub(crate) const CLAIM: &str = "deleted_at_stripe";

/// What Stripe says of a customer.
enum Answer {
    /// It has them.
    Present,
    /// They are deleted. Stripe still shows that.
    Deleted {
        /// Stripe's JSON text.
        raw: String,
        /// The same, parsed.
        object: Value,
        /// It includes what Stripe stamped up to this second, if the answer says which.
        as_of: Option<UnixSeconds>,
    },
    /// It no longer knows them, such as those of a test clock.
    Gone,
    /// It cannot be asked, or what it says proves nothing; and why.
    Unknown(String),
}

/// Why a customer counts as deleted.
enum Absence {
    Deleted {
        raw: String,
        object: Value,
        as_of: Option<UnixSeconds>,
    },
    Gone,
    /// As gone, on somebody's word.
    Claimed,
}

/// Refuses a customer who is unknown, or not known to be deleted at Stripe. `claimed` is whether the admin
/// says that they are.
pub(crate) async fn require_deleted(
    deps: &Deps,
    customer: &ObjectKey,
    claimed: bool,
    deadline: Deadline,
) -> Result<(), ApiError> {
    let record = deps.records.get(customer).await?;
    match &record {
        Some(record) if !record.is_at_stripe() => return Ok(()),
        Some(_) => {}
        None if is_named(deps, customer).await? => {}
        None => {
            let message = format!("no record names a customer `{}`", customer.id());
            return Err(ApiError::not_found(message).remedy(
                "look it up with GET /records/customers; give `account` for a customer of a connected account",
            ));
        }
    }
    let absence = match ask(deps, customer, deadline).await? {
        Answer::Present => return Err(present()),
        Answer::Deleted { raw, object, as_of } => Absence::Deleted { raw, object, as_of },
        Answer::Gone => Absence::Gone,
        Answer::Unknown(_) if claimed => Absence::Claimed,
        Answer::Unknown(reason) => return Err(not_known(&reason, record.is_some())),
    };
    match record {
        Some(record) => store(deps, record, &absence).await,
        None => Ok(()),
    }
}

/// Whether any record names the customer.
async fn is_named(deps: &Deps, customer: &ObjectKey) -> Result<bool, StoreError> {
    for kind in Kind::all().filter(|kind| !kind.customer_members().is_empty()) {
        let (account, customer) = (customer.account_key().clone(), customer.id().to_owned());
        let listing = RecordListing::CustomerEver { account, customer, kind };
        if !deps.records.list(&listing, None, 1, |_| true).await?.records.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn ask(deps: &Deps, customer: &ObjectKey, deadline: Deadline) -> Result<Answer, ApiError> {
    let unknown = |reason: &str| Ok(Answer::Unknown(reason.to_owned()));
    let Some(settings) = deps.registry.settings().await? else {
        return unknown("no Stripe key has been set");
    };
    let deadline = deadline.within(ASK_WITHIN);
    let session = deps.stripe.session(settings.stripe_key_set_at, deadline).await?;
    let Some(session) = session else { return unknown("no Stripe key has been set") };
    match session.object(customer).await {
        Ok(Some(response)) => {
            let as_of = response.as_of();
            let raw = response.value.get().to_owned();
            Ok(match lossy_json::from_str::<Value>(&raw) {
                Ok(object) if object["deleted"] == true => Answer::Deleted { raw, object, as_of },
                // Stripe has them, whatever else it says of them.
                Ok(_) | Err(_) => Answer::Present,
            })
        }
        Ok(None) => match session.is_gone(customer, settings.stripe_account.as_deref()).await {
            Ok(true) => Ok(Answer::Gone),
            Ok(false) => unknown("it is not known that the Stripe key is of the customer's account"),
            Err(error) => no_answer(error),
        },
        Err(error) => no_answer(error),
    }
}

fn no_answer(error: StripeError) -> Result<Answer, ApiError> {
    match error {
        StripeError::Unauthorized(failure) | StripeError::Forbidden(failure) => {
            Ok(Answer::Unknown(describe(&failure)))
        }
        StripeError::Refused(failure) | StripeError::IdempotencyKeySpent(failure) => {
            let message =
                format!("Stripe refused to say whether the customer is deleted: {}", describe(&failure));
            let refusal = ApiError::new(StatusCode::BAD_GATEWAY, "stripe_error", message);
            Err(refusal
                .remedy("nothing was changed; look at what Stripe says, then send the same request again"))
        }
        StripeError::NoAnswer(failure) => {
            tracing::warn!(
                error = error_chain(&*failure),
                "Stripe did not say whether a customer is deleted"
            );
            let message =
                format!("Stripe did not say whether the customer is deleted: {}", describe(&failure));
            let outage = ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "stripe_no_answer", message);
            Err(outage.remedy("nothing was changed; send the same request again"))
        }
    }
}

/// Stripe's own message, and what its dashboard and its support find the call by.
fn describe(failure: &StripeFailure) -> String {
    match &failure.request_id {
        Some(id) => format!("{} (request {id})", failure.message),
        None => failure.message.clone(),
    }
}

/// Stores that the customer is deleted or gone, unless the record says so by now.
async fn store(deps: &Deps, mut record: Record, absence: &Absence) -> Result<(), ApiError> {
    for _ in 0..MAX_ATTEMPTS {
        let new =
            record_of(&record, absence).map_err(StoreError::doing("storing that a customer is deleted"))?;
        match deps.records.replace(&record, &new).await? {
            Put::Done => return Ok(()),
            // After a lost response the SDK writes again and finds its own record.
            Put::Conflict(stored) if !stored.is_at_stripe() => return Ok(()),
            Put::Conflict(stored) => match absence {
                Absence::Deleted { .. } | Absence::Gone => record = *stored,
                // What has come in the meantime may show that they live.
                Absence::Claimed => return Err(changed()),
            },
        }
    }
    Err(changed())
}

fn record_of(record: &Record, absence: &Absence) -> std::io::Result<Record> {
    match absence {
        Absence::Gone | Absence::Claimed => Ok(record.with_gone_at_stripe(true)),
        Absence::Deleted { raw, object, as_of } => {
            let provenance = Provenance {
                as_of: as_of.unwrap_or(record.as_of).max(record.as_of),
                event: None,
                events: Vec::new(),
                deleted: true,
                order_uncertain: false,
                fetched: true,
            };
            if says_only_deleted(object)
                && let known = record.object_as_deleted()
                && let Ok(object) = lossy_json::from_str::<Value>(&known)
            {
                return Record::new(record.key.clone(), provenance, known.as_bytes(), &object);
            }
            Record::new(record.key.clone(), provenance, raw.as_bytes(), object)
        }
    }
}

fn present() -> ApiError {
    let message = "the customer is not deleted at Stripe, so new events would bring the data back";
    ApiError::new(StatusCode::CONFLICT, "customer_not_deleted", message)
        .remedy("delete the customer at Stripe, then ask again")
}

fn changed() -> ApiError {
    let message = "the customer's record was changed at the same moment";
    ApiError::new(StatusCode::CONFLICT, "customer_not_deleted", message)
        .remedy("look at GET /records/customers, then ask again")
}

fn not_known(reason: &str, has_record: bool) -> ApiError {
    let refusal = if has_record {
        let message =
            format!("no event has said that the customer is deleted, and Stripe cannot be asked: {reason}");
        ApiError::new(StatusCode::CONFLICT, "customer_not_deleted", message)
    } else {
        let message = format!("there is no record of the customer, and Stripe cannot be asked: {reason}");
        ApiError::new(StatusCode::CONFLICT, "customer_not_known", message)
    };
    refusal.field(CLAIM).remedy(format!(
        "give the Stripe key the right to read customers, or another key with PUT /settings/stripe-key, and ask \
         again. If that cannot be had, look the customer up in Stripe's dashboard: if they are deleted, or the \
         account is closed, send \"{CLAIM}\": true as well"
    ))
}
