//! The versions of Stripe's API in which events are rendered: four names, two formats of an object.

/// A version of Stripe's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiVersion {
    /// The one of answers, because each call pins it.
    Endive,
    /// The first with the same format.
    Basil,
    /// The last with the legacy format.
    Acacia,
    /// An earlier one with the legacy format.
    June2024,
}

impl ApiVersion {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Endive, Self::Basil, Self::Acacia, Self::June2024];

    /// Returns its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Endive => "2026-10-28.endive",
            Self::Basil => "2025-04-30.basil",
            Self::Acacia => "2025-02-24.acacia",
            Self::June2024 => "2024-06-20",
        }
    }

    /// Whether it renders objects in the legacy format.
    pub(crate) fn is_legacy(self) -> bool {
        match self {
            Self::Endive | Self::Basil => false,
            Self::Acacia | Self::June2024 => true,
        }
    }
}
