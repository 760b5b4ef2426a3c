//! Other things that Stripe is asked: whose account a key belongs to, how an object stands now, and whether
//! one that it does not know is gone.

use reqwest::Method;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::call::{Call, Session, StripeResponse};
use super::error::{StripeError, StripeFailure};
use crate::kind::Kind;
use crate::object_key::ObjectKey;

impl Session<'_> {
    /// The account that the key belongs to, `acct_…`; Stripe is asked once a session. None: the key may not
    /// ask, and the refusal does not say it either.
    ///
    /// # Errors
    /// See [`StripeError`]. After an error it is asked again.
    pub async fn account(&self) -> Result<Option<String>, StripeError> {
        self.account.get_or_try_init(|| self.fetch_account()).await.cloned()
    }

    async fn fetch_account(&self) -> Result<Option<String>, StripeError> {
        #[derive(Deserialize)]
        struct Account {
            id: String,
        }
        match self.call_for::<Account>(&Call::new(Method::GET, &["account"]), "account", None).await {
            Ok(account) => Ok(Some(account.value.id)),
            // A restricted key is told: "does not have the required permissions for this endpoint on account
            // 'acct_…'".
            Err(StripeError::Forbidden(failure)) => Ok(account_in(&failure.message)),
            Err(error) => Err(error),
        }
    }

    /// Whether an object that Stripe does not know is gone: Stripe looked in the account that it belongs to.
    /// `own` is the stack's own account, if that is known. Test clocks and "delete all test data" remove
    /// objects of which there are events, so the object itself proves nothing about the key.
    ///
    /// In a connected account Stripe looks only if the key may act for it (else 403), and there it is the
    /// object's. For our own, a wrong key cannot be told from an object that is gone unless both accounts are
    /// known and the same.
    ///
    /// # Errors
    /// If Stripe does not say of which account the key is: see [`StripeError`].
    pub async fn is_gone(&self, key: &ObjectKey, own: Option<&str>) -> Result<bool, StripeError> {
        match (key.account(), own) {
            (Some(_), _) => Ok(true),
            (None, None) => Ok(false),
            (None, Some(own)) => Ok(self.account().await?.as_deref() == Some(own)),
        }
    }

    /// An object as Stripe shows it now, in the pinned version; deleted ones that Stripe still shows
    /// included. None: there is none of this id in the key's account and mode.
    ///
    /// # Errors
    /// See [`StripeError`].
    pub async fn object(
        &self,
        key: &ObjectKey,
    ) -> Result<Option<StripeResponse<Box<RawValue>>>, StripeError> {
        let kind = addressable_kind(key)?;
        let path: Vec<&str> = path(kind)?.split('/').chain([key.id()]).collect();
        let mut call = Call::new(Method::GET, &path);
        call.account = key.account();
        match self.call_for(&call, key.object(), Some(key.id())).await {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The kind of an object that an address can name.
///
/// # Errors
/// [`StripeError::NoAnswer`] if none can, or it is of no kind of record.
pub(super) fn addressable_kind(key: &ObjectKey) -> Result<Kind, StripeError> {
    check_address(key.id())?;
    let kind = key.kind();
    kind.ok_or_else(|| unnamed(format!("a `{}` is no kind of record, so it is not asked for", key.object())))
}

/// Checks that an address can name an object.
///
/// # Errors
/// [`StripeError::NoAnswer`] if none can.
pub(super) fn check_address(id: &str) -> Result<(), StripeError> {
    // In an address these two mean a folder, and line ends and tabs are left out (WHATWG's URL standard):
    // something else would be asked for.
    if matches!(id, "." | "..") || id.contains(['\t', '\n', '\r']) {
        return Err(unnamed(format!("no address can name the object `{id}`")));
    }
    Ok(())
}

/// Where Stripe has the objects of a kind.
///
/// # Errors
/// [`StripeError::NoAnswer`] for what Stripe has below its customer alone.
pub(super) fn path(kind: Kind) -> Result<&'static str, StripeError> {
    let missing = || format!("Stripe reads no `{}` by its id alone, so it is not asked for", kind.object());
    kind.path().ok_or_else(|| unnamed(missing()))
}

fn unnamed(message: String) -> StripeError {
    StripeError::NoAnswer(Box::new(StripeFailure::happened(message)))
}

fn account_in(message: &str) -> Option<String> {
    message
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .find(|word| word.strip_prefix("acct_").is_some_and(|rest| !rest.is_empty()))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_may_name_the_account() {
        let failure = "The provided key 'rk_test_*********1234' does not have the required permissions for this endpoint on \
                       account 'acct_1Abc'. Having the 'rak_x' permission would allow this request to continue.";
        assert_eq!(account_in(failure).as_deref(), Some("acct_1Abc"));
        assert_eq!(account_in("no account acct_ here"), None);
    }
}
