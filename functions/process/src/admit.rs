//! What is to be done with an event, as far as its envelope tells: applied, left alone, or looked at by somebody.

use shared::event::Event;
use shared::event_type;
use shared::mode::Mode;

/// What becomes of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It is to be applied.
    Apply,
    /// It is kept, and nothing is to be done with it.
    Ignore(&'static str),
    /// It is kept, and somebody has to look at it.
    Quarantine(String),
}

/// Decides by mode, type and the stack's patterns of what is ignored. To live Connect endpoints Stripe sends test events as well, on purpose (Stripe's documentation,
/// "Connect webhooks"); what comes from a connected account says so.
pub(crate) fn admit(event: &Event<'_>, stack: Mode, ignore: &[String]) -> Admission {
    if event.mode != stack {
        return if event.account.is_some() && event.mode == Mode::Test {
            Admission::Ignore(reasons::OTHER_MODE_AT_CONNECT)
        } else {
            Admission::Quarantine(format!("a {} event at a {stack} stack", event.mode))
        };
    }
    if !event_type::is_applied(&event.event_type) {
        Admission::Ignore(reasons::TYPE)
    } else if ignore.iter().any(|pattern| event_type::matches(pattern, &event.event_type)) {
        Admission::Ignore(reasons::FILTER)
    } else {
        Admission::Apply
    }
}

/// Why an event is as it is, as the ledger says it: a word that filters know, and what people should know.
pub(crate) mod reasons {
    /// Its second has no order.
    pub(crate) const ORDER_UNCERTAIN: &str = "order_uncertain: the events of this second have no order, and the Stripe key may not read the object";
    /// Billhook applies no event of this type.
    pub(crate) const TYPE: &str = "type";
    /// The stack's settings say not to apply events of this type.
    pub(crate) const FILTER: &str = "filter";
    /// A test event that Stripe sends to live Connect endpoints on purpose.
    pub(crate) const OTHER_MODE_AT_CONNECT: &str = "other_mode_at_connect";
    /// What it is about is not kept as a record, such as the preview of an invoice.
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
        admit(&event, stack, &["invoice.*".to_owned(), "refund.failed".to_owned()])
    }

    #[test]
    fn what_changes_a_record_is_applied_and_an_unknown_type_is_left_alone() {
        assert_eq!(admitted("charge.refund.updated", false, "null", Mode::Test), Admission::Apply);
        assert_eq!(admitted("something.new", false, "null", Mode::Test), Admission::Ignore(reasons::TYPE));
    }

    #[test]
    fn what_the_settings_ignore_is_left_alone() {
        let of = |event_type| admitted(event_type, false, "null", Mode::Test);
        assert_eq!(of("invoice.paid"), Admission::Ignore(reasons::FILTER));
        assert_eq!(of("refund.failed"), Admission::Ignore(reasons::FILTER));
        assert_eq!(of("invoice_payment.paid"), Admission::Apply);
        assert_eq!(of("refund.updated"), Admission::Apply);
    }

    #[test]
    fn the_other_mode_is_set_aside_and_at_connect_endpoints_expected() {
        let of = |livemode, account, stack| admitted("charge.refund.updated", livemode, account, stack);
        assert!(matches!(of(true, "null", Mode::Test), Admission::Quarantine(_)));
        assert!(matches!(of(true, "\"acct_1\"", Mode::Test), Admission::Quarantine(_)));
        assert!(matches!(of(false, "null", Mode::Live), Admission::Quarantine(_)));
        assert_eq!(of(false, "\"acct_1\"", Mode::Live), Admission::Ignore(reasons::OTHER_MODE_AT_CONNECT));
    }
}
