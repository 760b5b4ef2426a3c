//! The versions of Stripe's API in which events come: four names, two ways to write an object.

/// A version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// The one that answers are in, as its name is pinned with each call.
    Dahlia,
    /// The first that writes objects as it does.
    Basil,
    /// The last that writes them in the old way.
    Acacia,
    /// One before that, which writes them in the same way.
    June2024,
}

impl Version {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Dahlia, Self::Basil, Self::Acacia, Self::June2024];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dahlia => "2026-07-29.dahlia",
            Self::Basil => "2025-04-30.basil",
            Self::Acacia => "2025-02-24.acacia",
            Self::June2024 => "2024-06-20",
        }
    }

    /// Does it write objects in the old way?
    pub(crate) fn is_old(self) -> bool {
        match self {
            Self::Dahlia | Self::Basil => false,
            Self::Acacia | Self::June2024 => true,
        }
    }
}
