//! Parameters of COM_STMT_EXECUTE, and query attributes, which have the same form.
//!
//! | size     | field                                                        |
//! |---------:|--------------------------------------------------------------|
//! | (n+7)/8  | NULL bitmap                                                  |
//! |        1 | 1 when types follow, 0 when those of the last execution hold |
//! | per parameter: 2 + lenenc | type, unsigned flag 0x8000; name by QUERY_ATTRIBUTES |
//! | per parameter | value, unless NULL or sent before as long data          |
//!
//! Spec: mysql-server 8.4, "COM_STMT_EXECUTE", `sql/protocol_classic.cc`,
//! `parse_query_bind_params`.

use codec::{DecodeError, Reader};

use crate::{
    column::column_type as t,
    greeting::text,
    row::{DateTimeParts, TimeParts, decode_date, decode_date_time, decode_time},
};

/// A parameter of a prepared statement, or the value of a query attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Param {
    /// NULL.
    Null,
    /// A signed integer of any width.
    Int(i64),
    /// An unsigned integer of any width.
    UInt(u64),
    /// A FLOAT.
    Float(f32),
    /// A DOUBLE.
    Double(f64),
    /// Text in the connection's charset.
    Text(Vec<u8>),
    /// Bytes of a blob type; long data is always one.
    Bytes(Vec<u8>),
    /// A DECIMAL, as text.
    Decimal(Vec<u8>),
    /// A DATE.
    Date(DateTimeParts),
    /// A DATETIME or TIMESTAMP.
    DateTime(DateTimeParts),
    /// A TIME.
    Time(TimeParts),
}

/// A query attribute: what a client says about one statement.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryAttribute {
    /// Name; may be empty.
    pub name: String,
    /// Value.
    pub value: Param,
}

/// Type code, and whether it is unsigned.
pub(super) type ParamType = (u8, bool);

const UNSIGNED: u16 = 0x8000;

/// Reads parameters: their names and values. `known` are the types of the last execution and are
/// replaced when types are sent; `long_data` yields what was sent before for a parameter.
pub(super) fn decode(
    reader: &mut Reader<'_>,
    count: usize,
    is_named: bool,
    known: &mut Vec<ParamType>,
    mut long_data: impl FnMut(usize) -> Option<Vec<u8>>,
) -> Result<Vec<QueryAttribute>, DecodeError> {
    let bitmap = reader.bytes(count.div_ceil(8), "parameter NULL bitmap")?;
    let mut names = Vec::new();
    let offset = reader.offset();
    if reader.u8("parameter types flag")? != 0 {
        known.clear();
        for _ in 0..count {
            let code = reader.u16("parameter type")?;
            let [low, _] = code.to_le_bytes();
            known.push((low, code & UNSIGNED != 0));
            if is_named {
                names.push(text(reader.lenenc_bytes("parameter name")?));
            }
        }
    }
    if known.len() != count {
        let found = known.len() as u64;
        return Err(DecodeError::invalid(
            "parameter types",
            offset,
            found,
            "one for each parameter",
        ));
    }
    let mut names = names.into_iter();
    let mut params = Vec::with_capacity(count);
    for (index, &param_type) in known.iter().enumerate() {
        let is_null = bitmap
            .get(index / 8)
            .is_some_and(|byte| byte >> (index % 8) & 1 == 1);
        let value = match (long_data(index), is_null) {
            (Some(data), _) => Param::Bytes(data),
            (None, true) => Param::Null,
            (None, false) => value(reader, param_type)?,
        };
        let name = names.next().unwrap_or_default();
        params.push(QueryAttribute { name, value });
    }
    Ok(params)
}

#[expect(
    clippy::cast_possible_wrap,
    reason = "a signed integer travels as its two's complement"
)]
fn value(reader: &mut Reader<'_>, (code, is_unsigned): ParamType) -> Result<Param, DecodeError> {
    let offset = reader.offset();
    let integer = |unsigned: u64, signed: i64| match is_unsigned {
        true => Param::UInt(unsigned),
        false => Param::Int(signed),
    };
    Ok(match code {
        t::NULL => Param::Null,
        t::TINY | t::BOOL => {
            let value = reader.u8("TINYINT parameter")?;
            integer(u64::from(value), i64::from(value as i8))
        }
        t::SHORT | t::YEAR => {
            let value = reader.u16("SMALLINT parameter")?;
            integer(u64::from(value), i64::from(value as i16))
        }
        t::LONG | t::INT24 => {
            let value = reader.u32("INT parameter")?;
            integer(u64::from(value), i64::from(value as i32))
        }
        t::LONGLONG => {
            let value = reader.u64("BIGINT parameter")?;
            integer(value, value as i64)
        }
        t::FLOAT => Param::Float(f32::from_le_bytes(reader.array("FLOAT parameter")?)),
        t::DOUBLE => Param::Double(f64::from_le_bytes(reader.array("DOUBLE parameter")?)),
        t::DATE => Param::Date(decode_date(temporal(reader)?)?),
        t::DATETIME | t::TIMESTAMP => Param::DateTime(decode_date_time(temporal(reader)?)?),
        t::TIME => Param::Time(decode_time(temporal(reader)?)?),
        t::DECIMAL | t::NEWDECIMAL => {
            Param::Decimal(reader.lenenc_bytes("DECIMAL parameter")?.to_vec())
        }
        t::TINY_BLOB
        | t::MEDIUM_BLOB
        | t::LONG_BLOB
        | t::BLOB
        | t::BIT
        | t::GEOMETRY
        | t::VECTOR => Param::Bytes(reader.lenenc_bytes("BLOB parameter")?.to_vec()),
        t::VARCHAR | t::VAR_STRING | t::STRING | t::ENUM | t::SET | t::JSON => {
            Param::Text(reader.lenenc_bytes("text parameter")?.to_vec())
        }
        found => {
            return Err(DecodeError::invalid(
                "parameter type",
                offset,
                u64::from(found),
                "a type of the protocol",
            ));
        }
    })
}

fn temporal<'a>(reader: &mut Reader<'a>) -> Result<Reader<'a>, DecodeError> {
    let len = usize::from(reader.u8("temporal parameter length")?);
    reader.sub(len, "temporal parameter")
}
