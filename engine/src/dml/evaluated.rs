//! Evaluated values on their way into a column: what a value is depends on what it was computed from
//! and on the column that takes it.

use crate::catalog::ColumnType;
use crate::expr::types::{Kind, NOT_FIXED, Type};
use crate::rows::{EvalValue, Varying, copied_number};
use crate::value::datum::{Datum, bit_bytes};

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
        is_same && (self.ty.unsigned || !target.is_unsigned())
    }

    fn is_fixed(self) -> bool {
        self.is_field && self.ty.decimals < NOT_FIXED
    }

    /// The value for a column of type `target`.
    pub(super) fn value(self, value: Datum, target: &ColumnType) -> EvalValue {
        let value = match value {
            Datum::Bit(bits, width) if self.is_field && has_many_bytes(target) => {
                return EvalValue::Binary(bit_bytes(bits, width));
            }
            Datum::Bit(bits, _) => return EvalValue::UInt(bits),
            Datum::Year(year) if self.is_field && has_many_bytes(target) => {
                return EvalValue::Text(format!("{year:04}"));
            }
            // Only a TEXT or BLOB takes the six digits of the column.
            Datum::Double(number) if self.is_field && self.is_same_kind(target) => {
                return EvalValue::Raw(number);
            }
            Datum::Float(number) if self.is_field && self.is_same_kind(target) => {
                return EvalValue::Raw(f64::from(number));
            }
            // Digits that the column has always behind its point.
            Datum::Double(number) if self.is_fixed() && has_many_bytes(target) => {
                return EvalValue::Text(fixed(number, self.ty.decimals));
            }
            Datum::Float(number) if self.is_fixed() && has_many_bytes(target) => {
                return EvalValue::Text(fixed(f64::from(number), self.ty.decimals));
            }
            Datum::Float(number) if !(self.is_field && has_many_bytes(target)) => {
                return EvalValue::Double(f64::from(number));
            }
            Datum::Set(..) if matches!(target, ColumnType::Enum { .. }) => {
                Datum::text(value.to_str())
            }
            other => other,
        };
        let value = eval_value(value, self.ty);
        let value = match target {
            ColumnType::Integer { .. } | ColumnType::Bit { .. } | ColumnType::Year
                if self.is_field && is_time(&value) =>
            {
                return EvalValue::Copied(Box::new(value));
            }
            target if self.is_field && takes_times(target) && is_document(&value) => {
                return EvalValue::Copied(Box::new(value));
            }
            ColumnType::Bit { .. } | ColumnType::Year if self.is_field => copied_number(value),
            ColumnType::Json if self.is_field => temporal_text(value),
            _ => value,
        };
        let value = value.in_bytes_of(self.ty.collation.charset, target);
        match self.varying() {
            Some(varying) => varying.marked(value, target),
            None => value,
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

fn is_time(value: &EvalValue) -> bool {
    matches!(value, EvalValue::Time(..) | EvalValue::DateTime(..))
}

fn is_document(value: &EvalValue) -> bool {
    matches!(value, EvalValue::Json(_))
}

fn fixed(number: f64, decimals: u8) -> String {
    format!("{number:.places$}", places = usize::from(decimals))
}

/// TEXT and BLOB of all sizes.
fn has_many_bytes(target: &ColumnType) -> bool {
    matches!(target, ColumnType::Text { .. } | ColumnType::Blob { .. })
}

/// A date or time as its text.
fn temporal_text(value: EvalValue) -> EvalValue {
    match value {
        EvalValue::Date(_) | EvalValue::Time(..) | EvalValue::DateTime(..) => {
            EvalValue::Text(value.to_text().unwrap_or_default())
        }
        other => other,
    }
}

fn eval_value(value: Datum, ty: &Type) -> EvalValue {
    match value {
        Datum::Null => EvalValue::Null,
        Datum::Int(number) => EvalValue::Int(number),
        Datum::UInt(number) | Datum::Bit(number, _) => EvalValue::UInt(number),
        Datum::Year(year) => EvalValue::UInt(u64::from(year)),
        Datum::Float(number) => EvalValue::Float(number),
        Datum::Double(number) => EvalValue::Double(number),
        Datum::Decimal(number) => EvalValue::Decimal(number),
        Datum::Date(moment) => {
            let moment: binlog::value::DateTime = moment.into();
            EvalValue::Date(moment.date())
        }
        Datum::DateTime(moment, fsp) => EvalValue::DateTime(moment.into(), fsp),
        Datum::Time(span, fsp) => EvalValue::Time(span.into(), fsp),
        Datum::Json(text) => EvalValue::Json(text.to_string()),
        Datum::Text(bytes) if ty.is_hex => EvalValue::Hex(bytes),
        Datum::Text(bytes) if ty.is_binary() => EvalValue::Binary(bytes),
        Datum::Text(bytes) => match String::from_utf8(bytes) {
            Ok(text) => EvalValue::Text(text),
            Err(error) => EvalValue::IllFormed(error.into_bytes()),
        },
        Datum::Enum(..) | Datum::Set(..) if !matches!(ty.kind, Kind::Enum | Kind::Set) => {
            EvalValue::Text(value.to_str().into_owned())
        }
        Datum::Enum(number, _) => EvalValue::Member(u64::from(number), value.to_str().into_owned()),
        Datum::Set(bits, _) => EvalValue::Member(bits, value.to_str().into_owned()),
    }
}
