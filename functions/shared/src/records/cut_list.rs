//! Objects with a list of which Stripe shows the beginning: how far the rest is fetched, and the object with
//! its items.
//!
//! The items stand in the object, where Stripe shows them; `has_more` says whether they are all. What an
//! event or an answer brings shows the first ten, and begins anew.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::kind::OwnList;
use crate::stripe::StripeFailure;

/// How far a list of an object is fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListProgress {
    /// The member of the object that holds the list.
    pub member: String,
    /// How many items Stripe has listed, which are those in the object. While it is 0, those are the ones
    /// that an event or an answer showed.
    pub listed: u64,
    /// So many runs got no page that could be used.
    pub failed_runs: u32,
    /// Why the rest cannot be had for now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obstacle: Option<Obstacle>,
}

/// Why the rest of a list cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Obstacle {
    /// With all its items the object could not be kept, or not be shown.
    TooLarge,
    /// Stripe refuses it.
    Refused(StripeFailure),
    /// Stripe gives no answer to it, though it answers other calls, or the list changes while it is listed.
    Unanswered(StripeFailure),
}

impl ListProgress {
    /// A list of which nothing is fetched.
    pub fn begun(member: &str) -> Self {
        Self { member: member.to_owned(), listed: 0, failed_runs: 0, obstacle: None }
    }
}

/// An object with the items of one of its lists, all as Stripe wrote them.
#[derive(Debug, Clone)]
pub struct ObjectWithList {
    members: BTreeMap<String, Box<RawValue>>,
    list: BTreeMap<String, Box<RawValue>>,
    member: &'static str,
    /// The items of the list.
    pub items: Vec<Box<RawValue>>,
}

impl ObjectWithList {
    /// Reads an object's JSON text. None if it has no such list.
    pub fn read(object: &[u8], list: &OwnList) -> Option<Self> {
        let members: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(object).ok()?;
        let own: BTreeMap<String, Box<RawValue>> =
            serde_json::from_str(members.get(list.member)?.get()).ok()?;
        let data = own.get("data").and_then(|data| serde_json::from_str(data.get()).ok());
        let items = data.unwrap_or_default();
        Some(Self { members, list: own, member: list.member, items })
    }

    /// Writes the object with its items; `more` is the list's `has_more`.
    ///
    /// # Errors
    /// None are known.
    pub fn write(&self, more: bool) -> std::io::Result<String> {
        let (mut list, mut members) = (self.list.clone(), self.members.clone());
        list.insert("data".to_owned(), serde_json::value::to_raw_value(&self.items)?);
        list.insert("has_more".to_owned(), serde_json::value::to_raw_value(&more)?);
        members.insert(self.member.to_owned(), serde_json::value::to_raw_value(&list)?);
        Ok(serde_json::to_string(&members)?)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::kind::Kind;

    #[test]
    fn an_object_is_written_with_its_items_and_all_else_as_stripe_wrote_it() {
        let [list] = Kind::INVOICE.own_lists() else { panic!("an invoice has its lines") };
        let text = r#"{"id":"in_1","n":1.50,"d":"a\ud83d","lines":{"object":"list","data":[{"id":"il_1"}],"has_more":true,"url":"/v1"}}"#;
        let mut object = ObjectWithList::read(text.as_bytes(), list).unwrap();
        object.items.push(RawValue::from_string(r#"{"id":"il_2","a":2.0}"#.to_owned()).unwrap());
        let written = object.write(false).unwrap();
        assert!(written.contains(r#""n":1.50"#) && written.contains(r#""d":"a\ud83d""#), "{written}");
        assert!(written.contains(r#"[{"id":"il_1"},{"id":"il_2","a":2.0}]"#), "{written}");
        let read: Value = crate::lossy_json::from_str(&written).unwrap();
        assert_eq!((&read["lines"]["has_more"], &read["lines"]["url"]), (&json!(false), &json!("/v1")));
        for other in [r#"{"id":"in_1"}"#, r#"{"lines":[]}"#, "[]"] {
            assert!(ObjectWithList::read(other.as_bytes(), list).is_none(), "{other}");
        }
    }
}
