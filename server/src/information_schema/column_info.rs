//! A column as DESCRIBE and information_schema.COLUMNS show it.

use engine::catalog::{Column, ColumnDefault, ColumnType, Table};
use engine::collation::Collation;

/// What clients are shown of a column.
#[derive(Debug, Clone)]
pub(crate) struct ColumnInfo<'a> {
    pub(crate) name: &'a str,
    /// With parameters and attributes: `bigint unsigned`.
    pub(crate) column_type: String,
    /// The type's word alone: `bigint`.
    pub(crate) data_type: String,
    pub(crate) collation: Option<&'static Collation>,
    pub(crate) is_nullable: bool,
    /// `PRI`, `UNI`, `MUL` or empty.
    pub(crate) key: &'static str,
    pub(crate) default: Option<String>,
    pub(crate) extra: String,
    pub(crate) comment: &'a str,
    pub(crate) characters: Option<u64>,
    pub(crate) octets: Option<u64>,
    pub(crate) precision: Option<u64>,
    pub(crate) scale: Option<u64>,
    pub(crate) fraction_digits: Option<u64>,
    pub(crate) generation: &'a str,
    pub(crate) srid: Option<u64>,
}

impl<'a> ColumnInfo<'a> {
    pub(crate) fn new(table: &Table, position: usize, column: &'a Column) -> Self {
        let column_type = column.declared_type();
        let word = column_type
            .split([' ', '('])
            .next()
            .unwrap_or_default()
            .to_owned();
        let (characters, octets) = lengths(&column.column_type);
        let (precision, scale) = digits(&column.column_type);
        Self {
            name: &column.name,
            data_type: word,
            collation: column.column_type.collation(),
            is_nullable: column.nullable,
            key: key_word(table, position),
            default: default_text(column),
            extra: extra(column),
            comment: &column.comment,
            characters,
            octets,
            precision,
            scale,
            fraction_digits: fraction_digits(&column.column_type),
            generation: column
                .generated
                .as_ref()
                .map_or("", |generated| &generated.expression),
            srid: match column.column_type {
                ColumnType::Geometry { srid, .. } => srid.map(u64::from),
                _ => None,
            },
            column_type,
        }
    }
}

fn key_word(table: &Table, position: usize) -> &'static str {
    let mut word = "";
    for key in &table.keys {
        let positions = table.key_positions(key);
        let begins = key
            .parts
            .first()
            .is_some_and(|part| part.expression.is_none());
        let is_first = begins && positions.first() == Some(&position);
        match key.kind {
            engine::catalog::KeyKind::Primary if positions.contains(&position) => return "PRI",
            engine::catalog::KeyKind::Unique if is_first && key.parts.len() == 1 => {
                // A NOT NULL unique key stands in for a primary key that is not there.
                let is_null_free = table.columns.get(position).is_some_and(|c| !c.nullable);
                if table.primary_key().is_none() && is_null_free {
                    return "PRI";
                }
                word = "UNI";
            }
            _ if is_first && word.is_empty() => word = "MUL",
            _ => {}
        }
    }
    word
}

fn default_text(column: &Column) -> Option<String> {
    match &column.default {
        ColumnDefault::None | ColumnDefault::Null => None,
        ColumnDefault::Literal(text) => Some(match column.column_type {
            ColumnType::Bit { .. } => match text.parse::<u64>() {
                Ok(bits) => format!("b'{bits:b}'"),
                Err(_) => text.clone(),
            },
            _ => text.clone(),
        }),
        ColumnDefault::CurrentTimestamp => Some(now_with(column.column_type.fsp())),
        ColumnDefault::Expression(expression) => Some(expression.clone()),
    }
}

fn now_with(digits: u8) -> String {
    match digits {
        0 => "CURRENT_TIMESTAMP".to_owned(),
        digits => format!("CURRENT_TIMESTAMP({digits})"),
    }
}

/// Differs from MySQL: never DEFAULT_GENERATED, because tools that look for generated columns by
/// that word leave out columns with DEFAULT CURRENT_TIMESTAMP
/// (`extra_never_says_default_generated`).
fn extra(column: &Column) -> String {
    let mut words = Vec::new();
    if column.auto_increment {
        words.push("auto_increment".to_owned());
    }
    if column.on_update_now {
        words.push(format!("on update {}", now_with(column.column_type.fsp())));
    }
    if let Some(generated) = &column.generated {
        let kind = if generated.stored {
            "STORED GENERATED"
        } else {
            "VIRTUAL GENERATED"
        };
        words.push(kind.to_owned());
    }
    if column.invisible {
        words.push("INVISIBLE".to_owned());
    }
    words.join(" ")
}

fn lengths(column_type: &ColumnType) -> (Option<u64>, Option<u64>) {
    let text = |characters: u64, collation: &Collation| {
        let width = u64::from(collation.charset.bytes_per_char_max());
        (Some(characters), Some(characters * width))
    };
    let longest = |members: &[String]| {
        members
            .iter()
            .map(|member| member.chars().count() as u64)
            .max()
            .unwrap_or(0)
    };
    match column_type {
        ColumnType::Char { length, collation } => text(u64::from(*length), collation),
        ColumnType::Varchar { length, collation } => text(u64::from(*length), collation),
        ColumnType::Text { size, .. } | ColumnType::Blob { size } => {
            (Some(size.bytes_max()), Some(size.bytes_max()))
        }
        ColumnType::Binary { length } => (Some(u64::from(*length)), Some(u64::from(*length))),
        ColumnType::Varbinary { length } => (Some(u64::from(*length)), Some(u64::from(*length))),
        ColumnType::Enum { members, collation } => text(longest(members), collation),
        ColumnType::Set { members, collation } => {
            let all: u64 = members
                .iter()
                .map(|member| member.chars().count() as u64 + 1)
                .sum();
            text(all.saturating_sub(1), collation)
        }
        _ => (None, None),
    }
}

fn digits(column_type: &ColumnType) -> (Option<u64>, Option<u64>) {
    use engine::catalog::IntegerSize as Size;
    match column_type {
        ColumnType::Integer { size, unsigned, .. } => {
            let digits = match (size, unsigned) {
                (Size::Tiny, _) => 3,
                (Size::Small, _) => 5,
                (Size::Medium, false) => 7,
                (Size::Medium, true) => 7,
                (Size::Int, _) => 10,
                (Size::Big, false) => 19,
                (Size::Big, true) => 20,
            };
            (Some(digits), Some(0))
        }
        ColumnType::Decimal {
            precision, scale, ..
        } => (Some(u64::from(*precision)), Some(u64::from(*scale))),
        ColumnType::Float { digits, .. } => (
            Some(digits.map_or(12, |(precision, _)| u64::from(precision))),
            digits.map(|(_, scale)| u64::from(scale)),
        ),
        ColumnType::Double { digits, .. } => (
            Some(digits.map_or(22, |(precision, _)| u64::from(precision))),
            digits.map(|(_, scale)| u64::from(scale)),
        ),
        ColumnType::Bit { width } => (Some(u64::from(*width)), None),
        _ => (None, None),
    }
}

fn fraction_digits(column_type: &ColumnType) -> Option<u64> {
    match column_type {
        ColumnType::Time { fsp } | ColumnType::DateTime { fsp } | ColumnType::Timestamp { fsp } => {
            Some(u64::from(*fsp))
        }
        _ => None,
    }
}
