//! What a record names, told with what is known of it: a customer's name, a price with its product's, and the
//! same of what each line of an invoice names.
//!
//! Which members name what is in the table of kinds. The records are read in two batches at most: those that
//! the object names, and those that these are called after.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;
use serde_json::Value;
use shared::aws::StoreError;
use shared::kind::{Kind, member, reference_id};
use shared::object_key::ObjectKey;

use crate::deps::Deps;
use crate::view::LoadedRecord;

/// How many references are told: one batch of DynamoDB.
const MAX_REFERENCES: usize = 100;

/// What a record names.
#[derive(Serialize)]
pub(crate) struct References {
    references: Vec<ReferenceView>,
    /// How many more it names.
    references_left_out: usize,
}

/// Another object that a record names.
#[derive(Serialize)]
struct ReferenceView {
    /// The member of the object that names it; in a list that belongs to the object, of an item.
    member: String,
    #[serde(flatten)]
    known: KnownObject,
    /// What it is called after, where its kind is: the product of a price.
    called_after: Option<KnownObject>,
}

/// What is known of an object that is named.
#[derive(Serialize)]
struct KnownObject {
    kind: &'static str,
    id: String,
    /// Whether a record of it is here.
    here: bool,
    /// Whether it is deleted, for all that is known.
    deleted: bool,
    /// What people know it by; null where nothing here says it.
    label: Option<String>,
}

/// A member that names an object: its id, or the object itself (expanded).
struct NamedObject<'a> {
    member: String,
    kind: Kind,
    id: &'a str,
    value: &'a Value,
}

/// Tells what a record names.
///
/// # Errors
/// If the records cannot be read.
pub(crate) async fn view(deps: &Deps, record: &LoadedRecord) -> Result<References, StoreError> {
    let key = &record.record.key;
    let mut named = named(record.kind, &record.object);
    let references_left_out = named.len().saturating_sub(MAX_REFERENCES);
    named.truncate(MAX_REFERENCES);
    let sibling = |kind: Kind, id: &str| key.sibling(kind, id).ok();
    let mut records = HashMap::new();
    let keys = named.iter().filter_map(|named| sibling(named.kind, named.id));
    load(deps, &mut records, keys.collect()).await?;
    let object_of = |records: &HashMap<ObjectKey, LoadedRecord>, named: &NamedObject<'_>| -> Value {
        let here = sibling(named.kind, named.id).and_then(|key| records.get(&key));
        here.map_or_else(|| named.value.clone(), |record| record.object.clone())
    };
    let objects: Vec<Value> = named.iter().map(|named| object_of(&records, named)).collect();
    let called_after: Vec<Option<NamedObject<'_>>> =
        named.iter().zip(&objects).map(|(named, object)| called_after(named.kind, object)).collect();
    let keys = called_after.iter().flatten().filter_map(|named| sibling(named.kind, named.id));
    load(deps, &mut records, keys.collect()).await?;
    let known = |named: &NamedObject<'_>| {
        let here = sibling(named.kind, named.id).and_then(|key| records.get(&key));
        KnownObject::new(named, here)
    };
    let references = named.iter().zip(&called_after).map(|(named, called_after)| ReferenceView {
        member: named.member.clone(),
        known: known(named),
        called_after: called_after.as_ref().map(known),
    });
    Ok(References { references: references.collect(), references_left_out })
}

impl KnownObject {
    fn new(named: &NamedObject<'_>, here: Option<&LoadedRecord>) -> Self {
        let object = here.map_or(named.value, |record| &record.object);
        let is_deleted = here.is_some_and(|record| record.record.deleted);
        Self {
            kind: named.kind.plural(),
            id: named.id.to_owned(),
            here: here.is_some(),
            deleted: is_deleted || object["deleted"] == true,
            label: label(named.kind, object),
        }
    }
}

/// The first of the members by which people know an object that says something.
fn label(kind: Kind, object: &Value) -> Option<String> {
    let labels = kind.labels().iter().filter_map(|label| member(object, label)?.as_str());
    labels.map(str::trim).find(|label| !label.is_empty()).map(str::to_owned)
}

/// All that an object names, each once for a member, in the order of the table and of the lists.
fn named(kind: Kind, object: &Value) -> Vec<NamedObject<'_>> {
    let own = kind.references().iter().map(|reference| (reference.member.to_owned(), reference, object));
    let of_items = kind.own_lists().iter().flat_map(|list| {
        let items = object[list.member]["data"].as_array().into_iter().flatten();
        items.flat_map(move |item| {
            list.references
                .iter()
                .map(move |reference| (format!("{}.data.{}", list.member, reference.member), reference, item))
        })
    });
    let mut seen = BTreeSet::new();
    own.chain(of_items)
        .filter_map(|(name, reference, object)| {
            let value = member(object, reference.member)?;
            let (kind, id) = (Kind::from_object_name(reference.object)?, reference_id(value)?);
            seen.insert((name.clone(), id)).then_some(NamedObject { member: name, kind, id, value })
        })
        .collect()
}

/// What an object of a kind is called after, as it names it.
fn called_after(kind: Kind, object: &Value) -> Option<NamedObject<'_>> {
    let reference = kind.called_after()?;
    let value = member(object, reference.member)?;
    let (kind, id) = (Kind::from_object_name(reference.object)?, reference_id(value)?);
    Some(NamedObject { member: reference.member.to_owned(), kind, id, value })
}

/// Reads those of these records that are not there yet.
async fn load(
    deps: &Deps,
    records: &mut HashMap<ObjectKey, LoadedRecord>,
    keys: BTreeSet<ObjectKey>,
) -> Result<(), StoreError> {
    let keys: Vec<ObjectKey> = keys.into_iter().filter(|key| !records.contains_key(key)).collect();
    if keys.is_empty() {
        return Ok(());
    }
    for record in deps.records.get_all(&keys).await? {
        let record = LoadedRecord::new(record)?;
        records.insert(record.record.key.clone(), record);
    }
    Ok(())
}
