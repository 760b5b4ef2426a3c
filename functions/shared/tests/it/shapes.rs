//! Every type is read in the shapes that Stripe has given its object since 2016: the same record, listed
//! under the same customer and payment, kept as Stripe wrote it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared::event::{self, Event, ParsedEvent};
use shared::kind::Kind;
use shared::order::{Snapshot, SnapshotError};
use shared::records::{Provenance, Record};

/// Fields that hold an id, an expanded object or null. In an invoice payment they stand one level down.
const REFERENCES: [&str; 7] = [
    "customer",
    "payment_intent",
    "charge",
    "latest_charge",
    "invoice",
    "subscription",
    "default_payment_method",
];
/// A version of each age of the shapes.
const VERSIONS: [&str; 5] =
    ["2016-07-06", "2018-11-08", "2022-11-15", "2025-02-24.acacia", "2026-10-28.endive"];

/// Each sample's type and whole event.
fn samples() -> Vec<(String, Value)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/stripe");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let samples: Vec<(String, Value)> = files
        .map(|path| {
            let event: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            (event["type"].as_str().unwrap().to_owned(), event)
        })
        .collect();
    assert_eq!(samples.len(), Kind::all().flat_map(Kind::event_types).count());
    samples
}

/// Those whose object is kept.
fn kept() -> impl Iterator<Item = (String, Value)> {
    samples().into_iter().filter(|(event_type, _)| event_type != "invoice.upcoming")
}

/// The object of a type, as the table of kinds says.
fn kind(event_type: &str) -> &'static str {
    let of_type = |kind: &Kind| kind.event_types().any(|other| other == event_type);
    Kind::all().find(of_type).unwrap_or_else(|| panic!("no kind has the type {event_type}")).object()
}

fn read(text: &str) -> Event<'_> {
    let ParsedEvent::Event(event) = event::read(text.as_bytes()) else { panic!("unreadable: {text}") };
    *event
}

/// The record an event makes, and the snapshot it is made of.
fn record(text: &str) -> (Snapshot, Record) {
    let snapshot = Snapshot::from_event(&read(text)).unwrap();
    let standing = Provenance {
        as_of: snapshot.created,
        event: Some(snapshot.id.clone()),
        events: vec![snapshot.id.clone()],
        deleted: snapshot.is_deletion(),
        order_uncertain: false,
        fetched: false,
    };
    let record =
        Record::new(snapshot.key.clone(), standing, snapshot.raw.as_bytes(), &snapshot.object).unwrap();
    (snapshot, record)
}

/// The key, and what the record is listed under: customer, payment, place.
fn listed(event: &Value) -> [Value; 4] {
    let (snapshot, record) = record(&event.to_string());
    let item = serde_json::to_value(&record).unwrap();
    [
        json!(snapshot.key.to_string()),
        item.get("by_customer").cloned().unwrap_or_default(),
        item.get("by_payment").cloned().unwrap_or_default(),
        item["sort"].clone(),
    ]
}

/// All members, of any kind, that name another object; a dot leads into an object.
fn members() -> BTreeSet<&'static str> {
    let of_table = Kind::all().flat_map(|kind| {
        let references = kind.references().iter().chain(kind.part_of()).map(|reference| reference.member);
        references.chain(kind.customer_members().iter().copied())
    });
    REFERENCES.into_iter().chain(of_table).collect()
}

/// The same event with each reference changed.
fn with_references(event: &Value, change: impl Fn(&str, &mut Value)) -> Value {
    let mut event = event.clone();
    let object = &mut event["data"]["object"];
    for member in members() {
        if let Some(reference) = object.pointer_mut(&format!("/{}", member.replace('.', "/"))) {
            change(member.rsplit('.').next().unwrap(), reference);
        }
    }
    event
}

#[test]
fn each_type_names_its_object_in_every_version() {
    for (event_type, mut event) in kept() {
        for version in VERSIONS {
            event["api_version"] = json!(version);
            let (snapshot, _) = record(&event.to_string());
            assert_eq!(snapshot.key.object(), kind(&event_type), "{event_type}");
            assert_eq!(Some(snapshot.key.id()), event["data"]["object"]["id"].as_str(), "{event_type}");
            assert_eq!(snapshot.api_version.as_deref(), Some(version));
        }
    }
}

#[test]
fn a_reference_is_the_same_as_an_id_and_as_an_expanded_object() {
    for (event_type, event) in kept() {
        let expanded = with_references(&event, |field, reference| {
            if reference.is_string() {
                *reference = json!({"object": field, "id": reference, "metadata": {"id": "not_this"}});
            }
        });
        let changed = expanded != event;
        assert_eq!(listed(&expanded), listed(&event), "{event_type}");
        let object = &event["data"]["object"];
        let reference = |member: &str| object.pointer(&format!("/{}", member.replace('.', "/")));
        let names_others = members().iter().any(|member| reference(member).is_some_and(Value::is_string));
        assert_eq!(changed, names_others, "{event_type}");
    }
}

#[test]
fn what_a_record_is_listed_under_is_what_its_object_names() {
    let (customer, payment) = ("-/cus_SynCustomer0001", "-/pi_3SynPaymentIntent000001");
    for (event_type, event) in kept() {
        let [_, by_customer, by_payment, _] = listed(&event);
        let expected = match kind(&event_type) {
            "subscription" | "invoice" | "payment_intent" => [json!(customer), Value::Null],
            "charge" => [json!(customer), json!(payment)],
            "refund" | "dispute" | "invoice_payment" => [Value::Null, json!(payment)],
            other => {
                let other = Kind::from_object_name(other).unwrap();
                let object = &event["data"]["object"];
                let named = |member: &str| {
                    let id = object.pointer(&format!("/{}", member.replace('.', "/")))?.as_str()?;
                    Some(json!(format!("-/{id}")))
                };
                [
                    other.customer_members().iter().find_map(|member| named(member)).unwrap_or_default(),
                    other.part_of().iter().find_map(|whole| named(whole.member)).unwrap_or_default(),
                ]
            }
        };
        assert_eq!([by_customer, by_payment], expected, "{event_type}");
    }
}

#[test]
fn references_that_are_null_or_not_there_name_nothing_and_hide_nothing_else() {
    for (event_type, event) in kept() {
        let nothing = with_references(&event, |_, reference| *reference = Value::Null);
        let [key, by_customer, by_payment, place] = listed(&nothing);
        let [same_key, _, _, same_place] = listed(&event);
        assert_eq!([key, place], [same_key, same_place], "{event_type}");
        assert_eq!([by_customer, by_payment], [Value::Null, Value::Null], "{event_type}");
        let mut absent = event.clone();
        let object = absent["data"]["object"].as_object_mut().unwrap();
        let members = members();
        object.retain(|field, _| members.iter().all(|member| member.split('.').next() != Some(field)));
        assert_eq!(listed(&absent), listed(&nothing), "{event_type}");
        // Refunds and disputes of before PaymentIntents name their charge alone, and such charges nothing.
        let before = with_references(&event, |field, reference| {
            if field == "payment_intent" {
                *reference = Value::Null;
            }
        });
        let expected = match kind(&event_type) {
            "refund" | "dispute" => json!("-/ch_3SynCharge0000000000001"),
            other => {
                let whole = Kind::from_object_name(other).unwrap().part_of().iter().find_map(|whole| {
                    let id = before["data"]["object"].get(whole.member)?.as_str()?;
                    Some(json!(format!("-/{id}")))
                });
                whole.unwrap_or_default()
            }
        };
        assert_eq!(listed(&before)[2], expected, "{event_type}");
    }
}

/// The object as an API version of before 2025-03-31, or much older, wrote it: each row of "where a field
/// moved".
fn old_shape(object: &mut Value) {
    let kind = object["object"].as_str().unwrap().to_owned();
    let fields = object.as_object_mut().unwrap();
    let mut set = |field: &str, value: Value| fields.insert(field.to_owned(), value);
    match kind.as_str() {
        "invoice" => {
            set("subscription", json!("sub_1SynSubscription0000001"));
            set("payment_intent", json!("pi_3SynPaymentIntent000001"));
            set("charge", json!("ch_3SynCharge0000000000001"));
            set("paid", json!(true));
            set("tax", json!(0));
            set("total_tax_amounts", json!([]));
            set("discount", Value::Null);
            for gone in ["parent", "payments", "total_taxes", "discounts", "status"] {
                fields.remove(gone);
            }
        }
        "subscription" => {
            set("current_period_start", json!(1));
            set("current_period_end", json!(2));
            set("plan", json!({"object": "plan", "id": "gold"}));
            set("quantity", json!(1));
            set("discount", Value::Null);
            fields.remove("items");
        }
        "payment_intent" => {
            set("invoice", json!("in_1SynInvoice000000000001"));
            let charge = json!({"object": "charge", "id": "ch_3SynCharge0000000000001", "payment_intent": null, "customer": null});
            set("charges", json!({"object": "list", "data": [charge]}));
            fields.remove("latest_charge");
        }
        "charge" => {
            set("invoice", json!("in_1SynInvoice000000000001"));
            set(
                "refunds",
                json!({"object": "list", "data": [{"object": "refund", "id": "re_1", "charge": "ch_1"}]}),
            );
            set("dispute", json!({"object": "dispute", "id": "dp_1", "charge": "ch_1"}));
            fields.remove("amount_captured");
        }
        "customer" => {
            set(
                "sources",
                json!({"object": "list", "data": [{"object": "card", "id": "card_1", "customer": "cus_1"}]}),
            );
            set(
                "subscriptions",
                json!({"object": "list", "data": [{"object": "subscription", "id": "sub_1", "customer": "cus_1"}]}),
            );
        }
        "dispute" => {
            set("balance_transaction", json!("txn_1"));
        }
        _ => {}
    }
}

#[test]
fn an_object_in_its_old_shape_is_the_same_record() {
    for (event_type, event) in kept() {
        let mut old = event.clone();
        old_shape(&mut old["data"]["object"]);
        let moved = ["customer", "subscription", "invoice", "payment_intent", "charge", "dispute"];
        assert_eq!(old != event, moved.contains(&kind(&event_type)), "{event_type}");
        assert_eq!(listed(&old), listed(&event), "{event_type}");
    }
}

#[test]
fn unknown_values_and_new_fields_are_kept_to_the_byte() {
    for (event_type, event) in kept() {
        let mut object = event["data"]["object"].clone();
        object["status"] = json!("a_new_one");
        let text = object.to_string();
        let (new, rest) =
            (r#" "new" : {"z": 1.0, "a": [1e5, "\u00e9", 12345678901234567890123 ] }"#, &text[1..]);
        let text = format!("{{{new},\n{rest}");
        let whole = event.to_string().replace(&event["data"]["object"].to_string(), &text);
        let (snapshot, record) = record(&whole);
        assert_eq!(record.object().unwrap(), text.as_bytes(), "{event_type}");
        assert_eq!(snapshot.object["status"], "a_new_one");
        assert_eq!(snapshot.key.object(), kind(&event_type));
    }
}

#[test]
fn a_deleted_customer_comes_whole_or_as_three_fields() {
    let (_, event) = samples().into_iter().find(|(event_type, _)| event_type == "customer.deleted").unwrap();
    let id = event["data"]["object"]["id"].clone();
    let mut whole = event.clone();
    whole["data"]["object"].as_object_mut().unwrap().remove("deleted");
    let mut short = event;
    short["data"]["object"] = json!({"id": id, "object": "customer", "deleted": true});
    for event in [whole, short] {
        let (snapshot, record) = record(&event.to_string());
        assert!(snapshot.is_deletion() && record.deleted, "{event}");
        assert_eq!((snapshot.key.object(), Some(snapshot.key.id())), ("customer", id.as_str()));
    }
}

#[test]
fn a_preview_of_an_invoice_is_no_record_in_any_shape() {
    let (_, event) = samples().into_iter().find(|(event_type, _)| event_type == "invoice.upcoming").unwrap();
    let subscription = "-/subscription/sub_1SynSubscription0000001";
    for id in [None, Some(Value::Null), Some(json!("upcoming_in_1Syn"))] {
        for old in [false, true] {
            let mut event = event.clone();
            let object = &mut event["data"]["object"];
            if old {
                old_shape(object);
            }
            object.as_object_mut().unwrap().remove("id");
            if let Some(id) = &id {
                object["id"] = id.clone();
            }
            let text = event.to_string();
            assert_eq!(Snapshot::from_event(&read(&text)), Err(SnapshotError::NoRecord), "{id:?}");
            assert_eq!(read(&text).listed_under().unwrap().to_string(), subscription, "{id:?} {old}");
        }
    }
}
