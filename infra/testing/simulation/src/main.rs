//! `make prove`: a large run, from `EVENTS`, `OBJECTS` and `SEED`. Exits with 1 if anything is lost,
//! duplicated or different.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Write;
use std::process::ExitCode;

use simulation::{Workload, run};

#[tokio::main]
async fn main() -> std::io::Result<ExitCode> {
    let mut out = std::io::stdout();
    let workload = Workload {
        events: from_env("EVENTS", 10_000)?,
        objects: from_env("OBJECTS", 500)?,
        // A random one: each hasher of the standard library is keyed anew.
        seed: from_env("SEED", RandomState::new().build_hasher().finish())?,
    };
    writeln!(out, "SEED={} EVENTS={} OBJECTS={}", workload.seed, workload.events, workload.objects)?;
    let statistics = run(workload).await;
    write!(out, "{statistics}")?;
    if statistics.findings.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let Workload { events, objects, seed } = workload;
    writeln!(out, "to repeat it: make prove SEED={seed} EVENTS={events} OBJECTS={objects}")?;
    Ok(ExitCode::FAILURE)
}

fn from_env<T: std::str::FromStr>(name: &str, default: T) -> std::io::Result<T> {
    match std::env::var(name) {
        Err(_) => Ok(default),
        Ok(text) if text.is_empty() => Ok(default),
        Ok(text) => {
            text.parse().map_err(|_| std::io::Error::other(format!("{name} is not a number: `{text}`")))
        }
    }
}
