//! Long lists in evidence: the first few, and how many more.

/// Event types named in evidence.
const NAMED: usize = 10;

/// The first few, and how many more.
pub(super) fn sample(types: &[&str]) -> Vec<String> {
    let more = types.len().saturating_sub(NAMED);
    let shown = types.iter().take(NAMED).map(|name| (*name).to_owned());
    shown.chain((more > 0).then(|| format!("and {more} more"))).collect()
}
