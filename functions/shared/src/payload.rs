//! Payloads as they are stored: zstd with a dictionary of events in Stripe's wire form, byte-exact back.
//!
//! A DynamoDB write is charged by the started kilobyte; with the dictionary most events fit one. The rule: a
//! dictionary is never changed or dropped once it has been used, because rows packed with it must stay
//! readable. A better one gets the next number.

use std::io::Read;
use std::sync::LazyLock;

use sha2::{Digest, Sha256};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

/// The number of the dictionary that new payloads are packed with. `cargo run -p shared --example
/// make_dictionary` makes one.
const CURRENT: u32 = 1;

static DICTIONARY_1: &[u8] = include_bytes!("payload/stripe-1.dict");

/// zstd's default level; higher ones gain under 2 % on events.
const LEVEL: i32 = 3;

static ENCODER: LazyLock<EncoderDictionary<'static>> =
    LazyLock::new(|| EncoderDictionary::copy(DICTIONARY_1, LEVEL));
static DECODER_1: LazyLock<DecoderDictionary<'static>> =
    LazyLock::new(|| DecoderDictionary::copy(DICTIONARY_1));

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

/// Prepares the dictionaries, so that a function can do it while it starts and not in its first request.
pub fn warm_up() {
    LazyLock::force(&ENCODER);
}

/// Packs the bytes of an event or an object.
///
/// # Errors
/// More than [`LARGEST`] bytes; or zstd's, which means that memory is short.
pub fn pack(raw: &[u8]) -> std::io::Result<Packed> {
    if raw.len() > LARGEST {
        return Err(std::io::Error::other(format!("it has more than {LARGEST} bytes")));
    }
    let bytes = zstd::bulk::Compressor::with_prepared_dictionary(&ENCODER)?.compress(raw)?;
    Ok(Packed { dictionary: CURRENT, sha256: Sha256::digest(raw).into(), bytes })
}

impl Packed {
    /// The bytes as they came in.
    ///
    /// # Errors
    /// See [`PayloadError`].
    pub fn unpack(&self) -> Result<Vec<u8>, PayloadError> {
        let decoder = match self.dictionary {
            1 => &*DECODER_1,
            other => return Err(PayloadError::UnknownDictionary(other)),
        };
        let mut raw = Vec::new();
        zstd::stream::Decoder::with_prepared_dictionary(self.bytes.as_slice(), decoder)
            .and_then(|decoder| decoder.take(LARGEST as u64).read_to_end(&mut raw))
            .map_err(PayloadError::Damaged)?;
        if Sha256::digest(&raw)[..] == self.sha256 { Ok(raw) } else { Err(PayloadError::Altered) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_come_back_exactly(raw in proptest::collection::vec(any::<u8>(), 0..4096)) {
            prop_assert_eq!(pack(&raw).unwrap().unpack().unwrap(), raw);
        }
    }

    #[test]
    fn every_sample_event_comes_back_exactly_and_small() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/stripe");
        for file in std::fs::read_dir(folder).unwrap() {
            let raw = std::fs::read(file.unwrap().path()).unwrap();
            let packed = pack(&raw).unwrap();
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
        assert!(pack(&largest).unwrap().unpack().unwrap() == largest);
        assert!(pack(&[largest, vec![b'7']].concat()).is_err());
    }

    #[test]
    fn damage_is_found() {
        let packed = pack(b"{\"id\":\"evt_1\"}").unwrap();
        let altered = Packed { sha256: [0; 32], ..packed.clone() };
        assert!(matches!(altered.unpack(), Err(PayloadError::Altered)));
        let cut = Packed { bytes: packed.bytes[..packed.bytes.len() - 1].to_vec(), ..packed.clone() };
        assert!(cut.unpack().is_err());
        let newer = Packed { dictionary: 2, ..packed };
        assert!(matches!(newer.unpack(), Err(PayloadError::UnknownDictionary(2))));
    }
}
