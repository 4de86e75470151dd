//! Well-known text of MySQL's geometry values: SRID and WKB.
//!
//! Spec: OGC 06-103r4, 8.2; mysql-server 9.7, sql/spatial.h.

use codec::{DecodeError, Reader};

use binlog::value::double_text;

/// Deepest nesting of collections that is shown.
const DEPTH_MAX: u8 = 8;

/// `POINT(1 2)`, behind it `SRID n` if that is not 0. `None` for bytes that are no simple geometry.
pub(super) fn well_known_text(bytes: &[u8]) -> Option<String> {
    let mut reader = Reader::new(bytes);
    let srid = reader.u32("SRID").ok()?;
    let mut text = String::new();
    geometry(&mut reader, &mut text, DEPTH_MAX).ok().flatten()?;
    if !reader.is_empty() {
        return None;
    }
    if srid != 0 {
        text.push_str(&format!(" SRID {srid}"));
    }
    Some(text)
}

/// One geometry with its head; `None` when it is not one that is shown.
fn geometry(
    reader: &mut Reader<'_>,
    text: &mut String,
    depth: u8,
) -> Result<Option<u32>, DecodeError> {
    const LITTLE_ENDIAN: u8 = 1;
    if reader.u8("byte order")? != LITTLE_ENDIAN {
        return Ok(None);
    }
    let kind = reader.u32("geometry type")?;
    let name = match kind {
        1 => "POINT",
        2 => "LINESTRING",
        3 => "POLYGON",
        4 => "MULTIPOINT",
        5 => "MULTILINESTRING",
        6 => "MULTIPOLYGON",
        7 => "GEOMETRYCOLLECTION",
        _ => return Ok(None),
    };
    text.push_str(name);
    let is_shown = match kind {
        1 => {
            text.push('(');
            point(reader, text)?;
            text.push(')');
            true
        }
        2 => list(reader, text, &mut |reader, text| {
            point(reader, text).map(|()| true)
        })?,
        3 => list(reader, text, &mut rings)?,
        _ => list(reader, text, &mut |reader, text| {
            member(reader, text, kind, depth)
        })?,
    };
    Ok(is_shown.then_some(kind))
}

/// A member of a collection: without its name where the collection's says it.
fn member(
    reader: &mut Reader<'_>,
    text: &mut String,
    kind: u32,
    depth: u8,
) -> Result<bool, DecodeError> {
    let Some(depth) = depth.checked_sub(1) else {
        return Ok(false);
    };
    let mut inner = String::new();
    let Some(found) = geometry(reader, &mut inner, depth)? else {
        return Ok(false);
    };
    if kind == 7 {
        text.push_str(&inner);
        return Ok(true);
    }
    let start = inner.find('(').unwrap_or(0);
    text.push_str(inner.get(start..).unwrap_or_default());
    Ok(found + 3 == kind)
}

fn rings(reader: &mut Reader<'_>, text: &mut String) -> Result<bool, DecodeError> {
    list(reader, text, &mut |reader, text| {
        point(reader, text).map(|()| true)
    })
}

type Item<'i> = dyn FnMut(&mut Reader<'_>, &mut String) -> Result<bool, DecodeError> + 'i;

/// A count and so many items; stops at the first that is not there.
fn list(
    reader: &mut Reader<'_>,
    text: &mut String,
    item: &mut Item<'_>,
) -> Result<bool, DecodeError> {
    let count = reader.u32("geometry count")?;
    if count == 0 {
        text.push_str(" EMPTY");
        return Ok(true);
    }
    text.push('(');
    for index in 0..count {
        if index > 0 {
            text.push(',');
        }
        if !item(reader, text)? {
            return Ok(false);
        }
    }
    text.push(')');
    Ok(true)
}

fn point(reader: &mut Reader<'_>, text: &mut String) -> Result<(), DecodeError> {
    let x = f64::from_bits(reader.u64("x")?);
    let y = f64::from_bits(reader.u64("y")?);
    text.push_str(&double_text(x));
    text.push(' ');
    text.push_str(&double_text(y));
    Ok(())
}
