//! A kind of object is named in the table of kinds alone, unless it has code of its own.

use std::collections::BTreeSet;

use shared::kind::Kind;

use crate::{read, root, rust_files};

/// Where kinds may be named: the table.
const TABLE: &str = "functions/shared/src/kind";
/// Kinds with code of their own, each with what no table can say. Others have no constant to be named by.
const WITH_CODE: [(&str, &str); 11] = [
    ("balance_transaction", "what it belongs to is found when it is listed"),
    ("charge", "a payment where there is no PaymentIntent"),
    ("customer", "whose the others are"),
    ("customer_balance_transaction", "listed when a customer's balance changes"),
    ("dispute", "counts in a payment's state"),
    ("invoice", "its payments and subscription"),
    ("invoice_payment", "joins the two"),
    ("payment_intent", "a payment: its state and sums"),
    ("payout", "what it is made of"),
    ("refund", "counts in a payment's state"),
    ("subscription", "what an invoice is for"),
];
/// Words of Stripe's that are members of other objects too, and what the simulated Stripe's lists leave out.
const EXCEPTIONS: [(&str, &str); 4] = [
    ("functions/shared/src/erasure.rs", "transfer"),
    ("infra/local/simulated-stripe/src/api/objects.rs", "price"),
    ("infra/local/simulated-stripe/src/api/objects.rs", "review"),
    ("infra/local/simulated-stripe/src/api/objects.rs", "tax_id"),
];

#[test]
fn only_kinds_with_code_of_their_own_have_a_constant() {
    let table = read(&format!("{TABLE}.rs"));
    let named: BTreeSet<&str> =
        table.split("Self::named(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(named, WITH_CODE.iter().map(|(object, _)| *object).collect());
}

#[test]
fn no_source_names_a_kind_that_the_table_alone_describes() {
    let with_code: BTreeSet<&str> = WITH_CODE.iter().map(|(object, _)| *object).collect();
    let words: Vec<&str> = Kind::all()
        .filter(|kind| !with_code.contains(kind.object()))
        .flat_map(|kind| [kind.object(), kind.plural()])
        .collect();
    assert!(words.len() > 40);
    let mut files = Vec::new();
    rust_files(&root(), &mut files);
    let mut named = Vec::new();
    for path in files {
        let path = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        let is_product = path.starts_with("functions/") || path.starts_with("infra/local/");
        if !is_product || path.contains("/tests/") || path.starts_with(TABLE) {
            continue;
        }
        let text = read(&path);
        let source = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for line in source.lines().filter(|line| !line.trim_start().starts_with("//")) {
            let is_named = |word: &&&str| {
                line.contains(&format!("\"{word}\"")) && !EXCEPTIONS.contains(&(path.as_str(), word))
            };
            named.extend(words.iter().filter(is_named).map(|word| format!("{path}: {word}")));
        }
    }
    assert!(named.is_empty(), "say it in the table of kinds instead:\n{}", named.join("\n"));
}
