//! Evaluated values on their way into a column: what a value is depends on what it was computed from
//! and on the column that takes it.

use crate::catalog::ColumnType;
use crate::expr::types::{Kind, NOT_FIXED, Type};
use crate::rows::{Varying, copied_number};
use crate::value::datum::{Datum, bit_bytes};
use crate::value::double::format_fixed;
use crate::value::sourced::{Sourced, TextKind};

/// What VARCHAR and VARBINARY columns are on the wire.
const VAR_STRING: u8 = 253;

/// What a value was computed from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Evaluated<'t> {
    /// Its type.
    pub(super) ty: &'t Type,
    /// Whether it is a column as it is: those are copied by rules of their own.
    pub(super) is_field: bool,
}

impl<'t> Evaluated<'t> {
    /// Something that was computed.
    pub(super) fn computed(ty: &'t Type) -> Self {
        Self {
            ty,
            is_field: false,
        }
    }

    /// Whether a floating-point column is copied to one whose every value it may have.
    fn is_same_kind(self, target: &ColumnType) -> bool {
        let is_same = match target {
            ColumnType::Float { .. } => self.ty.kind == Kind::Float,
            ColumnType::Double { .. } => self.ty.kind == Kind::Double,
            _ => false,
        };
        is_same && self.ty.unsigned == target.is_unsigned()
    }

    fn is_fixed(self) -> bool {
        self.is_field && self.ty.decimals < NOT_FIXED
    }

    /// The value for a column of type `target`.
    pub(super) fn value(self, value: Datum, target: &ColumnType) -> Sourced {
        let given = match value {
            Datum::Bit(bits, width) if self.is_field && has_many_bytes(target) => {
                return Sourced::bytes(bit_bytes(bits, width));
            }
            Datum::Year(year) if self.is_field && has_many_bytes(target) => {
                return Datum::text(format!("{year:04}")).into();
            }
            // Only a TEXT or BLOB takes the six digits of the column.
            Datum::Double(number) if self.is_field && self.is_same_kind(target) => {
                return Sourced::from(Datum::Double(number)).copied();
            }
            Datum::Float(number) if self.is_field && self.is_same_kind(target) => {
                return Sourced::from(Datum::Double(number.into())).copied();
            }
            // Digits that the column has always behind its point.
            Datum::Double(number) if self.is_fixed() && has_many_bytes(target) => {
                return Datum::text(format_fixed(number, self.ty.decimals)).into();
            }
            Datum::Float(number) if self.is_fixed() && has_many_bytes(target) => {
                return Datum::text(format_fixed(number.into(), self.ty.decimals)).into();
            }
            Datum::Float(number) if !(self.is_field && has_many_bytes(target)) => {
                return Datum::Double(number.into()).into();
            }
            // A member that was computed with is its name.
            Datum::Enum(..) | Datum::Set(..) if !matches!(self.ty.kind, Kind::Enum | Kind::Set) => {
                Datum::text(value.to_str()).into()
            }
            text @ Datum::Text(_) => Sourced {
                text: self.text_kind(),
                ..text.into()
            },
            other => other.into(),
        };
        self.for_column(given, target)
    }

    fn for_column(self, given: Sourced, target: &ColumnType) -> Sourced {
        let given = match target {
            ColumnType::Integer { .. } | ColumnType::Bit { .. } | ColumnType::Year
                if self.is_field && is_time(&given.value) =>
            {
                return given.copied();
            }
            target if self.is_field && takes_times(target) && is_document(&given.value) => {
                return given.copied();
            }
            ColumnType::Year if self.is_field && is_document(&given.value) => {
                return given.copied();
            }
            ColumnType::Bit { .. } | ColumnType::Year if self.is_field => given.map(copied_number),
            ColumnType::Json if self.is_field => given.map(temporal_text),
            _ => given,
        };
        let given = given.in_bytes_of(self.ty.collation.charset, target);
        match self.varying() {
            Some(varying) => varying.marked(given, target),
            None => given,
        }
    }

    /// What the bytes of a text of it are.
    fn text_kind(self) -> TextKind {
        match self.ty.is_hex {
            true => TextKind::Hex,
            false if self.ty.is_binary() => TextKind::Bytes,
            false => TextKind::Characters,
        }
    }

    /// That of a VARCHAR or VARBINARY column.
    fn varying(self) -> Option<Varying> {
        let is_varying =
            self.ty.kind == Kind::Text && self.ty.wire == Some(VAR_STRING) && !self.ty.fixed_width;
        (self.is_field && is_varying).then(|| Varying::new(self.ty.collation, self.ty.length))
    }
}

fn takes_times(target: &ColumnType) -> bool {
    matches!(
        target,
        ColumnType::Date
            | ColumnType::Time { .. }
            | ColumnType::DateTime { .. }
            | ColumnType::Timestamp { .. }
    )
}

fn is_time(value: &Datum) -> bool {
    matches!(value, Datum::Time(..) | Datum::DateTime(..))
}

fn is_document(value: &Datum) -> bool {
    matches!(value, Datum::Json(_))
}

/// TEXT and BLOB of all sizes.
fn has_many_bytes(target: &ColumnType) -> bool {
    matches!(target, ColumnType::Text { .. } | ColumnType::Blob { .. })
}

/// A date or time as its text.
fn temporal_text(value: Datum) -> Datum {
    match value {
        Datum::Date(_) | Datum::Time(..) | Datum::DateTime(..) => Datum::text(value.to_str()),
        other => other,
    }
}
