//! What is kept of an object that is deleted at Stripe, where no event told so: Stripe then shows its id and
//! type and nothing else, or nothing at all. The object as it last was says whose it was and under what it is
//! listed, so it stays, as it does after an event of the deletion, which carries it whole.

use serde_json::Value;

use crate::lossy_json;

/// An object, given as its JSON text, as it last was with `"deleted": true`. None if the text is no object.
pub fn as_deleted(known: &[u8]) -> Option<String> {
    let mut object: Value = lossy_json::from_slice(known).ok()?;
    let members = object.as_object_mut()?;
    let text = std::str::from_utf8(known).ok()?.trim_end();
    // The text itself, because what a parser makes of it may be less.
    Some(match members.get("deleted") {
        Some(deleted) if *deleted == true => text.to_owned(),
        None if !members.is_empty() => format!(r#"{},"deleted":true}}"#, text.strip_suffix('}')?),
        Some(_) | None => {
            members.insert("deleted".to_owned(), true.into());
            object.to_string()
        }
    })
}

/// Whether an object says that it is deleted, and nothing more than its id and type.
pub fn says_only_deleted(object: &Value) -> bool {
    let is_name = |member: &String| ["id", "object", "deleted"].contains(&member.as_str());
    object["deleted"] == true && object.as_object().is_some_and(|members| members.keys().all(is_name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_known_stays_to_the_letter() {
        for (known, deleted) in [
            (r#"{"id":"a\ud83d", "amount": 1.50}"#, r#"{"id":"a\ud83d", "amount": 1.50,"deleted":true}"#),
            ("{\"id\":\"a\"}\n", r#"{"id":"a","deleted":true}"#),
            (r#"{"id": "a", "deleted": true}"#, r#"{"id": "a", "deleted": true}"#),
            (r#"{"deleted":false,"id":"a"}"#, r#"{"deleted":true,"id":"a"}"#),
            ("{}", r#"{"deleted":true}"#),
        ] {
            assert_eq!(as_deleted(known.as_bytes()).as_deref(), Some(deleted));
        }
        for damaged in ["[]", "null", "{", ""] {
            assert_eq!(as_deleted(damaged.as_bytes()), None);
        }
    }

    #[test]
    fn stripes_short_form_says_only_that_it_is_deleted() {
        assert!(says_only_deleted(&json!({ "id": "cus_1", "object": "customer", "deleted": true })));
        for more in [
            json!({ "id": "cus_1", "object": "customer", "deleted": false }),
            json!({ "id": "cus_1", "object": "customer" }),
            json!({ "id": "cus_1", "object": "customer", "deleted": true, "email": "a" }),
            json!(null),
        ] {
            assert!(!says_only_deleted(&more));
        }
    }
}
