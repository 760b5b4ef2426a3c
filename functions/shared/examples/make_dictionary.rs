//! Makes a dictionary for `payload`: the largest sample event of each kind of object in `events/stripe` that
//! no dictionary given has, and those that differ much from it, as Stripe sends them.
//!
//! `cargo run -p shared --example make_dictionary -- <out> <dictionary>…`. It also says what the dictionary
//! is worth on the samples that are not in it. Whole events serve five times better here than a dictionary
//! trained by zstd (mean 105 bytes against 540 for an unseen event), because nearly all of an event is the
//! names of its fields in their fixed order.
//!
//! A dictionary in use is never replaced: give a new one the next number.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

/// Bytes of an event that is packed well: with what else a row of the ledger holds, it is one write unit.
const PACKED_WELL: usize = 256;

fn main() -> Result<(), Box<dyn Error>> {
    let out = std::env::args().nth(1).ok_or("say where to write the dictionary")?;
    let mut before = String::new();
    for dictionary in std::env::args().skip(2) {
        before.push_str(&std::fs::read_to_string(dictionary)?);
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/stripe");
    let mut paths: Vec<_> =
        std::fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    paths.sort();
    let mut largest: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut others = Vec::new();
    for path in paths {
        let sample = std::fs::read(path)?;
        let event: serde_json::Value = serde_json::from_slice(&sample)?;
        let kind = event["data"]["object"]["object"].as_str().ok_or("an event has no object")?.to_owned();
        if before.contains(&format!("\"object\": \"{kind}\"")) {
            continue;
        }
        let held = largest.entry(kind).or_default();
        others.push(if sample.len() > held.len() { std::mem::replace(held, sample) } else { sample });
    }
    others.retain(|sample| !sample.is_empty());
    let mut dictionary = largest.into_values().collect::<Vec<_>>().concat();
    // One that differs much from the largest of its kind is added.
    let mut unlike = zstd::bulk::Compressor::with_dictionary(3, &dictionary)?;
    let (mut added, mut rest) = (Vec::new(), Vec::new());
    for sample in others {
        let is_like = unlike.compress(&sample)?.len() <= PACKED_WELL;
        if is_like { rest.push(sample) } else { added.push(sample) }
    }
    dictionary.extend(added.concat());
    let others = rest;

    let mut compressor = zstd::bulk::Compressor::with_dictionary(3, &dictionary)?;
    let sizes: Vec<usize> = others
        .iter()
        .map(|sample| compressor.compress(sample).map(|packed| packed.len()))
        .collect::<Result<_, _>>()?;
    let raw: usize = others.iter().map(Vec::len).sum();
    let packed: usize = sizes.iter().sum();
    eprintln!(
        "{} events not in it: {raw} bytes raw, {packed} packed, largest {:?}",
        others.len(),
        sizes.iter().max()
    );
    std::fs::write(&out, &dictionary)?;
    eprintln!("wrote {} bytes to {out}", dictionary.len());
    Ok(())
}
