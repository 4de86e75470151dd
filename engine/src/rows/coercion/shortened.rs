//! VARCHAR and VARBINARY columns copied to shorter ones of their very type: the server cuts their
//! bytes without looking at them, and calls blanks a loss too.

use crate::catalog::ColumnType;
use crate::collation::{BINARY, Collation};
use crate::value::datum::Datum;
use crate::value::sourced::{Sourced, TextKind};

/// Bytes whose number fits into one byte.
const SHORT_BYTES_MAX: u64 = 255;

/// A type of text or bytes of varying length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Varying {
    /// The binary one for bytes.
    collation: &'static Collation,
    /// Characters, or bytes.
    length: u32,
}

impl Varying {
    /// A type with this many characters at most.
    pub(crate) fn new(collation: &'static Collation, length: u32) -> Self {
        Self { collation, length }
    }

    /// That of a VARCHAR or VARBINARY.
    pub(crate) fn of(column_type: &ColumnType) -> Option<Self> {
        match column_type {
            ColumnType::Varchar { length, collation } => {
                Some(Self::new(collation, (*length).into()))
            }
            ColumnType::Varbinary { length } => Some(Self::new(&BINARY, (*length).into())),
            _ => None,
        }
    }

    /// `given` of a column of this type on its way into `target`, marked if it is cut there.
    pub(crate) fn marked(self, given: Sourced, target: &ColumnType) -> Sourced {
        let Some(target) = Self::of(target).filter(|target| self.is_like(*target)) else {
            return given;
        };
        let length = match (&given.value, given.text) {
            (Datum::Text(bytes), TextKind::Bytes) => bytes.len(),
            (Datum::Text(_), _) => given.characters().map_or(0, |text| text.chars().count()),
            _ => 0,
        };
        match u32::try_from(length).is_ok_and(|length| length <= target.length) {
            true => given,
            false => given.copied(),
        }
    }

    fn is_like(self, other: Self) -> bool {
        self.collation.name == other.collation.name && self.is_short() == other.is_short()
    }

    /// Whether the server keeps the length in one byte.
    fn is_short(self) -> bool {
        let width = self.collation.charset.bytes_per_char_max();
        u64::from(self.length) * u64::from(width) <= SHORT_BYTES_MAX
    }
}
