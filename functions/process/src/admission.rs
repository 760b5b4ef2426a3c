//! Whether an event is applied, ignored or quarantined, as far as its envelope decides that.

use shared::event::Event;
use shared::event_type;
use shared::mode::Mode;

/// The decision about an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It is to be applied.
    Apply,
    /// It is kept in the ledger, and nothing is done with it.
    Ignore(&'static str),
    /// It is kept in the ledger, and an admin has to look at it.
    Quarantine(String),
}

impl Admission {
    /// Decides by mode, type and the stack's patterns of what is ignored. To live Connect endpoints Stripe
    /// sends test events as well, on purpose (Stripe's documentation, "Connect webhooks"); those name the
    /// connected account they come from.
    pub(crate) fn decide(event: &Event<'_>, stack: Mode, ignore: &[String]) -> Self {
        if event.id.is_made_up() {
            return Self::Ignore(reasons::MADE_UP);
        }
        if event.mode != stack {
            return if event.account.is_some() && event.mode == Mode::Test {
                Self::Ignore(reasons::OTHER_MODE_AT_CONNECT)
            } else {
                Self::Quarantine(format!("a {} event at a {stack} stack", event.mode))
            };
        }
        if !event_type::is_applied(&event.event_type) {
            Self::Ignore(reasons::TYPE)
        } else if ignore.iter().any(|pattern| event_type::matches(pattern, &event.event_type)) {
            Self::Ignore(reasons::FILTER)
        } else {
            Self::Apply
        }
    }
}

/// Reasons that the ledger keeps with an event's state: a word that filters accept, and for some a sentence
/// for people.
pub(crate) mod reasons {
    /// The events of its second could not be put in order.
    pub(crate) const ORDER_UNCERTAIN: &str = "order_uncertain: the events of this second have no order, and the Stripe key may not read the object";
    /// The same, and the object is no more.
    pub(crate) const GONE_AT_STRIPE: &str =
        "order_uncertain: the events of this second have no order, and Stripe no longer has the object";
    /// Stripe's dashboard made the event up for a test. Its objects do not exist.
    pub(crate) const MADE_UP: &str = "made_up: a test of Stripe's dashboard, about objects that do not exist";
    /// Billhook applies no event of this type.
    pub(crate) const TYPE: &str = "type";
    /// The stack's settings ignore events of this type.
    pub(crate) const FILTER: &str = "filter";
    /// A test event that Stripe sends to live Connect endpoints on purpose.
    pub(crate) const OTHER_MODE_AT_CONNECT: &str = "other_mode_at_connect";
    /// Its object is not kept as a record, such as the preview of an invoice.
    pub(crate) const NO_RECORD: &str = "no_record";
}

#[cfg(test)]
mod tests {
    use shared::event::{ParsedEvent, read};

    use super::*;

    fn admitted(event_type: &str, livemode: bool, account: &str, stack: Mode) -> Admission {
        let body = format!(
            r#"{{"id":"evt_1","object":"event","type":"{event_type}","created":5,"livemode":{livemode},"account":{account},
                 "data":{{"object":{{"object":"refund","id":"re_1"}}}}}}"#
        );
        let ParsedEvent::Event(event) = read(body.as_bytes()) else { panic!("unreadable: {body}") };
        Admission::decide(&event, stack, &["invoice.*".to_owned(), "refund.failed".to_owned()])
    }

    #[test]
    fn what_changes_a_record_is_applied_and_an_unknown_type_is_ignored() {
        assert_eq!(admitted("charge.refund.updated", false, "null", Mode::Test), Admission::Apply);
        assert_eq!(admitted("something.new", false, "null", Mode::Test), Admission::Ignore(reasons::TYPE));
    }

    #[test]
    fn what_stripes_dashboard_made_up_is_ignored_in_either_mode() {
        for (livemode, stack) in [(false, Mode::Test), (true, Mode::Live), (false, Mode::Live)] {
            let body = format!(
                r#"{{"id":"evt_00000000000000","object":"event","type":"refund.failed","created":5,
                     "livemode":{livemode},"data":{{"object":{{"object":"refund","id":"re_00000000000000"}}}}}}"#
            );
            let ParsedEvent::Event(event) = read(body.as_bytes()) else { panic!("unreadable: {body}") };
            assert_eq!(Admission::decide(&event, stack, &[]), Admission::Ignore(reasons::MADE_UP));
        }
    }

    #[test]
    fn what_the_settings_ignore_is_ignored() {
        let admit_type = |event_type| admitted(event_type, false, "null", Mode::Test);
        assert_eq!(admit_type("invoice.paid"), Admission::Ignore(reasons::FILTER));
        assert_eq!(admit_type("refund.failed"), Admission::Ignore(reasons::FILTER));
        assert_eq!(admit_type("invoice_payment.paid"), Admission::Apply);
        assert_eq!(admit_type("refund.updated"), Admission::Apply);
    }

    #[test]
    fn the_other_mode_is_quarantined_and_at_connect_endpoints_expected() {
        let admit_refund =
            |livemode, account, stack| admitted("charge.refund.updated", livemode, account, stack);
        assert!(matches!(admit_refund(true, "null", Mode::Test), Admission::Quarantine(_)));
        assert!(matches!(admit_refund(true, "\"acct_1\"", Mode::Test), Admission::Quarantine(_)));
        assert!(matches!(admit_refund(false, "null", Mode::Live), Admission::Quarantine(_)));
        assert_eq!(
            admit_refund(false, "\"acct_1\"", Mode::Live),
            Admission::Ignore(reasons::OTHER_MODE_AT_CONNECT)
        );
    }
}
