//! Lists the connected accounts and notes them, so that those are gone through too from which no event has
//! come.

use jiff::Timestamp;
use serde_json::Value;
use shared::account::AccountKey;
use shared::lossy_json;
use shared::registry::{AccountList, Halt, Stage};
use shared::stripe::{Session, StripeFailure};

use crate::deps::Deps;
use crate::error::{ImportError, Interruption};
use crate::unanswered::{MAX_RUNS, isolated_failure, unusable_response};

/// Whether the accounts are wanted: an endpoint listens to them. Else nobody wants what is theirs.
pub(crate) async fn are_wanted(deps: &Deps) -> Result<bool, ImportError> {
    Ok(deps.registry.endpoints().await?.iter().any(|endpoint| endpoint.spec.connect))
}

/// Notes the accounts of the next page. Returns how far the list is then; and the halt, if the page got no
/// answer that can be used, and is to be tried again. After [`MAX_RUNS`] of them the list counts as refused.
///
/// # Errors
/// A halt that concerns all calls, and a registry that cannot be read or written.
pub(crate) async fn list_page(
    deps: &Deps,
    session: &Session<'_>,
    list: AccountList,
    now: Timestamp,
) -> Result<(AccountList, Option<Halt>), Interruption> {
    match note_page(deps, session, list.clone(), now).await {
        Ok(list) => Ok((list, None)),
        Err(Interruption::Halted(halt)) => {
            let failure = isolated_failure(session, halt).await?;
            let unanswered = list.unanswered + 1;
            Ok(if unanswered < MAX_RUNS {
                (AccountList { unanswered, ..list }, Some(Halt::NoAnswer(failure)))
            } else {
                (refused(AccountList { unanswered, ..list }, *failure), None)
            })
        }
        Err(error @ Interruption::Failed(_)) => Err(error),
    }
}

async fn note_page(
    deps: &Deps,
    session: &Session<'_>,
    list: AccountList,
    now: Timestamp,
) -> Result<AccountList, Interruption> {
    let page = match session.connected_accounts(list.after.as_deref()).await {
        // The account that came last has left: those before it are known, and noted again at no harm.
        Err(error) if error.is_gone_cursor() => session.connected_accounts(None).await,
        page => page,
    };
    let page = match page {
        Ok(page) => page,
        Err(error) => match Halt::try_from(error) {
            Ok(halt) => return Err(halt.into()),
            Err(failure) => return Ok(refused(list, *failure)),
        },
    };
    let known = deps.registry.connected_accounts().await?;
    for raw in &page.value.accounts {
        let account: Option<Value> = lossy_json::from_str(raw.get()).ok();
        let account = account.filter(|account| account["object"] == "account");
        let id = account.as_ref().and_then(|account| account["id"].as_str());
        if let Some(account) = id.and_then(|id| AccountKey::new(Some(id)).ok())
            && !known.contains(&account)
        {
            deps.registry.record_connected_account(&account, now).await?;
        }
    }
    let (stage, after) = match (page.value.more, page.value.last) {
        (true, Some(last)) => (Stage::GoingOn, Some(last)),
        (true, None) => {
            let problem = "Stripe's list ends with something without an id";
            return Err(unusable_response(problem, page.request_id).into());
        }
        (false, last) => (Stage::Done, last.or(list.after)),
    };
    Ok(AccountList { stage, after, failure: None, unanswered: 0 })
}

fn refused(list: AccountList, failure: StripeFailure) -> AccountList {
    AccountList { stage: Stage::Refused, failure: Some(failure), ..list }
}
