//! `Sourced`: a value away from the expression that it was computed from, on its way into a column or
//! in a variable.

use binlog::value::Decimal;

use super::datum::Datum;
use super::memory;

/// Most digits of a DECIMAL behind the point.
const SCALE_MAX: usize = 30;

/// What the bytes of a [`Datum::Text`] are. While a value is computed its expression's type says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextKind {
    /// Characters of the connection's character set, which need not be well-formed.
    Characters,
    /// Bytes without a character set.
    Bytes,
    /// The bytes of a hexadecimal or bit literal: a number to a numeric column.
    Hex,
    /// An exact number of more digits than a DECIMAL has, as a statement writes it.
    Digits,
}

/// A value, and what is known of where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Sourced {
    /// The value.
    pub value: Datum,
    /// What it is if it is a text; characters for any other value.
    pub text: TextKind,
    /// Whether another column takes it by a rule of its own: a FLOAT or DOUBLE whose digits do not
    /// count, text or bytes that are cut in a shorter column of their very type, times for integers,
    /// documents for times.
    pub is_copied: bool,
}

impl From<Datum> for Sourced {
    fn from(value: Datum) -> Self {
        Self {
            value,
            text: TextKind::Characters,
            is_copied: false,
        }
    }
}

impl Sourced {
    /// Bytes without a character set.
    #[must_use]
    pub fn bytes(bytes: Vec<u8>) -> Self {
        Self {
            text: TextKind::Bytes,
            ..Datum::Text(bytes).into()
        }
    }

    /// An exact number of more digits than a DECIMAL has.
    pub(crate) fn digits(digits: String) -> Self {
        Self {
            text: TextKind::Digits,
            ..Datum::text(digits).into()
        }
    }

    /// The same for a column that takes it by a rule of its own.
    pub(crate) fn copied(self) -> Self {
        Self {
            is_copied: true,
            ..self
        }
    }

    /// The same with another value.
    pub(crate) fn map(self, change: impl FnOnce(Datum) -> Datum) -> Self {
        Self {
            value: change(self.value),
            ..self
        }
    }

    /// Whether this is NULL.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.value.is_null()
    }

    /// Bytes of the value that grow with it.
    #[must_use]
    pub fn size(&self) -> usize {
        memory::size(&self.value)
    }

    /// The characters, where they are well-formed ones.
    #[must_use]
    pub fn characters(&self) -> Option<&str> {
        match (&self.value, self.text) {
            (Datum::Text(bytes), TextKind::Characters) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// The value as text, as CONCAT would use it; `None` for NULL. Bytes that are not UTF-8 are
    /// replaced: error messages use this.
    #[must_use]
    pub fn to_text(&self) -> Option<String> {
        (!self.is_null()).then(|| self.value.to_str().into_owned())
    }
}

/// The digits of [`TextKind::Digits`] that a DECIMAL holds; `None` for too many before the point.
pub(crate) fn decimal_of(digits: &[u8]) -> Option<Decimal> {
    let digits = std::str::from_utf8(digits).ok()?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let places = Decimal::DIGITS_MAX.checked_sub(whole.trim_start_matches('-').len())?;
    let kept = fraction.get(..places.min(SCALE_MAX)).unwrap_or(fraction);
    match kept {
        "" => whole.parse().ok(),
        kept => format!("{whole}.{kept}").parse().ok(),
    }
}
