//! `make prove`: a large run, from `EVENTS`, `OBJECTS` and `SEED`. Ends with 1 if anything is lost, doubled or different.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Write;
use std::process::ExitCode;

use simulation::{Load, run};

#[tokio::main]
async fn main() -> std::io::Result<ExitCode> {
    let mut out = std::io::stdout();
    let load = Load {
        events: from_env("EVENTS", 10_000)?,
        objects: from_env("OBJECTS", 500)?,
        // A fresh one: each hasher of the standard library is keyed anew.
        seed: from_env("SEED", RandomState::new().build_hasher().finish())?,
    };
    writeln!(out, "SEED={} EVENTS={} OBJECTS={}", load.seed, load.events, load.objects)?;
    let figures = run(load).await;
    write!(out, "{figures}")?;
    if figures.verdict.is_good() {
        return Ok(ExitCode::SUCCESS);
    }
    let Load { events, objects, seed } = load;
    writeln!(out, "the same again: make prove SEED={seed} EVENTS={events} OBJECTS={objects}")?;
    Ok(ExitCode::FAILURE)
}

fn from_env<T: std::str::FromStr>(name: &str, default: T) -> std::io::Result<T> {
    match std::env::var(name) {
        Err(_) => Ok(default),
        Ok(text) if text.is_empty() => Ok(default),
        Ok(text) => text.parse().map_err(|_| std::io::Error::other(format!("{name} is no number: `{text}`"))),
    }
}
