//! Trains a dictionary for `payload` on the sample events in `events/stripe`, in the form Stripe sends them.
//!
//! `cargo run -p shared --example train_dictionary -- <out>`. It also says what the dictionary is worth on events it has not
//! seen: it trains on one half of the samples and packs the other. A dictionary in use is never replaced: give a new one the
//! next number.

use std::error::Error;
use std::path::Path;

/// zstd advises about a hundredth of the samples' size; more still helps with few, alike samples, up to here.
const SIZE: usize = 64 * 1024;

fn main() -> Result<(), Box<dyn Error>> {
    let out = std::env::args().nth(1).ok_or("say where to write the dictionary")?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/stripe");
    let mut paths: Vec<_> = std::fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    paths.sort();
    let samples: Vec<Vec<u8>> = paths.iter().map(std::fs::read).collect::<Result<_, _>>()?;

    let (even, odd): (Vec<_>, Vec<_>) = samples.iter().cloned().enumerate().partition(|(i, _)| i % 2 == 0);
    let strip = |half: Vec<(usize, Vec<u8>)>| half.into_iter().map(|(_, sample)| sample).collect::<Vec<_>>();
    let (even, odd) = (strip(even), strip(odd));
    let half = zstd::dict::from_samples(&even, SIZE)?;
    let mut compressor = zstd::bulk::Compressor::with_dictionary(3, &half)?;
    let sizes: Vec<usize> =
        odd.iter().map(|sample| compressor.compress(sample).map(|packed| packed.len())).collect::<Result<_, _>>()?;
    let raw: usize = odd.iter().map(Vec::len).sum();
    eprintln!("unseen half: {} bytes raw, {} packed, largest {:?}", raw, sizes.iter().sum::<usize>(), sizes.iter().max());

    std::fs::write(&out, zstd::dict::from_samples(&samples, SIZE)?)?;
    eprintln!("wrote {out}");
    Ok(())
}
