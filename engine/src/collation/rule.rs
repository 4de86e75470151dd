//! The rules by which collations order strings.

use super::bytes::ByteWeights;

/// The rule by which a collation orders strings.
#[derive(Debug, Clone, Copy)]
pub enum Rule {
    /// Bytes of UTF-8, which is code points in their own order.
    Binary,
    /// The codes that a character set has for the characters, `latin1_bin`.
    Codes(&'static charset::Charset),
    /// A table of 256 weights for the bytes of a character set, `latin1_swedish_ci`.
    Bytes(&'static ByteWeights),
    /// One weight per code point, `*_general_ci`.
    General,
    /// The same, but ß is no s: `*_general_mysql500_ci`.
    GeneralSharp,
    /// Code points without their case, `*_general1400_as_ci`.
    General1400,
    /// Unicode Collation Algorithm 4.0.0, first level, `*_unicode_ci`.
    Unicode400,
    /// Unicode Collation Algorithm 5.2.0, first level, `*_unicode_520_ci`.
    Unicode520,
    /// Unicode Collation Algorithm 9.0.0, `*_0900_*`.
    Unicode900(Levels),
    /// Unicode Collation Algorithm 14.0.0, `*_uca1400_*`.
    Unicode1400(Levels),
}

/// The levels of the Unicode Collation Algorithm that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Levels {
    /// Letters alone, `ai_ci`.
    Letters,
    /// Letters, then accents, `as_ci`.
    Accents,
    /// Letters, then case, `ai_cs`.
    Case,
    /// All three, `as_cs`.
    All,
}

/// A level of the Unicode Collation Algorithm; other rules have the first alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    First,
    Second,
    Third,
}

impl Rule {
    /// Whether no two characters are the same.
    #[must_use]
    pub const fn is_exact(self) -> bool {
        match self {
            Self::Binary | Self::Codes(_) => true,
            Self::Bytes(_)
            | Self::General
            | Self::GeneralSharp
            | Self::General1400
            | Self::Unicode400
            | Self::Unicode520
            | Self::Unicode900(_)
            | Self::Unicode1400(_) => false,
        }
    }

    /// The levels at which strings are compared, one after the other.
    pub(super) const fn levels(self) -> &'static [Level] {
        match self {
            Self::Unicode900(levels) | Self::Unicode1400(levels) => match levels {
                Levels::Letters => &[Level::First],
                Levels::Accents => &[Level::First, Level::Second],
                Levels::Case => &[Level::First, Level::Third],
                Levels::All => &[Level::First, Level::Second, Level::Third],
            },
            Self::Binary
            | Self::Codes(_)
            | Self::Bytes(_)
            | Self::General
            | Self::GeneralSharp
            | Self::General1400
            | Self::Unicode400
            | Self::Unicode520 => &[Level::First],
        }
    }
}

impl Levels {
    /// The levels that the end of a collation's name tells.
    pub(super) fn of_ending(ending: &str) -> Option<Self> {
        match ending {
            "ai_ci" => Some(Self::Letters),
            "as_ci" => Some(Self::Accents),
            "ai_cs" => Some(Self::Case),
            "as_cs" => Some(Self::All),
            _ => None,
        }
    }
}
