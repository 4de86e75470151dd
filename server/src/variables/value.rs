//! Values of system variables: checking what SET gives, and showing what is there.

use engine::collation;
use engine::session::TimeZone;
use engine::value::datum::Datum;
use engine::value::sourced::{Sourced, TextKind};
use sql::SqlMode;
use sql::error::SqlError;

use super::definition::{Definition, Kind};

/// The value of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VariableValue {
    /// ON or OFF.
    Flag(bool),
    /// A number.
    Number(u64),
    /// Text.
    Text(String),
    /// NULL.
    Null,
}

impl VariableValue {
    /// The value as SHOW VARIABLES prints it.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Flag(true) => "ON".to_owned(),
            Self::Flag(false) => "OFF".to_owned(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
            Self::Null => String::new(),
        }
    }

    /// The value as `SELECT @@name` gives it.
    #[must_use]
    pub fn selected(&self) -> Datum {
        match self {
            Self::Flag(flag) => Datum::truth(*flag),
            Self::Number(number) => Datum::UInt(*number),
            Self::Text(text) => Datum::text(text),
            Self::Null => Datum::Null,
        }
    }

    /// Whether a flag is on.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        matches!(self, Self::Flag(true))
    }
}

/// What SET assigns, after its expression was evaluated.
#[derive(Debug, Clone, PartialEq)]
pub enum Assigned {
    /// DEFAULT.
    Default,
    /// A bare word.
    Word(String),
    /// A value.
    Value(Sourced),
}

/// The value that a definition begins with.
pub(super) fn initial(definition: &Definition) -> VariableValue {
    parse(definition.kind, definition.initial)
}

/// Reads text that is known to fit, such as a default or a setting.
pub(super) fn parse(kind: Kind, text: &str) -> VariableValue {
    match kind {
        Kind::Flag => VariableValue::Flag(flag_word(text).unwrap_or(false)),
        Kind::Unsigned { .. } => text.parse().map_or_else(
            |_| VariableValue::Text(text.to_owned()),
            VariableValue::Number,
        ),
        Kind::NullableText if text.is_empty() => VariableValue::Null,
        _ => VariableValue::Text(text.to_owned()),
    }
}

/// What the values of a number are multiples of, as in MySQL.
fn block_size(name: &str) -> u64 {
    match name {
        "join_buffer_size" => 128,
        "max_heap_table_size" | "net_buffer_length" => 1024,
        "read_buffer_size" => 4096,
        _ => 1,
    }
}

/// The value that SET gives a variable, and whether it had to be brought into range.
pub(super) fn checked(
    definition: &Definition,
    assigned: &Sourced,
) -> Result<(VariableValue, bool), SqlError> {
    let name = definition.name;
    let refuse = || wrong_value(name, assigned);
    let value = match definition.kind {
        Kind::Flag => VariableValue::Flag(flag(assigned).ok_or_else(refuse)?),
        Kind::Unsigned { min, max } => {
            let number = match assigned.value {
                Datum::Int(number) => u64::try_from(number).unwrap_or(0),
                Datum::UInt(number) => number,
                _ => return Err(SqlError::wrong_type_for_var(name)),
            };
            let block = block_size(name);
            let clamped = (number.min(max) / block * block).max(min);
            let was_negative = matches!(assigned.value, Datum::Int(i64::MIN..0));
            return Ok((
                VariableValue::Number(clamped),
                clamped != number || was_negative,
            ));
        }
        Kind::Choice(words) => {
            let word = choice(words, assigned).ok_or_else(refuse)?;
            VariableValue::Text(word.to_owned())
        }
        // What QUERY events have: the number of the only locale.
        Kind::Text if name == "lc_time_names" && is_zero(assigned) => {
            VariableValue::Text("en_US".to_owned())
        }
        Kind::Text => VariableValue::Text(text(name, assigned)?.ok_or_else(refuse)?),
        Kind::NullableText => {
            text(name, assigned)?.map_or(VariableValue::Null, VariableValue::Text)
        }
        Kind::Charset => charset(name, assigned)?,
        Kind::Collation => {
            let collation = match by_id(assigned) {
                Some(found) => {
                    let shown = assigned.to_text().unwrap_or_default();
                    found.ok_or_else(|| SqlError::unknown_collation(shown))?
                }
                None => {
                    let written = text(name, assigned)?.ok_or_else(refuse)?;
                    match name {
                        "collation_connection" => collation::of_connection(&written)?,
                        _ => collation::served(&written)?,
                    }
                }
            };
            let is_default = name == "default_collation_for_utf8mb4";
            if is_default && !DEFAULTS_OF_UTF8MB4.contains(&collation.name) {
                return Err(SqlError::invalid_default_utf8mb4_collation(collation.name));
            }
            VariableValue::Text(collation.name.to_owned())
        }
        Kind::SqlMode => VariableValue::Text(sql_mode(assigned)?.to_string()),
        Kind::TimeZone => {
            let written = text(name, assigned)?.ok_or_else(refuse)?;
            VariableValue::Text(TimeZone::by_name(&written)?.name().to_owned())
        }
    };
    Ok((value, false))
}

/// 1231 with the value as MySQL prints it.
pub(super) fn wrong_value(name: &str, assigned: &Sourced) -> SqlError {
    let shown = assigned.to_text().unwrap_or_else(|| "NULL".to_owned());
    SqlError::wrong_value_for_var(name, shown)
}

fn flag(assigned: &Sourced) -> Option<bool> {
    match assigned.value {
        Datum::Int(0) | Datum::UInt(0) => Some(false),
        Datum::Int(1) | Datum::UInt(1) => Some(true),
        _ => flag_word(assigned.characters()?),
    }
}

fn flag_word(word: &str) -> Option<bool> {
    ["ON", "TRUE", "1"]
        .iter()
        .any(|on| on.eq_ignore_ascii_case(word))
        .then_some(true)
        .or_else(|| {
            ["OFF", "FALSE", "0"]
                .iter()
                .any(|off| off.eq_ignore_ascii_case(word))
                .then_some(false)
        })
}

fn choice(words: &'static [&'static str], assigned: &Sourced) -> Option<&'static str> {
    let by_place = |place: u64| words.get(usize::try_from(place).ok()?).copied();
    match assigned.value {
        Datum::Int(place) => by_place(u64::try_from(place).ok()?),
        Datum::UInt(place) => by_place(place),
        _ => {
            let word = assigned.characters()?;
            let mut words = words.iter().copied();
            words.find(|known| known.eq_ignore_ascii_case(word))
        }
    }
}

fn text(name: &str, assigned: &Sourced) -> Result<Option<String>, SqlError> {
    match (&assigned.value, assigned.text) {
        (Datum::Null, _) => Ok(None),
        (Datum::Text(bytes), TextKind::Bytes) => {
            Ok(Some(String::from_utf8_lossy(bytes).into_owned()))
        }
        _ => {
            let text = assigned.characters().map(str::to_owned);
            text.map(Some)
                .ok_or_else(|| SqlError::wrong_type_for_var(name))
        }
    }
}

/// What `default_collation_for_utf8mb4` may be.
const DEFAULTS_OF_UTF8MB4: [&str; 2] = ["utf8mb4_0900_ai_ci", "utf8mb4_general_ci"];

const fn is_zero(assigned: &Sourced) -> bool {
    matches!(assigned.value, Datum::Int(0) | Datum::UInt(0))
}

/// The collation of a number, which replayed logs give instead of names; `None` for no number.
fn by_id(assigned: &Sourced) -> Option<Option<&'static collation::Collation>> {
    let id = match assigned.value {
        Datum::Int(id) => u64::try_from(id).ok(),
        Datum::UInt(id) => Some(id),
        _ => return None,
    };
    Some(id.and_then(|id| collation::by_id(u16::try_from(id).ok()?)))
}

/// `character_set_results` alone may be NULL: no conversion.
fn charset(name: &str, assigned: &Sourced) -> Result<VariableValue, SqlError> {
    if let Some(found) = by_id(assigned) {
        let shown = assigned.to_text().unwrap_or_default();
        let collation = found.ok_or_else(|| SqlError::unknown_character_set(shown))?;
        return Ok(VariableValue::Text(collation.charset.name().to_owned()));
    }
    match text(name, assigned)? {
        Some(written) if written.eq_ignore_ascii_case("binary") => {
            Ok(VariableValue::Text("binary".to_owned()))
        }
        Some(written) => {
            let charset = match name.starts_with("character_set_server") {
                true => collation::Charset::served(&written)?,
                false => collation::Charset::of_connection(&written)?,
            };
            Ok(VariableValue::Text(charset.name().to_owned()))
        }
        None if name == "character_set_results" => Ok(VariableValue::Null),
        None => Err(wrong_value(name, assigned)),
    }
}

/// Flags that would change results and that nothing here follows.
const REFUSED_MODES: [(SqlMode, &str); 2] = [
    (SqlMode::HIGH_NOT_PRECEDENCE, "sql_mode HIGH_NOT_PRECEDENCE"),
    (
        SqlMode::PAD_CHAR_TO_FULL_LENGTH,
        "sql_mode PAD_CHAR_TO_FULL_LENGTH",
    ),
];

/// A value of `sql_mode`. Error 1235 for a flag that is not followed.
fn sql_mode(assigned: &Sourced) -> Result<SqlMode, SqlError> {
    let mode = sql_mode_of(assigned)?;
    for (refused, name) in REFUSED_MODES {
        if mode.contains(refused) {
            return Err(SqlError::not_supported(name));
        }
    }
    Ok(mode)
}

fn sql_mode_of(assigned: &Sourced) -> Result<SqlMode, SqlError> {
    match assigned.value {
        Datum::Int(bits) => Ok(SqlMode::from_bits(u64::try_from(bits).unwrap_or(0))),
        Datum::UInt(bits) => Ok(SqlMode::from_bits(bits)),
        _ => {
            let written = text("sql_mode", assigned)?;
            let written = written.ok_or_else(|| wrong_value("sql_mode", assigned))?;
            written
                .parse()
                .map_err(|sql::UnknownMode(mode)| SqlError::wrong_value_for_var("sql_mode", mode))
        }
    }
}
