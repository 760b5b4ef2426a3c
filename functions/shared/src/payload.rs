//! Payloads as they are stored: zstd with a dictionary of events in Stripe's wire form, byte-exact back.
//!
//! A DynamoDB write is charged by the started kilobyte; with the dictionary most events fit one. The rule: a
//! dictionary is never changed or dropped once it has been used, because rows packed with it must stay
//! readable. A new one gets the next number.
//!
//! The first holds an event of each of eight kinds of object, the second one of each other. What is packed
//! takes the one that has an object of its kind, so that the common ones are not slowed down by the others.

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::LazyLock;

use sha2::{Digest, Sha256};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

// `cargo run -p shared --example make_dictionary` makes one.
static BYTES_1: &[u8] = include_bytes!("payload/stripe-1.dict");
static BYTES_2: &[u8] = include_bytes!("payload/stripe-2.dict");

/// Dictionary 1.
static FIRST: Dictionary = Dictionary {
    number: 1,
    encoder: LazyLock::new(|| EncoderDictionary::copy(BYTES_1, LEVEL)),
    decoder: LazyLock::new(|| DecoderDictionary::copy(BYTES_1)),
};
/// Dictionary 2.
static SECOND: Dictionary = Dictionary {
    number: 2,
    encoder: LazyLock::new(|| EncoderDictionary::copy(BYTES_2, LEVEL)),
    decoder: LazyLock::new(|| DecoderDictionary::copy(BYTES_2)),
};

/// Stripe's words for the objects of the first dictionary.
static OBJECTS_1: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| objects_in(BYTES_1));

struct Dictionary {
    number: u32,
    encoder: LazyLock<EncoderDictionary<'static>>,
    decoder: LazyLock<DecoderDictionary<'static>>,
}

/// zstd's default level; higher ones gain under 2 % on events.
const LEVEL: i32 = 3;

/// The largest event that is taken in, in bytes, however it comes: what one answer of Stripe's API may have,
/// and far above what Lambda can be handed (6 MB). What is larger is never stored, because it could not be
/// read back.
pub const LARGEST: usize = 16 * 1024 * 1024;

/// A payload as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// The number of the dictionary it is packed with.
    pub dictionary: u32,
    /// SHA-256 of the bytes as they came.
    pub sha256: [u8; 32],
    /// The zstd frame.
    pub bytes: Vec<u8>,
}

/// Why a stored payload cannot be read back.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// A part of it, or all, is not there.
    #[error("the payload is not there, or not whole")]
    Missing,
    /// Stored by a newer version.
    #[error("the payload is packed with dictionary {0}, which this version does not have")]
    UnknownDictionary(u32),
    /// Not a frame of that dictionary.
    #[error("the payload cannot be unpacked")]
    Damaged(#[source] std::io::Error),
    /// Unpacked, but not what came in.
    #[error("the unpacked payload is not what was stored: its SHA-256 differs")]
    Altered,
}

/// Prepares the dictionary of the common kinds, so that a function can do it while it starts and not in its
/// first request.
pub fn warm_up() {
    LazyLock::force(&FIRST.encoder);
    LazyLock::force(&OBJECTS_1);
}

/// Packs the bytes of an object, or of an event about one; `object` is Stripe's word for what it is, empty
/// where that is not known.
///
/// # Errors
/// More than [`LARGEST`] bytes; or zstd's, which means that memory is short.
pub fn pack(raw: &[u8], object: &str) -> std::io::Result<Packed> {
    if raw.len() > LARGEST {
        return Err(std::io::Error::other(format!("it has more than {LARGEST} bytes")));
    }
    let dictionary = if object.is_empty() || OBJECTS_1.contains(object) { &FIRST } else { &SECOND };
    let bytes = zstd::bulk::Compressor::with_prepared_dictionary(&dictionary.encoder)?.compress(raw)?;
    Ok(Packed { dictionary: dictionary.number, sha256: Sha256::digest(raw).into(), bytes })
}

impl Packed {
    /// The bytes as they came in.
    ///
    /// # Errors
    /// See [`PayloadError`].
    pub fn unpack(&self) -> Result<Vec<u8>, PayloadError> {
        let decoder = match self.dictionary {
            1 => &*FIRST.decoder,
            2 => &*SECOND.decoder,
            other => return Err(PayloadError::UnknownDictionary(other)),
        };
        let mut raw = Vec::new();
        zstd::stream::Decoder::with_prepared_dictionary(self.bytes.as_slice(), decoder)
            .and_then(|decoder| decoder.take(LARGEST as u64).read_to_end(&mut raw))
            .map_err(PayloadError::Damaged)?;
        if Sha256::digest(&raw)[..] == self.sha256 { Ok(raw) } else { Err(PayloadError::Altered) }
    }
}

/// Stripe's words for the objects of the events that a dictionary is made of.
fn objects_in(dictionary: &'static [u8]) -> BTreeSet<&'static str> {
    let text = std::str::from_utf8(dictionary).unwrap_or_default();
    let objects = text.split("\"object\": \"").skip(1);
    objects.filter_map(|rest| rest.split('"').next()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_come_back_exactly(raw in proptest::collection::vec(any::<u8>(), 0..4096)) {
            prop_assert_eq!(pack(&raw, "").unwrap().unpack().unwrap(), raw);
        }
    }

    #[test]
    fn every_sample_event_comes_back_exactly_and_small() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/stripe");
        for file in std::fs::read_dir(folder).unwrap() {
            let raw = std::fs::read(file.unwrap().path()).unwrap();
            let event: serde_json::Value = serde_json::from_slice(&raw).unwrap();
            let object = event["data"]["object"]["object"].as_str().unwrap();
            let packed = pack(&raw, object).unwrap();
            let is_common = ["customer", "subscription", "invoice", "charge", "refund"].contains(&object);
            assert!(packed.dictionary == 1 || !is_common, "{object}");
            assert_eq!(packed.unpack().unwrap(), raw);
            assert!(packed.bytes.len() < raw.len() / 4, "{} of {}", packed.bytes.len(), raw.len());
        }
    }

    #[test]
    fn what_was_packed_with_the_first_dictionary_stays_readable() {
        // Made when dictionary 1 was made. If this fails, rows in production cannot be read: restore the
        // dictionary.
        let stored = Packed {
            dictionary: 1,
            sha256: Sha256::digest(b"{\"id\":\"evt_1\",\"object\":\"event\"}").into(),
            bytes: hex::decode("28b52ffd201fc50000587b222c226576656e74227d0300b78205cfec4c74ee8257").unwrap(),
        };
        assert_eq!(stored.unpack().unwrap(), b"{\"id\":\"evt_1\",\"object\":\"event\"}");
    }

    #[test]
    fn the_largest_comes_back_and_what_is_larger_is_never_stored() {
        let largest = vec![b'7'; LARGEST];
        assert!(pack(&largest, "").unwrap().unpack().unwrap() == largest);
        assert!(pack(&[largest, vec![b'7']].concat(), "").is_err());
    }

    #[test]
    fn damage_is_found() {
        let packed = pack(b"{\"id\":\"evt_1\"}", "").unwrap();
        let altered = Packed { sha256: [0; 32], ..packed.clone() };
        assert!(matches!(altered.unpack(), Err(PayloadError::Altered)));
        let cut = Packed { bytes: packed.bytes[..packed.bytes.len() - 1].to_vec(), ..packed.clone() };
        assert!(cut.unpack().is_err());
        let newer = Packed { dictionary: 3, ..packed };
        assert!(matches!(newer.unpack(), Err(PayloadError::UnknownDictionary(3))));
    }
}
