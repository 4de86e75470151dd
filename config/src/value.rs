//! A written value read against its definition: the typed value, or what is allowed instead.

use std::fmt;

use crate::definition::{Definition, Kind, ListOf};
use crate::filter::{DatabaseRewrite, RowFilter, TableName, WildTable};
use crate::secret::{HIDDEN, Secret};

/// A value of the kind its definition asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Flag(bool),
    Unsigned(u64),
    /// Milliseconds.
    Seconds(u64),
    /// One of the definition's words, spelled as there.
    Word(&'static str),
    /// Text, name or path.
    Text(String),
    Secret(Secret),
    List(Vec<String>),
    /// No value and no default.
    Unset,
}

/// As `weir config show` prints it.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(true) => f.write_str("ON"),
            Self::Flag(false) => f.write_str("OFF"),
            Self::Unsigned(number) => write!(f, "{number}"),
            Self::Seconds(millis) => write!(f, "{}.{:03}", millis / 1000, millis % 1000),
            Self::Word(word) => f.write_str(word),
            Self::Text(text) => f.write_str(text),
            Self::Secret(_) => f.write_str(HIDDEN),
            Self::List(items) => f.write_str(&items.join(",")),
            Self::Unset => Ok(()),
        }
    }
}

/// A value that was read, and what was changed on the way.
pub(crate) struct Read {
    pub(crate) value: Value,
    pub(crate) adjusted: Option<String>,
}

/// Reads `text` (`None`: the option stands without a value); `Err` says what is allowed.
pub(crate) fn read(definition: &Definition, text: Option<&str>) -> Result<Read, String> {
    let plain = |value| {
        Ok(Read {
            value,
            adjusted: None,
        })
    };
    let Some(text) = text else {
        return match definition.kind {
            Kind::Flag { only } => plain(Value::Flag(flag("ON", only)?)),
            Kind::Name => plain(Value::Text(definition.default.to_owned())),
            _ => Err("a value".to_owned()),
        };
    };
    match definition.kind {
        Kind::Flag { only } => plain(Value::Flag(flag(text, only)?)),
        Kind::Unsigned { min, max, block } => unsigned(definition.name, text, min, max, block),
        Kind::Seconds { min, max } => plain(Value::Seconds(seconds(text, min, max)?)),
        Kind::Choice { words, supported } => plain(Value::Word(word(text, words, supported)?)),
        Kind::Text | Kind::Path => plain(Value::Text(text.to_owned())),
        Kind::Secret => plain(Value::Secret(Secret::new(text))),
        Kind::Name => plain(Value::Text(base_name(text)?)),
        Kind::List(of) => plain(Value::List(list(text, of)?)),
    }
}

/// What `definition` allows, for the reference page and for errors.
pub(crate) fn allowed(kind: Kind) -> String {
    match kind {
        Kind::Flag { only: None } => "ON, OFF".to_owned(),
        Kind::Flag { only: Some(true) } => "ON".to_owned(),
        Kind::Flag { only: Some(false) } => "OFF".to_owned(),
        Kind::Unsigned { min, max, block } => {
            let block = if block > 1 {
                format!(" in steps of {block}")
            } else {
                String::new()
            };
            format!("{min} to {max}{block}")
        }
        Kind::Seconds { min, max } => format!("{min} to {max} seconds"),
        Kind::Choice { words, supported } if words.len() > supported.len() => {
            let others: Vec<&str> = words
                .iter()
                .filter(|word| !supported.contains(word))
                .copied()
                .collect();
            format!("{} (not {})", supported.join(", "), others.join(", "))
        }
        Kind::Choice { supported, .. } => supported.join(", "),
        Kind::Text | Kind::Secret => "text".to_owned(),
        Kind::Name => "a file base name".to_owned(),
        Kind::Path => "a path".to_owned(),
        Kind::List(ListOf::Databases) => "database names".to_owned(),
        Kind::List(ListOf::Tables) => "database.table".to_owned(),
        Kind::List(ListOf::WildTables) => "database.table with % and _".to_owned(),
        Kind::List(ListOf::Rewrites) => "from->to".to_owned(),
        Kind::List(ListOf::RowFilters) => "database.table: condition".to_owned(),
        Kind::List(ListOf::Addresses) => "addresses".to_owned(),
    }
}

fn flag(text: &str, only: Option<bool>) -> Result<bool, String> {
    let value = match text.to_ascii_lowercase().as_str() {
        "1" | "on" | "true" => true,
        "0" | "off" | "false" => false,
        _ => return Err("ON, OFF, TRUE, FALSE, 1, 0".to_owned()),
    };
    match only {
        Some(only) if only != value => Err(allowed(Kind::Flag { only: Some(only) })),
        _ => Ok(value),
    }
}

fn unsigned(name: &str, text: &str, min: u64, max: u64, block: u64) -> Result<Read, String> {
    let kind = Kind::Unsigned { min, max, block };
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let number = suffixed(digits).ok_or_else(|| {
        format!(
            "{}, as a number or with a suffix K, M, G, T, P, E",
            allowed(kind)
        )
    })?;
    let clamped = if negative {
        min
    } else {
        number.clamp(min, max)
    };
    let value = if block > 1 {
        clamped - clamped % block
    } else {
        clamped
    };
    let value = value.max(min);
    let adjusted = (value != number || (negative && number != 0)).then(|| {
        format!(
            "option '{name}': value {text} adjusted to {value}; allowed: {}",
            allowed(kind)
        )
    });
    Ok(Read {
        value: Value::Unsigned(value),
        adjusted,
    })
}

/// Digits with MySQL's suffixes. Too large is `u64::MAX`: the range then brings it down.
fn suffixed(text: &str) -> Option<u64> {
    let split = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, suffix) = text.split_at_checked(split)?;
    if digits.is_empty() {
        return None;
    }
    let shift = match suffix {
        "" => 0,
        "K" | "k" => 10,
        "M" | "m" => 20,
        "G" | "g" => 30,
        "T" | "t" => 40,
        "P" | "p" => 50,
        "E" | "e" => 60,
        _ => return None,
    };
    let number = digits.parse::<u64>().unwrap_or(u64::MAX);
    Some(number.saturating_mul(1 << shift))
}

fn seconds(text: &str, min: f64, max: f64) -> Result<u64, String> {
    let bad = || allowed(Kind::Seconds { min, max });
    let number: f64 = text.trim().parse().map_err(|_| bad())?;
    if !(min..=max).contains(&number) {
        return Err(bad());
    }
    let millis = std::time::Duration::try_from_secs_f64(number)
        .map_err(|_| bad())?
        .as_millis();
    u64::try_from(millis).map_err(|_| bad())
}

fn word(
    text: &str,
    words: &'static [&'static str],
    supported: &'static [&'static str],
) -> Result<&'static str, String> {
    let bad = || allowed(Kind::Choice { words, supported });
    let text = match text.to_ascii_uppercase().as_str() {
        // ON and OFF may be written as flags where they are among the words.
        "TRUE" if words.contains(&"ON") => "ON".to_owned(),
        "FALSE" if words.contains(&"OFF") => "OFF".to_owned(),
        _ => text.to_owned(),
    };
    let named = words.iter().find(|word| word.eq_ignore_ascii_case(&text));
    let found = match named {
        Some(word) => Some(word),
        None => text.parse().ok().and_then(|index: usize| words.get(index)),
    };
    found
        .filter(|word| supported.contains(word))
        .copied()
        .ok_or_else(bad)
}

fn base_name(text: &str) -> Result<String, String> {
    let flaglike = ["", "0", "1", "on", "off", "true", "false"];
    if flaglike.contains(&text.to_ascii_lowercase().as_str()) {
        // Differs from MySQL: there `log-bin=OFF` names the files "OFF".
        return Err("a file base name; leave the value out for the default name".to_owned());
    }
    Ok(text.to_owned())
}

fn list(text: &str, of: ListOf) -> Result<Vec<String>, String> {
    let mut items = Vec::new();
    let separator = match of {
        ListOf::RowFilters => '\0',
        ListOf::Databases
        | ListOf::Tables
        | ListOf::WildTables
        | ListOf::Rewrites
        | ListOf::Addresses => ',',
    };
    for item in text.split(separator).map(str::trim) {
        let fits = match of {
            ListOf::Databases => !item.is_empty() && !item.contains(':'),
            ListOf::Tables => TableName::parse(item).is_some(),
            ListOf::WildTables => WildTable::parse(item).is_some(),
            ListOf::Rewrites => DatabaseRewrite::parse(item).is_some(),
            ListOf::RowFilters => RowFilter::parse(item).is_some(),
            ListOf::Addresses => !item.is_empty() || text.is_empty(),
        };
        if !fits {
            return Err(allowed(Kind::List(of)));
        }
        if !item.is_empty() {
            items.push(item.to_owned());
        }
    }
    Ok(items)
}

#[cfg(test)]
mod tests;
