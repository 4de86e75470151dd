//! Column types as written become column types as kept, or MySQL's error.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::catalog::{BlobSize, ColumnType, GeometryKind, IntegerSize, TextForm};
use crate::collation::compare::equality_key;
use crate::collation::{self, Charset, Collation};
use crate::session::SessionContext;
use sql::ast::{CharsetSpec, DataType, Member, TextForm as Written, TextType};
use sql::error::SqlError;

const FSP_MAX: u32 = 6;
const DECIMAL_DIGITS_MAX: u32 = 65;
const DECIMAL_SCALE_MAX: u32 = 30;
const CHAR_LENGTH_MAX: u32 = 255;
const ROW_BYTES_MAX: u32 = 65_535;
const VECTOR_DIMENSIONS_DEFAULT: u32 = 2048;
const VECTOR_DIMENSIONS_MAX: u32 = 16_383;
const SET_MEMBERS_MAX: usize = 64;
const ENUM_MEMBERS_MAX: usize = 65_535;
const MEMBER_CHARS_MAX: usize = 255;

/// Collations that stand for what is not written.
#[derive(Debug, Clone)]
pub(super) struct Defaults {
    /// Where neither character set nor collation is written.
    pub(super) collation: &'static Collation,
    /// Where only CHARACTER SET utf8mb4 is written.
    pub(super) utf8mb4: &'static Collation,
    /// Where only another CHARACTER SET is written, as far as it is not MySQL's default.
    pub(super) others: Arc<[&'static Collation]>,
    /// Whether every character set and collation may be named, as in a log.
    pub(super) takes_all: bool,
}

impl Defaults {
    /// The session's defaults, below those of a table or database.
    pub(super) fn new(session: &SessionContext, collation: &'static Collation) -> Defaults {
        Defaults {
            collation,
            utf8mb4: session.default_collation_for_utf8mb4,
            others: Arc::clone(&session.default_collations),
            takes_all: session.applies_log,
        }
    }

    /// What a character set alone means.
    fn of(&self, charset: Charset) -> &'static Collation {
        if charset == Charset::Utf8mb4 {
            return self.utf8mb4;
        }
        let mut others = self.others.iter().copied();
        let other = others.find(|collation| collation.charset == charset);
        other.unwrap_or_else(|| charset.default_collation())
    }

    fn charset(&self, name: &str) -> Result<Charset, SqlError> {
        match self.takes_all {
            true => Charset::by_name(name),
            false => Charset::served(name),
        }
    }

    /// MariaDB has collations that are named without their character set: `uca1400_ai_ci`.
    fn collation(&self, name: &str, charset: Charset) -> Result<&'static Collation, SqlError> {
        match self.takes_all {
            true if name.starts_with("uca1400_") => {
                let whole = format!("{}_{name}", charset.name());
                collation::by_name(&whole).map_err(|_| SqlError::unknown_collation(name))
            }
            true => collation::by_name(name),
            false => collation::served(name),
        }
    }
}

/// The collation that a charset clause, perhaps with a COLLATE attribute of its own, means; the
/// defaults when nothing is written. Errors 1115, 1253, 1273.
pub(super) fn resolve_collation(
    spec: &CharsetSpec,
    attribute: Option<&str>,
    defaults: &Defaults,
) -> Result<&'static Collation, SqlError> {
    let default = defaults.collation;
    let charset = spec.charset.as_deref();
    let charset = charset.map(|name| defaults.charset(name)).transpose()?;
    let named = attribute
        .or(spec.collation.as_deref())
        .map(|name| defaults.collation(name, charset.unwrap_or(default.charset)))
        .transpose()?;
    match (charset, named) {
        (Some(charset), Some(named)) if named.charset != charset => Err(
            SqlError::collation_charset_mismatch(named.name, charset.name()),
        ),
        (_, Some(named)) => Ok(named),
        (charset, None) if spec.binary => binary_collation(charset.unwrap_or(default.charset)),
        (Some(charset), None) => Ok(defaults.of(charset)),
        (None, None) => Ok(default),
    }
}

fn binary_collation(charset: Charset) -> Result<&'static Collation, SqlError> {
    match charset {
        Charset::Binary => Ok(&collation::BINARY),
        charset => collation::by_name(&format!("{}_bin", charset.name())),
    }
}

/// A column's type. `attribute` is a COLLATE among the attributes.
pub(super) fn column_type(
    name: &str,
    written: &DataType,
    attribute: Option<&str>,
    defaults: Defaults,
) -> Result<ColumnType, SqlError> {
    let resolve = |spec: &CharsetSpec| resolve_collation(spec, attribute, &defaults);
    Ok(match written {
        DataType::Char { length, charset } => {
            char_type(name, length.unwrap_or(1), resolve(charset)?)?
        }
        DataType::VarChar { length, charset } => varchar(name, *length, resolve(charset)?)?,
        DataType::Binary { length } => ColumnType::Binary {
            length: length_of(name, length.unwrap_or(1), CHAR_LENGTH_MAX)?,
        },
        DataType::VarBinary { length } => ColumnType::Varbinary {
            length: length_of(name, *length, ROW_BYTES_MAX)?,
        },
        DataType::Text {
            size,
            length,
            charset,
        } => text(*size, *length, resolve(charset)?),
        DataType::Blob { size, length } => ColumnType::Blob {
            size: blob_size(*size, length.map(u64::from)),
        },
        DataType::Enum { members, charset } => ColumnType::Enum {
            members: listed(&texts(members, resolve(charset)?)?),
            collation: resolve(charset)?,
        },
        DataType::Set { members, charset } => ColumnType::Set {
            members: listed(&texts(members, resolve(charset)?)?),
            collation: resolve(charset)?,
        },
        DataType::Json => ColumnType::Json,
        DataType::Vector { length } => ColumnType::Vector {
            dimensions: vector(name, *length)?,
        },
        DataType::Geometry { name: kind } => ColumnType::Geometry {
            kind: geometry(kind)?,
            srid: None,
        },
        DataType::Shown(_) => match shown(written) {
            Some(form) => form.column_type(),
            None => return Err(SqlError::wrong_field_spec(name)),
        },
        DataType::Date => ColumnType::Date,
        DataType::Time { fsp } => ColumnType::Time {
            fsp: fsp_of(name, *fsp)?,
        },
        DataType::DateTime { fsp } => ColumnType::DateTime {
            fsp: fsp_of(name, *fsp)?,
        },
        DataType::Timestamp { fsp } => ColumnType::Timestamp {
            fsp: fsp_of(name, *fsp)?,
        },
        DataType::Year { width } => match width {
            None | Some(4) => ColumnType::Year,
            Some(_) => return Err(SqlError::invalid_year_column_length()),
        },
        number => return number_type(name, number),
    })
}

/// What a column of this type shows its bytes as.
pub(super) const fn shown(written: &DataType) -> Option<TextForm> {
    match written {
        DataType::Shown(Written::Uuid) => Some(TextForm::Uuid),
        DataType::Shown(Written::Inet4) => Some(TextForm::Inet4),
        DataType::Shown(Written::Inet6) => Some(TextForm::Inet6),
        _ => None,
    }
}

fn number_type(name: &str, written: &DataType) -> Result<ColumnType, SqlError> {
    Ok(match written {
        DataType::TinyInt {
            width,
            unsigned,
            zerofill,
        } => integer(name, IntegerSize::Tiny, *width, *unsigned, *zerofill)?,
        DataType::SmallInt {
            width,
            unsigned,
            zerofill,
        } => integer(name, IntegerSize::Small, *width, *unsigned, *zerofill)?,
        DataType::MediumInt {
            width,
            unsigned,
            zerofill,
        } => integer(name, IntegerSize::Medium, *width, *unsigned, *zerofill)?,
        DataType::Int {
            width,
            unsigned,
            zerofill,
        } => integer(name, IntegerSize::Int, *width, *unsigned, *zerofill)?,
        DataType::BigInt {
            width,
            unsigned,
            zerofill,
        } => integer(name, IntegerSize::Big, *width, *unsigned, *zerofill)?,
        DataType::Bool => integer(name, IntegerSize::Tiny, Some(1), false, false)?,
        DataType::Serial => integer(name, IntegerSize::Big, None, true, false)?,
        DataType::Decimal {
            precision,
            scale,
            unsigned,
            zerofill,
        } => {
            let (precision, scale) = decimal_digits(name, *precision, *scale)?;
            ColumnType::Decimal {
                precision,
                scale,
                unsigned: *unsigned || *zerofill,
                zerofill: *zerofill,
            }
        }
        DataType::Float {
            precision,
            scale,
            unsigned,
            zerofill,
        } => float(name, *precision, *scale, *unsigned || *zerofill, *zerofill)?,
        DataType::Double {
            precision,
            scale,
            unsigned,
            zerofill,
        } => ColumnType::Double {
            digits: float_digits(name, *precision, *scale)?,
            unsigned: *unsigned || *zerofill,
            zerofill: *zerofill,
        },
        DataType::Bit { width } => ColumnType::Bit {
            width: bit_width(name, *width)?,
        },
        _ => return Err(SqlError::wrong_field_spec(name)),
    })
}

fn integer(
    name: &str,
    size: IntegerSize,
    width: Option<u32>,
    unsigned: bool,
    zerofill: bool,
) -> Result<ColumnType, SqlError> {
    let unsigned = unsigned || zerofill;
    let given = width
        .map(|width| u8::try_from(width).map_err(|_| SqlError::too_big_display_width(name, 255)));
    // Since 8.0.19 a width is kept only where it means something: tinyint(1) and ZEROFILL.
    let width = match given.transpose()? {
        given if zerofill => Some(
            given
                .filter(|width| *width > 0)
                .unwrap_or(size.default_width(true)),
        ),
        Some(1) if size == IntegerSize::Tiny && !unsigned => Some(1),
        _ => None,
    };
    Ok(ColumnType::Integer {
        size,
        unsigned,
        zerofill,
        width,
    })
}

fn decimal_digits(
    name: &str,
    precision: Option<u32>,
    scale: Option<u32>,
) -> Result<(u8, u8), SqlError> {
    let precision = precision
        .filter(|precision| *precision > 0 || scale.unwrap_or(0) > 0)
        .unwrap_or(10);
    let scale = scale.unwrap_or(0);
    if scale > DECIMAL_SCALE_MAX {
        return Err(SqlError::too_big_scale(scale, name, DECIMAL_SCALE_MAX));
    }
    if precision > DECIMAL_DIGITS_MAX {
        return Err(SqlError::too_big_precision(
            precision,
            name,
            DECIMAL_DIGITS_MAX,
        ));
    }
    if scale > precision {
        return Err(SqlError::m_bigger_than_d(name));
    }
    Ok((narrow(precision), narrow(scale)))
}

fn float(
    name: &str,
    precision: Option<u32>,
    scale: Option<u32>,
    unsigned: bool,
    zerofill: bool,
) -> Result<ColumnType, SqlError> {
    if let (Some(bits), None) = (precision, scale) {
        return match bits {
            0..=24 => Ok(ColumnType::Float {
                digits: None,
                unsigned,
                zerofill,
            }),
            25..=53 => Ok(ColumnType::Double {
                digits: None,
                unsigned,
                zerofill,
            }),
            _ => Err(SqlError::wrong_field_spec(name)),
        };
    }
    Ok(ColumnType::Float {
        digits: float_digits(name, precision, scale)?,
        unsigned,
        zerofill,
    })
}

fn float_digits(
    name: &str,
    precision: Option<u32>,
    scale: Option<u32>,
) -> Result<Option<(u8, u8)>, SqlError> {
    let (Some(precision), Some(scale)) = (precision, scale) else {
        return Ok(None);
    };
    if scale > DECIMAL_SCALE_MAX {
        return Err(SqlError::too_big_scale(scale, name, DECIMAL_SCALE_MAX));
    }
    if precision > 255 || (precision, scale) == (0, 0) {
        return Err(SqlError::too_big_display_width(name, 255));
    }
    if scale > precision {
        return Err(SqlError::m_bigger_than_d(name));
    }
    Ok(Some((narrow(precision), narrow(scale))))
}

fn bit_width(name: &str, width: Option<u32>) -> Result<u8, SqlError> {
    match width.unwrap_or(1) {
        0 => Err(SqlError::invalid_field_size(name)),
        width @ 1..=64 => Ok(narrow(width)),
        _ => Err(SqlError::too_big_display_width(name, 64)),
    }
}

pub(super) fn fsp_of(name: &str, fsp: Option<u32>) -> Result<u8, SqlError> {
    match fsp.unwrap_or(0) {
        fsp @ 0..=FSP_MAX => Ok(narrow(fsp)),
        fsp => Err(SqlError::too_big_precision(fsp, name, FSP_MAX)),
    }
}

fn char_type(
    name: &str,
    length: u32,
    collation: &'static Collation,
) -> Result<ColumnType, SqlError> {
    let length = length_of(name, length, CHAR_LENGTH_MAX)?;
    Ok(match collation.is_binary() {
        true => ColumnType::Binary { length },
        false => ColumnType::Char { length, collation },
    })
}

fn varchar(name: &str, length: u32, collation: &'static Collation) -> Result<ColumnType, SqlError> {
    let most = ROW_BYTES_MAX / u32::from(collation.charset.bytes_per_char_max());
    let length = length_of(name, length, most)?;
    Ok(match collation.is_binary() {
        true => ColumnType::Varbinary { length },
        false => ColumnType::Varchar { length, collation },
    })
}

fn length_of<T: TryFrom<u32>>(name: &str, length: u32, most: u32) -> Result<T, SqlError> {
    let too_big = || SqlError::too_big_fieldlength(name, most);
    if length > most {
        return Err(too_big());
    }
    T::try_from(length).map_err(|_| too_big())
}

fn text(size: TextType, length: Option<u32>, collation: &'static Collation) -> ColumnType {
    let width = u64::from(collation.charset.bytes_per_char_max());
    let size = blob_size(size, length.map(|length| u64::from(length) * width));
    match collation.is_binary() {
        true => ColumnType::Blob { size },
        false => ColumnType::Text { size, collation },
    }
}

/// TEXT(n) and BLOB(n) mean the smallest of the four types that holds n.
fn blob_size(size: TextType, bytes: Option<u64>) -> BlobSize {
    match (size, bytes) {
        (TextType::Tiny, _) => BlobSize::Tiny,
        (TextType::Medium, _) => BlobSize::Medium,
        (TextType::Long, _) => BlobSize::Long,
        (TextType::Normal, None) => BlobSize::Normal,
        (TextType::Normal, Some(bytes)) => {
            let sizes = [BlobSize::Tiny, BlobSize::Normal, BlobSize::Medium];
            sizes
                .into_iter()
                .find(|size| bytes <= size.bytes_max())
                .unwrap_or(BlobSize::Long)
        }
    }
}

/// The members' characters. Bytes are of the column's character set; error 1235 where they are not,
/// for MySQL would cut the member there.
// Differs from MySQL: ENUM(0x61FF) in utf8mb4 is refused; MySQL makes it 'a'.
fn texts(written: &[Member], collation: &'static Collation) -> Result<Vec<String>, SqlError> {
    let text = |member: &Member| match member {
        Member::Text(text) => Ok(within(text, collation.charset)),
        Member::Bytes(bytes) => collation
            .charset
            .decode(bytes)
            .map(Cow::into_owned)
            .map_err(|_| SqlError::not_supported("a member that is no text of its column")),
    };
    written.iter().map(text).collect()
}

/// A text with a question mark for each character that a character set lacks, as MySQL keeps members.
fn within(text: &str, charset: Charset) -> String {
    if charset == Charset::Binary || charset.encode(text).is_ok() {
        return text.to_owned();
    }
    let mut buffer = [0; 4];
    let mut kept = |character: char| {
        let is_known = charset.encode(character.encode_utf8(&mut buffer)).is_ok();
        if is_known { character } else { '?' }
    };
    text.chars().map(&mut kept).collect()
}

/// Members without blanks behind them.
fn listed(written: &[String]) -> Arc<[String]> {
    let members = written.iter();
    members
        .map(|member| member.trim_end_matches(' ').to_owned())
        .collect()
}

/// Checks the members of ENUM and SET. Errors 1097, 1291, 1367, 3505 and their kin.
pub(super) fn check_members(name: &str, column_type: &ColumnType) -> Result<(), SqlError> {
    let (kind, members, collation) = match column_type {
        ColumnType::Enum { members, collation } => ("ENUM", members, collation),
        ColumnType::Set { members, collation } => ("SET", members, collation),
        _ => return Ok(()),
    };
    if kind == "SET" {
        if let Some(member) = members.iter().find(|member| member.contains(',')) {
            return Err(SqlError::illegal_value_for_type("set", member));
        }
        if members.len() > SET_MEMBERS_MAX {
            return Err(SqlError::too_big_set(name));
        }
    } else if members.len() > ENUM_MEMBERS_MAX {
        return Err(SqlError::too_many_enum_values(name));
    }
    if members
        .iter()
        .any(|member| member.chars().count() > MEMBER_CHARS_MAX)
    {
        return Err(SqlError::too_long_set_enum_value(name));
    }
    let mut seen = BTreeMap::new();
    for member in members.iter() {
        // The error names the first of the two.
        if let Some(earlier) = seen.insert(equality_key(collation, member.as_bytes()), member) {
            return Err(SqlError::duplicated_value_in_type(name, earlier, kind));
        }
    }
    Ok(())
}

fn vector(name: &str, length: Option<u32>) -> Result<u16, SqlError> {
    match length.unwrap_or(VECTOR_DIMENSIONS_DEFAULT) {
        length @ 1..=VECTOR_DIMENSIONS_MAX => Ok(narrow(length)),
        0 => Err(SqlError::not_supported("VECTOR(0)")),
        length => Err(SqlError::exceeds_vector_max_dimensions(
            u64::from(length) * 4,
            length,
            u64::from(VECTOR_DIMENSIONS_MAX) * 4,
            VECTOR_DIMENSIONS_MAX,
            name,
        )),
    }
}

fn geometry(name: &str) -> Result<GeometryKind, SqlError> {
    Ok(match name.to_ascii_uppercase().as_str() {
        "GEOMETRY" => GeometryKind::Geometry,
        "POINT" => GeometryKind::Point,
        "LINESTRING" => GeometryKind::LineString,
        "POLYGON" => GeometryKind::Polygon,
        "MULTIPOINT" => GeometryKind::MultiPoint,
        "MULTILINESTRING" => GeometryKind::MultiLineString,
        "MULTIPOLYGON" => GeometryKind::MultiPolygon,
        "GEOMETRYCOLLECTION" | "GEOMCOLLECTION" => GeometryKind::GeometryCollection,
        other => return Err(SqlError::not_supported(other)),
    })
}

/// A number that was checked to be small.
fn narrow<T: TryFrom<u32> + Default>(value: u32) -> T {
    T::try_from(value).unwrap_or_default()
}
