//! A page of one of Stripe's lists, however large what is listed.
//!
//! ```text
//! ask for a hundred ── fit into an answer ─────────────────────────────► the page
//!        ▲          └─ do not, and were more than one ── ask for fewer ──┘
//!        │          └─ one does not fit even alone ───────────────────► passed, and named
//!        └── a page that takes a quarter of an answer or less lets the next ask for more again
//! ```
//!
//! Stripe writes an object's `id` first, so the beginning of an answer that is too large names what is on it.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::call::{Call, LARGEST_ANSWER, Session, StripeResponse};
use super::endpoints::List;
use super::error::StripeError;
use crate::unix_time::UnixSeconds;

/// A page of a list.
#[derive(Debug)]
pub(super) struct ListPage {
    /// What is on it, newest first.
    pub(super) items: Vec<Box<RawValue>>,
    /// The next item, which is too large to be read. Then the page has no other.
    pub(super) oversized: Option<OversizedItem>,
    /// Whether there are more, older ones.
    pub(super) more: bool,
}

/// An item of a list that is too large to be read even alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OversizedItem {
    /// Its id.
    pub id: String,
    /// When it was made, if its beginning says so.
    pub created: Option<UnixSeconds>,
}

impl Session<'_> {
    /// Lists a page. `call` names no `limit`.
    pub(super) async fn page(&self, call: &Call<'_>) -> Result<StripeResponse<ListPage>, StripeError> {
        loop {
            let limit = self.page_size.get();
            let answer = self.answer(&call.clone().param("limit", limit.to_string())).await?;
            if !answer.value.is_cut {
                self.page_size.note_fitting(limit, answer.value.bytes.len(), LARGEST_ANSWER);
                let list: StripeResponse<List<Box<RawValue>>> = answer.parse()?;
                return Ok(list.map(|list| {
                    let more = list.has_more && !list.data.is_empty();
                    ListPage { items: list.data, oversized: None, more }
                }));
            }
            if limit > 1 {
                self.page_size.shrink_from(limit);
                continue;
            }
            // The next one is likely to fit again.
            self.page_size.grow_from(limit);
            return match first_item(&answer.value.bytes) {
                // Whether there are more is said at the end, which was not read.
                Some(item) => {
                    Ok(answer.map(|_| ListPage { items: Vec::new(), oversized: Some(item), more: true }))
                }
                None => Err(answer.too_large()),
            };
        }
    }
}

/// Returns what the beginning of a list says of its first item; none if it does not say its id.
fn first_item(beginning: &[u8]) -> Option<OversizedItem> {
    let mut item = OversizedItem::default();
    // It ends with an error where the text is cut; what was read until then is kept.
    drop(ListStart(&mut item).deserialize(&mut serde_json::Deserializer::from_slice(beginning)));
    (!item.id.is_empty()).then_some(item)
}

/// Reads a list up to its first item.
struct ListStart<'a>(&'a mut OversizedItem);

/// Reads the first item of an array.
struct FirstItem<'a>(&'a mut OversizedItem);

/// Reads the id and the time of an item.
struct ItemMembers<'a>(&'a mut OversizedItem);

impl<'de> DeserializeSeed<'de> for ListStart<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ListStart<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of Stripe's")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<String>()? {
            if name == "data" {
                members.next_value_seed(FirstItem(self.0))?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for FirstItem<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for FirstItem<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        items.next_element_seed(ItemMembers(self.0))?;
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for ItemMembers<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ItemMembers<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<String>()? {
            match name.as_str() {
                "id" => self.0.id = members.next_value()?,
                "created" => self.0.created = Some(UnixSeconds::new(members.next_value()?)),
                _ => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_a_list_names_its_first_item() {
        let item = |id: &str, created: Option<i64>| {
            Some(OversizedItem { id: id.to_owned(), created: created.map(UnixSeconds::new) })
        };
        for (text, expected) in [
            (
                r#"{"object":"list","data":[{"id":"evt_1","object":"event","created":5,"data":{"a":"xx"#,
                item("evt_1", Some(5)),
            ),
            (r#"{"data":[{"id":"evt_1","data":{"id":"cus_1","created":7,"a":"xx"#, item("evt_1", None)),
            (r#"{"data":[{"id":"evt_1","created":5},{"id":"evt_2","created":"#, item("evt_1", Some(5))),
            (r#"{"data":[{"data":{"id":"cus_1","a":"xx"#, None),
            (r#"{"data":[]"#, None),
            (r#"{"id":"evt_1","created":5,"a":"xx"#, None),
            (r#"<html><body>"#, None),
            (r#"[{"id":"evt_1"#, None),
            ("", None),
        ] {
            assert_eq!(first_item(text.as_bytes()), expected, "{text}");
        }
    }
}
