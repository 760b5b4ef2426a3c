//! Lines that a function writes, captured for a test to read.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

/// A writer whose clones write to the same lines.
#[derive(Debug, Clone, Default)]
pub struct CapturedLines(Arc<Mutex<Vec<u8>>>);

impl CapturedLines {
    /// Returns what was written, as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    /// Returns each line, parsed as JSON.
    ///
    /// # Panics
    /// If one is no JSON.
    pub fn json(&self) -> Vec<Value> {
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.text().lines().map(parse).collect()
    }

    /// Returns the metrics of all lines, summed by name; those with a `Reason` by `name/reason`.
    ///
    /// # Panics
    /// If a line is no metric.
    pub fn sums(&self) -> BTreeMap<String, u64> {
        let mut sums = BTreeMap::new();
        for line in self.json() {
            let reason = line["Reason"].as_str().map_or(String::new(), |reason| format!("/{reason}"));
            for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().into_iter().flatten() {
                let name = metric["Name"].as_str().unwrap_or_else(|| panic!("{line}"));
                if let Some(number) = line[name].as_u64() {
                    *sums.entry(format!("{name}{reason}")).or_default() += number;
                }
            }
        }
        sums
    }

    /// Drops what was written so far.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Write for CapturedLines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
