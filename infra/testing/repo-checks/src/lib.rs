//! What the repository promises about itself that no compiler checks: see `tests/it`.
