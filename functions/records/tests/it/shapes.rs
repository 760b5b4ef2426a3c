//! Records are shown the same in every shape that Stripe has given their objects since 2016.

use serde_json::{Value, json};

use shared::kind::Kind;

use crate::support::{Stack, ids, provenance, request};

fn samples() -> Vec<(String, Value)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/stripe");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let samples: Vec<(String, Value)> = files
        .map(|path| serde_json::from_slice::<Value>(&std::fs::read(path).unwrap()).unwrap())
        .map(|event| (event["type"].as_str().unwrap().to_owned(), event["data"]["object"].clone()))
        .collect();
    assert_eq!(samples.len(), Kind::all().flat_map(Kind::event_types).count());
    samples
}

fn plural(object: &Value) -> &'static str {
    let kind = object["object"].as_str().unwrap();
    Kind::from_object_name(kind).unwrap().plural()
}

#[tokio::test]
async fn each_sample_is_shown_the_same_whether_its_customer_is_expanded_and_its_object_to_the_byte() {
    let stack = Stack::start().await;
    let kept = samples().into_iter().filter(|(event_type, _)| event_type != "invoice.upcoming");
    for (n, (event_type, object)) in kept.enumerate() {
        let status = object["status"].clone();
        let is_customer = object["object"] == "customer";
        for (shape, customer) in [json!("cus_1"), json!({"object": "customer", "id": "cus_1"}), Value::Null]
            .into_iter()
            .enumerate()
        {
            let mut object = object.clone();
            if !is_customer {
                object["customer"] = customer.clone();
                // A tax id says once more whose it is.
                object["owner"] = Value::Null;
            }
            // A field of a later version, and numbers and escapes that serializing again would change.
            let text = object.to_string();
            let text = format!(r#"{{"new" : [1.0, 1e5, "\u00e9", {{}} ], {}"#, &text[1..]);
            // One stack holds an object once, so each stands in an account of its own.
            let account = format!("acct_{n}_{shape}");
            stack.record_raw(Some(&account), &text, provenance("evt_1", 50)).await;
            let id = object["id"].as_str().unwrap();
            let path = format!("/records/{}/{id}?account={account}", plural(&object));
            let (code, answer) = stack.text(request(&path)).await;
            assert_eq!(code, 200, "{event_type}: {answer}");
            assert!(answer.contains(&text), "{event_type}: the object is as Stripe wrote it");
            let shown: Value = serde_json::from_str(&answer).unwrap();
            let expected = match (is_customer, shape) {
                (true, _) => json!(id),
                (false, 0 | 1) => json!("cus_1"),
                (false, _) => Value::Null,
            };
            assert_eq!(shown["customer"], expected, "{event_type}");
            assert_eq!(shown["kind"], plural(&object), "{event_type}");
            assert_eq!(
                (&shown["status"], &shown["currency"]),
                (&status, &object["currency"]),
                "{event_type}"
            );
        }
    }
}

#[tokio::test]
async fn an_invoice_shows_its_subscription_and_what_paid_it_wherever_they_stand() {
    let stack = Stack::start().await;
    let payment = |id: &str| json!({"object": "payment_intent", "id": id, "created": 20, "customer": "cus_1", "status": "succeeded"});
    let joint = |id: &str, invoice: Value, payment: Value, status: &str| json!({"object": "invoice_payment", "id": id, "created": 21, "invoice": invoice, "status": status, "payment": payment});
    for object in [
        payment("pi_1"),
        payment("pi_2"),
        // An endpoint in an old version sent the payment, one in a new version the invoice.
        json!({"object": "payment_intent", "id": "pi_3", "created": 20, "customer": "cus_1", "invoice": "in_mixed"}),
        json!({"object": "charge", "id": "ch_1", "created": 20, "customer": "cus_1", "payment_intent": null, "status": "succeeded"}),
        joint(
            "inpay_1",
            json!("in_new"),
            json!({"type": "payment_intent", "payment_intent": "pi_1"}),
            "paid",
        ),
        joint(
            "inpay_2",
            json!({"object": "invoice", "id": "in_new"}),
            json!({"type": "charge", "charge": {"id": "ch_1"}}),
            "paid",
        ),
        joint(
            "inpay_3",
            json!("in_new"),
            json!({"type": "payment_intent", "payment_intent": "pi_2"}),
            "canceled",
        ),
        joint(
            "inpay_4",
            json!("in_open"),
            json!({"type": "payment_intent", "payment_intent": {"id": "pi_2"}}),
            "open",
        ),
        joint(
            "inpay_5",
            json!("in_early"),
            json!({"type": "payment_intent", "payment_intent": "pi_2"}),
            "paid",
        ),
    ] {
        stack.record(&object).await;
    }
    let details = |subscription: Value| json!({"parent": {"type": "subscription_details", "subscription_details": {"subscription": subscription}}});
    let sub = json!("sub_1");
    let cases = [
        ("in_2016", json!({"charge": "ch_9", "subscription": "sub_1", "paid": true}), json!(["ch_9"]), &sub),
        (
            "in_2020",
            json!({"charge": "ch_9", "payment_intent": "pi_9", "subscription": {"id": "sub_1"}}),
            json!(["pi_9"]),
            &sub,
        ),
        (
            "in_2021",
            json!({"charge": {"id": "ch_9"}, "payment_intent": {"id": "pi_9"}}),
            json!(["pi_9"]),
            &Value::Null,
        ),
        // Nothing is searched: an old invoice says itself that it has no payment.
        (
            "in_new",
            json!({"charge": null, "payment_intent": null, "subscription": null}),
            json!([]),
            &Value::Null,
        ),
        ("in_new", details(json!("sub_1")), json!(["pi_1", "ch_1"]), &sub),
        ("in_open", details(json!({"id": "sub_1"})), json!(["pi_2"]), &sub),
        // The invoice payment says so, whatever the times: under a test clock they are of different clocks.
        ("in_early", json!({"status_transitions": {"paid_at": 19}}), json!(["pi_2"]), &Value::Null),
        ("in_early", json!({"status_transitions": {"paid_at": 20}}), json!(["pi_2"]), &Value::Null),
        (
            "in_expanded",
            json!({"payments": {"data": [
                {"status": "paid", "payment": {"type": "payment_intent", "payment_intent": "pi_7"}},
                {"status": "canceled", "payment": {"type": "payment_intent", "payment_intent": "pi_8"}},
                {"status": "paid", "payment": {"type": "charge", "charge": {"id": "ch_7"}}},
                {"status": "paid", "payment": {"type": "payment_record", "payment_record": "prec_1"}},
            ]}}),
            json!(["pi_7", "ch_7"]),
            &Value::Null,
        ),
        ("in_mixed", json!({"parent": null}), json!(["pi_3"]), &Value::Null),
        ("in_none", json!({"parent": null}), json!([]), &Value::Null),
    ];
    for (as_of, (id, fields, payments, subscription)) in (1..).zip(cases) {
        let mut invoice = json!({"object": "invoice", "id": id, "created": 10, "customer": "cus_1"});
        for (field, value) in fields.as_object().unwrap() {
            invoice[field] = value.clone();
        }
        // Each later than the one before it, which may be of the same id.
        stack.record_raw(None, &invoice.to_string(), provenance("evt_1", as_of)).await;
        let shown = stack.ok(&format!("/records/invoices/{id}")).await;
        assert_eq!(shown["object"], invoice, "the later one is shown");
        assert_eq!((&shown["payments"], &shown["subscription"]), (&payments, subscription), "{invoice}");
    }
}

#[tokio::test]
async fn a_payment_shows_its_invoice_wherever_the_two_are_joined() {
    let stack = Stack::start().await;
    let payment = |id: &str, invoice: Value| {
        let mut payment = json!({"object": "payment_intent", "id": id, "created": 20, "status": "succeeded"});
        if !invoice.is_null() {
            payment["invoice"] = invoice;
        }
        payment
    };
    for object in [
        payment("pi_1", json!("in_1")),
        payment("pi_2", json!({"object": "invoice", "id": "in_1"})),
        payment("pi_3", Value::Null),
        json!({"object": "charge", "id": "ch_3", "created": 20, "payment_intent": "pi_3", "invoice": "in_1"}),
        payment("pi_4", Value::Null),
        json!({"object": "invoice_payment", "id": "inpay_4", "created": 20, "invoice": {"id": "in_1"}, "payment": {"type": "payment_intent", "payment_intent": {"id": "pi_4"}}}),
    ] {
        stack.record(&object).await;
    }
    for id in ["pi_1", "pi_2", "pi_3", "pi_4"] {
        assert_eq!(stack.ok(&format!("/records/payments/{id}")).await["invoice"], "in_1", "{id}");
    }
    stack.record(&payment("pi_5", Value::Null)).await;
    assert_eq!(stack.ok("/records/payments/pi_5").await["invoice"], Value::Null);
}

#[tokio::test]
async fn a_payments_charges_and_refunds_count_the_same_wherever_they_stand() {
    let stack = Stack::start().await;
    let refund = |charge: &str| json!({"object": "refund", "id": format!("re_{charge}"), "created": 30, "charge": charge, "amount": 500, "status": "succeeded"});
    let charge = |id: &str, more: Value| {
        let mut charge = json!({"object": "charge", "id": id, "created": 20, "status": "succeeded", "paid": true, "captured": true, "amount": 2000});
        for (field, value) in more.as_object().unwrap() {
            charge[field] = value.clone();
        }
        charge
    };
    let inside = |id: &str| charge(id, json!({"amount_refunded": 500, "refunds": {"data": [refund(id)]}}));
    let payment = |id: &str, field: &str, value: Value| json!({"object": "payment_intent", "id": id, "created": 20, "status": "succeeded", "amount": 2000, field: value});
    for object in [
        payment("pi_1", "charges", json!({"data": [inside("ch_1")]})),
        payment("pi_2", "latest_charge", inside("ch_2")),
        payment("pi_3", "latest_charge", json!("ch_3")),
        charge(
            "ch_3",
            json!({"payment_intent": "pi_3", "amount_refunded": 500, "refunds": {"data": [refund("ch_3")]}}),
        ),
        payment("pi_4", "latest_charge", json!("ch_4")),
        charge(
            "ch_4",
            json!({"payment_intent": {"id": "pi_4"}, "amount_captured": 2000, "amount_refunded": 0}),
        ),
        refund("ch_4"),
    ] {
        stack.record(&object).await;
    }
    for id in ["pi_1", "pi_2", "pi_3", "pi_4"] {
        let shown = stack.ok(&format!("/records/payments/{id}")).await;
        let sums = (shown["amount_captured"].as_i64(), shown["amount_refunded"].as_i64());
        assert_eq!(
            (shown["state"].as_str(), sums),
            (Some("partially_refunded"), (Some(2000), Some(500))),
            "{id}"
        );
    }
}

#[tokio::test]
async fn a_dispute_counts_the_same_with_one_balance_transaction_or_several() {
    let stack = Stack::start().await;
    for (id, field, value) in [
        ("pi_1", "balance_transaction", json!("txn_1")),
        ("pi_2", "balance_transaction", Value::Null),
        ("pi_3", "balance_transactions", json!([{"id": "txn_1", "net": -2000}])),
    ] {
        stack.record(&json!({"object": "payment_intent", "id": id, "created": 20, "status": "succeeded", "amount": 2000})).await;
        stack.record(&json!({"object": "dispute", "id": format!("dp_{id}"), "created": 30, "payment_intent": id, "status": "lost", "amount": 2000, field: value})).await;
        let shown = stack.ok(&format!("/records/payments/{id}")).await;
        assert_eq!(
            (shown["state"].as_str(), shown["amount_disputed"].as_i64()),
            (Some("disputed"), Some(2000))
        );
    }
}

#[tokio::test]
async fn a_subscription_and_an_invoice_are_shown_the_same_whatever_moved_inside() {
    let stack = Stack::start().await;
    for (i, (kind, fields)) in [
        ("subscription", json!({"current_period_start": 1, "current_period_end": 2, "plan": {"id": "gold"}, "quantity": 1, "discount": null})),
        ("subscription", json!({"items": {"data": [{"current_period_start": 1, "current_period_end": 2, "price": {"id": "gold"}}]}, "discounts": ["di_1"]})),
        ("invoice", json!({"tax": 7, "total_tax_amounts": [{"amount": 7}], "discount": {"coupon": {"id": "c"}}})),
        ("invoice", json!({"total_taxes": [{"amount": 7}], "discounts": ["di_1"]})),
    ]
    .into_iter()
    .enumerate()
    {
        let mut object = json!({"object": kind, "id": format!("x_{i}"), "created": 20, "customer": "cus_1", "currency": "eur", "status": "open"});
        for (field, value) in fields.as_object().unwrap() {
            object[field] = value.clone();
        }
        stack.record(&object).await;
        let shown = stack.ok(&format!("/records/{}/x_{i}", plural(&object))).await;
        let fields = ["customer", "currency", "status"].map(|field| shown[field].as_str());
        assert_eq!((fields, &shown["object"]), ([Some("cus_1"), Some("eur"), Some("open")], &object));
    }
}

#[tokio::test]
async fn an_old_invoice_has_the_status_paid_when_it_is_and_else_none() {
    let stack = Stack::start().await;
    for (id, fields, expected) in [
        ("in_1", json!({"paid": true, "closed": true, "forgiven": false}), json!("paid")),
        ("in_2", json!({"paid": false, "closed": true, "forgiven": true}), Value::Null),
        ("in_3", json!({"paid": true, "status": "void"}), json!("void")),
    ] {
        let mut invoice = fields;
        (invoice["object"], invoice["id"], invoice["created"]) = (json!("invoice"), json!(id), json!(5));
        stack.record(&invoice).await;
        assert_eq!(stack.ok(&format!("/records/invoices/{id}")).await["status"], expected, "{id}");
    }
    assert_eq!(stack.ids_of_all_pages("/records/invoices?status=paid", 10).await, ["in_1"]);
    stack.record(&json!({"object": "charge", "id": "ch_1", "created": 5, "paid": true})).await;
    assert_eq!(stack.ok("/records/charges/ch_1").await["status"], Value::Null, "only invoices have it");
}

#[tokio::test]
async fn a_charge_that_names_no_payment_intent_in_either_shape_is_a_payment() {
    let stack = Stack::start().await;
    for (id, intent) in [("ch_1", Value::Null), ("ch_2", json!(""))] {
        let mut charge =
            json!({"object": "charge", "id": id, "created": 5, "customer": "cus_1", "paid": true});
        charge["payment_intent"] = intent;
        stack.record(&charge).await;
    }
    assert_eq!(stack.ids_of_all_pages("/records/charges?customer=cus_1", 5).await, ["ch_2", "ch_1"]);
    let refund =
        json!({"object": "refund", "id": "re_2", "created": 6, "charge": "ch_2", "payment_intent": ""});
    stack.record(&refund).await;
    assert_eq!(stack.ids_of_all_pages("/records/refunds?customer=cus_1", 5).await, ["re_2"]);
    assert_eq!(stack.ids_of_all_pages("/records/payments", 5).await, ["ch_2", "ch_1"]);
}

#[tokio::test]
async fn a_deleted_customer_is_shown_in_either_shape() {
    let stack = Stack::start().await;
    stack.record(&json!({"object": "customer", "id": "cus_1", "deleted": true})).await;
    let whole =
        json!({"object": "customer", "id": "cus_2", "created": 5, "email": "a@b.c", "currency": "eur"});
    // Deleted by its event's type alone; the object does not say so.
    let deleted = shared::records::Provenance { deleted: true, ..provenance("evt_1", 5) };
    stack.record_raw(None, &whole.to_string(), deleted).await;
    stack.record(&json!({"object": "payment_intent", "id": "pi_1", "created": 9, "customer": {"id": "cus_1", "object": "customer", "deleted": true}})).await;
    for id in ["cus_1", "cus_2"] {
        let shown = stack.ok(&format!("/records/customers/{id}")).await;
        assert_eq!((shown["deleted"].as_bool(), shown["customer"].as_str()), (Some(true), Some(id)));
    }
    assert_eq!(ids(&stack.ok("/records/customers/cus_1").await["payments"]), ["pi_1"]);
}
