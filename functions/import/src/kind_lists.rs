//! Goes through the lists in which Stripe has the objects of a kind, one after another: those of the account,
//! such as prices and then inactive ones; then, where Stripe lists some below their customer alone, customer
//! by customer.
//!
//! ```text
//! a list of the account ── the next ──► a page of customers ── the list of the first ── of the next ──┐
//!                                             ▲                                                       │
//!                                             └───────────────────────────────────────────────────────┘
//! ```
//!
//! Customers are those that Stripe lists: it leaves out deleted ones, which have no lists any more. A list
//! that Stripe refuses, or never answers, does not stop the others, and is told at the end.

use std::collections::VecDeque;

use shared::account::AccountKey;
use shared::kind::Kind;
use shared::registry::{Halt, KindProgress, ListPosition, Stage};
use shared::stripe::{
    ObjectList, ObjectsPage, ObjectsQuery, Session, StripeError, StripeFailure, StripeResponse,
};
use shared::unix_time::UnixSeconds;

use crate::deps::Deps;
use crate::error::Interruption;
use crate::listing::{WrittenPage, last_position, list_after, position, write_page};
use crate::unanswered::{fetched_as_of, unusable_response};

const WITHOUT_ID: &str = "Stripe's list ends with something without an id";

/// The lists of a kind of an account.
#[derive(Debug)]
pub(crate) struct KindLists<'a> {
    deps: &'a Deps,
    account: &'a AccountKey,
    kind: Kind,
    /// Objects made before are left out.
    since: Option<UnixSeconds>,
    /// The customers whose lists come next, once Stripe was asked who they are.
    customers: Option<NextCustomers>,
}

#[derive(Debug, Default)]
struct NextCustomers {
    next: VecDeque<ListPosition>,
    /// Whether Stripe lists others after these.
    more: bool,
}

impl<'a> KindLists<'a> {
    pub(crate) fn new(
        deps: &'a Deps,
        account: &'a AccountKey,
        kind: Kind,
        since: Option<UnixSeconds>,
    ) -> Self {
        Self { deps, account, kind, since, customers: None }
    }

    /// Imports the next page. Returns the progress after it.
    pub(crate) async fn next_page(
        &mut self,
        session: &Session<'_>,
        progress: KindProgress,
    ) -> Result<KindProgress, Interruption> {
        match self.kind.account_lists().get(progress.list) {
            Some(params) => {
                let query =
                    ObjectsQuery { list: ObjectList::OfAccount(params), since: self.since, ..self.query() };
                match list_after(session, query, progress.after.as_ref()).await {
                    Ok(page) => {
                        let (progress, is_over) = self.write(&page, progress).await?;
                        Ok(if is_over { self.leave_list(progress, None) } else { progress })
                    }
                    Err(error) => Ok(self.leave_list(progress, Some(*refusal(error)?))),
                }
            }
            None => self.next_page_of_customer(session, progress).await,
        }
    }

    /// The progress without the list of which the next page never gets an answer.
    pub(crate) fn pass(&mut self, progress: KindProgress, failure: StripeFailure) -> KindProgress {
        let customer = self.customers.as_mut().and_then(|customers| customers.next.pop_front());
        match customer {
            Some(customer) => leave_customer(progress, customer, Some(failure)),
            None => self.leave_list(progress, Some(failure)),
        }
    }

    /// Imports the next page of the customer whose turn it is.
    async fn next_page_of_customer(
        &mut self,
        session: &Session<'_>,
        progress: KindProgress,
    ) -> Result<KindProgress, Interruption> {
        let customer = match self.next_customer(session, &progress).await? {
            Ok(Some(customer)) => customer,
            Ok(None) => return Ok(self.leave_list(progress, None)),
            Err(failure) => return Ok(self.leave_list(progress, Some(failure))),
        };
        // If the list of another customer stood here, who is deleted now, Stripe does not know its position.
        let query = ObjectsQuery { list: ObjectList::OfCustomer(&customer.id), ..self.query() };
        let page = match list_after(session, query, progress.after.as_ref()).await {
            Ok(page) => page,
            // No customer's list can be read.
            Err(StripeError::Forbidden(failure)) => return Ok(self.leave_list(progress, Some(*failure))),
            // Deleted a moment ago.
            Err(error) if error.is_missing() => return Ok(self.finish_customer(progress, customer, None)),
            Err(error) => {
                let failure = *refusal(error)?;
                return Ok(self.finish_customer(progress, customer, Some(failure)));
            }
        };
        let (progress, is_over) = self.write(&page, progress).await?;
        Ok(if is_over { self.finish_customer(progress, customer, None) } else { progress })
    }

    /// The customer whose turn it is; none after the last. Fails with Stripe's words if it does not list
    /// them.
    async fn next_customer(
        &mut self,
        session: &Session<'_>,
        progress: &KindProgress,
    ) -> Result<Result<Option<ListPosition>, StripeFailure>, Interruption> {
        if let Some(customers) = &self.customers {
            if let Some(customer) = customers.next.front() {
                return Ok(Ok(Some(customer.clone())));
            }
            if !customers.more {
                return Ok(Ok(None));
            }
        }
        let query = ObjectsQuery::new(Kind::CUSTOMER, self.account.connected());
        let page = match list_after(session, query, progress.customer.as_ref()).await {
            Ok(page) => page,
            Err(error) => return Ok(Err(*refusal(error)?)),
        };
        let problem = || unusable_response("Stripe's list of customers has one without an id", None);
        let mut next = VecDeque::new();
        for raw in &page.value.objects {
            next.push_back(position(raw).map_err(|_| problem())?);
        }
        next.extend(last_position(&page.value).filter(|_| page.value.oversized.is_some()));
        if next.is_empty() && page.value.more {
            return Err(unusable_response(
                "Stripe's list of customers has a page without any",
                page.request_id,
            )
            .into());
        }
        let customer = next.front().cloned();
        self.customers = Some(NextCustomers { next, more: page.value.more });
        Ok(Ok(customer))
    }

    /// Writes a page to its records. Returns the progress after it, and whether the list is over.
    async fn write(
        &self,
        page: &StripeResponse<ObjectsPage>,
        mut progress: KindProgress,
    ) -> Result<(KindProgress, bool), Interruption> {
        let as_of = fetched_as_of(page)?;
        let WrittenPage { written, left_out, reached_since } =
            write_page(self.deps, &page.value, self.account, self.kind, self.since, as_of).await?;
        left_out.into_iter().for_each(|id| progress.left_out.add(id));
        let is_over = !page.value.more || reached_since;
        if !is_over {
            let last = last_position(&page.value);
            progress.after =
                Some(last.ok_or_else(|| unusable_response(WITHOUT_ID, page.request_id.clone()))?);
        }
        let listed = page.value.objects.len() + usize::from(page.value.oversized.is_some());
        progress.looked_at += listed as u64;
        progress.written += written;
        progress.unanswered = 0;
        Ok((progress, is_over))
    }

    fn finish_customer(
        &mut self,
        progress: KindProgress,
        customer: ListPosition,
        failure: Option<StripeFailure>,
    ) -> KindProgress {
        if let Some(customers) = &mut self.customers {
            customers.next.pop_front();
        }
        leave_customer(progress, customer, failure)
    }

    /// The progress at the beginning of the next list, or at the end.
    fn leave_list(&self, progress: KindProgress, failure: Option<StripeFailure>) -> KindProgress {
        let list = progress.list + 1;
        let failure = progress.failure.or(failure);
        let lists = self.kind.account_lists().len() + usize::from(self.kind.below_customer().is_some());
        let stage = match &failure {
            _ if list < lists => Stage::GoingOn,
            Some(_) => Stage::Refused,
            None => Stage::Done,
        };
        KindProgress { stage, list, after: None, failure, unanswered: 0, ..progress }
    }

    fn query(&self) -> ObjectsQuery<'a> {
        ObjectsQuery::new(self.kind, self.account.connected())
    }
}

fn leave_customer(
    progress: KindProgress,
    customer: ListPosition,
    failure: Option<StripeFailure>,
) -> KindProgress {
    let failure = progress.failure.or(failure);
    KindProgress { customer: Some(customer), after: None, failure, unanswered: 0, ..progress }
}

/// Stripe's words, if it only refuses this call.
fn refusal(error: StripeError) -> Result<Box<StripeFailure>, Halt> {
    match Halt::try_from(error) {
        Ok(halt) => Err(halt),
        Err(failure) => Ok(failure),
    }
}
