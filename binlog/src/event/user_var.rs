//! `USER_VAR_EVENT`: a user variable that the next statement reads, in statement format.
//!
//! Spec: mysql-server 9.7, libs/mysql/binlog/event/statement_events.h, `User_var_event`; the name of
//! the data type is MariaDB's, sql/log_event_data_type.h.

use codec::{DecodeError, Reader, Write};

use crate::value::Decimal;

/// | size | field                                            | only                   |
/// |-----:|--------------------------------------------------|------------------------|
/// |  4   | length of `name`                                 |                        |
/// |  n   | `name`                                           |                        |
/// |  1   | not 0: the variable is NULL                      |                        |
/// |  1   | `value_type`                                     | not NULL               |
/// |  4   | `collation`                                      | not NULL               |
/// |  4   | length of `bytes`                                | not NULL               |
/// |  n   | `bytes`                                          | not NULL               |
/// | rest | `attributes`: 1 = unsigned; 2, u8 length, name   | not in the oldest logs |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserVar<'a> {
    /// Name without `@`, in UTF-8.
    pub name: &'a [u8],
    /// The byte that says whether there is a value: 0 when there is.
    pub null_marker: u8,
    /// The value; `None` is NULL.
    pub value: Option<UserVarValue<'a>>,
    /// What stands behind the value: one byte whose bit 0 says unsigned and, from MariaDB, the name
    /// of a data type.
    pub attributes: &'a [u8],
}

/// A value as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserVarValue<'a> {
    /// How `bytes` are to be read.
    pub value_type: UserVarType,
    /// Collation id; it means something for strings.
    pub collation: u32,
    /// The value.
    pub bytes: &'a [u8],
}

/// How the bytes of a user variable are to be read. Unknown codes are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UserVarType(
    /// The code as written.
    pub u8,
);

impl UserVarType {
    /// Text or bytes in the charset of the collation.
    pub const STRING: Self = Self(0);
    /// 8 bytes: a double.
    pub const REAL: Self = Self(1);
    /// 8 bytes: an integer.
    pub const INT: Self = Self(2);
    /// Precision, scale and packed digits.
    pub const DECIMAL: Self = Self(4);
}

/// A value of a user variable, decoded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum UserVarDecoded<'a> {
    /// No value.
    Null,
    /// Text or bytes, in the charset of the value's collation.
    String(&'a [u8]),
    /// A double.
    Real(f64),
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    UInt(u64),
    /// A decimal number.
    Decimal(Decimal),
}

impl<'a> UserVar<'a> {
    const UNSIGNED: u8 = 1;
    const TYPE_NAME: u8 = 2;

    /// Decodes the body.
    pub fn decode(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let len = reader.u32("user variable name length")?;
        let name = reader.bytes_u64(u64::from(len), "user variable name")?;
        let null_marker = reader.u8("user variable null marker")?;
        let value = if null_marker == 0 {
            let value_type = UserVarType(reader.u8("user variable type")?);
            let collation = reader.u32("user variable collation")?;
            let len = reader.u32("user variable value length")?;
            Some(UserVarValue {
                value_type,
                collation,
                bytes: reader.bytes_u64(u64::from(len), "user variable value")?,
            })
        } else {
            None
        };
        Ok(Self {
            name,
            null_marker,
            value,
            attributes: reader.rest(),
        })
    }

    /// Appends the body. Whether a value follows is decided by `value`, not by `null_marker`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_long(out, self.name);
        match self.value {
            None => out.put_u8(self.null_marker.max(1)),
            Some(value) => {
                out.put_u8(0);
                out.put_u8(value.value_type.0);
                out.put_u32(value.collation);
                put_long(out, value.bytes);
            }
        }
        out.put(self.attributes);
    }

    /// Whether an integer is unsigned.
    #[must_use]
    pub fn is_unsigned(&self) -> bool {
        self.attributes.first() == Some(&Self::UNSIGNED)
    }

    /// MariaDB's name of the data type, for instance `inet6`, where the value has one.
    #[must_use]
    pub fn type_name(&self) -> Option<&'a [u8]> {
        let mut reader = Reader::new(self.attributes);
        loop {
            if reader.u8("attribute").ok()? == Self::TYPE_NAME {
                let len = reader.u8("type name length").ok()?;
                return reader.bytes(usize::from(len), "type name").ok();
            }
        }
    }

    /// The value in its type. Fails when its bytes are not a value of that type.
    pub fn decoded(&self) -> Result<UserVarDecoded<'a>, DecodeError> {
        let Some(value) = self.value else {
            return Ok(UserVarDecoded::Null);
        };
        let mut reader = Reader::new(value.bytes);
        let decoded = match value.value_type {
            UserVarType::STRING => return Ok(UserVarDecoded::String(value.bytes)),
            UserVarType::REAL => UserVarDecoded::Real(f64::from_bits(reader.u64("real")?)),
            UserVarType::INT => {
                let bits = reader.u64("integer")?;
                if self.is_unsigned() {
                    UserVarDecoded::UInt(bits)
                } else {
                    UserVarDecoded::Int(bits.cast_signed())
                }
            }
            UserVarType::DECIMAL => UserVarDecoded::Decimal(decimal(&mut reader)?),
            UserVarType(code) => {
                let (what, expected) = ("user variable type", "0, 1, 2 or 4");
                return Err(DecodeError::invalid(what, 0, u64::from(code), expected));
            }
        };
        // Servers write whole buffers: what follows the number means nothing.
        Ok(decoded)
    }
}

fn decimal(reader: &mut Reader<'_>) -> Result<Decimal, DecodeError> {
    let (precision, scale) = (reader.u8("precision")?, reader.u8("scale")?);
    Decimal::from_packed(reader, precision, scale)
}

/// Appends bytes of less than 4 GiB behind their 4-byte length.
fn put_long(out: &mut Vec<u8>, bytes: &[u8]) {
    out.put_u32(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    out.put(bytes);
}
