//! Functions and the forms of syntax that are printed like them.

use sqlparser::ast::{
    CastKind, CeilFloorKind, CharacterLength, DataType, DateTimeField, ExactNumberInfo, Expr,
    Function, FunctionArg, FunctionArgExpr, FunctionArguments, Interval, TimezoneInfo,
    TrimWhereField, Value,
};

use super::allowed::fits_grammar;
use super::print::{Printer, not_kept, string};
use crate::expr::bind::{characters, check_temporal_literal};
use crate::functions;
use sql::error::SqlError;

/// Bits of a CAST to FLOAT from which on it is one to DOUBLE.
const FLOAT_BITS_MAX: u64 = 24;
/// Most bits of a CAST to FLOAT.
const DOUBLE_BITS_MAX: u64 = 53;
/// Most characters of a CAST to CHAR, of four bytes each.
const CHARACTERS_MAX: u64 = 1_073_741_823;

impl Printer<'_> {
    /// A call by its name.
    pub(super) fn call(&mut self, call: &Function) -> Result<String, SqlError> {
        let written = call.name.to_string().replace('`', "");
        let name = written.to_ascii_lowercase();
        if call.over.is_some() {
            return Err(SqlError::window_invalid_window_func_use(&name));
        }
        if name == "any_value" {
            return Err(not_kept("any_value"));
        }
        if name == "name_const" && !self.is_accepted {
            return Err(self.disallowed(None));
        }
        if functions::aggregate(&name).is_some() || name == "grouping" {
            return Err(SqlError::invalid_group_func_use());
        }
        let arguments = match &call.args {
            FunctionArguments::None => Vec::new(),
            FunctionArguments::Subquery(_) => return Err(self.disallowed(None)),
            FunctionArguments::List(list) => {
                let mut arguments = Vec::with_capacity(list.args.len());
                for argument in &list.args {
                    match argument {
                        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => arguments.push(expr),
                        _ => return Err(SqlError::syntax_error()),
                    }
                }
                arguments
            }
        };
        if !self.is_accepted && !fits_grammar(&name, arguments.len()) {
            return Err(SqlError::parse(&written, 1));
        }
        self.check_function(&name)?;
        if let Some(text) = self.renamed_call(&name, &arguments)? {
            return Ok(text);
        }
        if !is_known(&name) && functions::is_spatial(&name) {
            return Err(not_kept(&name));
        }
        if !is_known(&name) {
            let shown = written
                .split('.')
                .map(|part| format!("`{part}`"))
                .collect::<Vec<_>>()
                .join(".");
            return Err(self.disallowed(Some(&shown)));
        }
        let printed: Result<Vec<String>, SqlError> = arguments
            .into_iter()
            .map(|argument| self.print(argument))
            .collect();
        self.plain_call(&name, printed?)
    }

    /// `name(arguments)` under MySQL's own name.
    pub(super) fn plain_call(
        &mut self,
        name: &str,
        arguments: Vec<String>,
    ) -> Result<String, SqlError> {
        self.check_function(name)?;
        self.note_call(name);
        let shown = match name {
            "current_timestamp" | "localtime" | "localtimestamp" => "now",
            "current_date" => "curdate",
            "current_time" => "curtime",
            "lcase" => "lower",
            "ucase" => "upper",
            "character_length" => "char_length",
            "substring" | "mid" => "substr",
            "ceil" => "ceiling",
            "power" => "pow",
            "schema" => "database",
            "day" => "dayofmonth",
            "atan2" => "atan",
            other => other,
        };
        Ok(format!("{shown}({})", arguments.join(",")))
    }

    /// Calls that MySQL shows in another form.
    fn renamed_call(
        &mut self,
        name: &str,
        arguments: &[&Expr],
    ) -> Result<Option<String>, SqlError> {
        Ok(Some(match (name, arguments) {
            ("date_add" | "adddate", [date, Expr::Interval(interval)]) => {
                format!("({} + {})", self.print(date)?, self.interval(interval)?)
            }
            ("date_sub" | "subdate", [date, Expr::Interval(interval)]) => {
                format!("({} - {})", self.print(date)?, self.interval(interval)?)
            }
            ("adddate", [date, days]) => {
                format!(
                    "({} + interval {} day)",
                    self.print(date)?,
                    self.print(days)?
                )
            }
            ("subdate", [date, days]) => {
                format!(
                    "({} - interval {} day)",
                    self.print(date)?,
                    self.print(days)?
                )
            }
            ("datediff", [from, to]) => {
                format!(
                    "(to_days({}) - to_days({}))",
                    self.print(from)?,
                    self.print(to)?
                )
            }
            ("date", [only]) => format!("cast({} as date)", self.print(only)?),
            ("time", [only]) => format!("cast({} as time)", self.print(only)?),
            ("timestamp", [only]) => format!("cast({} as datetime)", self.print(only)?),
            ("isnull", [only]) => format!("({} is null)", self.print(only)?),
            ("mod", [left, right]) => format!("({} % {})", self.print(left)?, self.print(right)?),
            ("timestampdiff" | "timestampadd", [Expr::Identifier(unit), first, second]) => {
                let unit = unit.value.to_ascii_uppercase();
                format!(
                    "{name}({unit},{},{})",
                    self.print(first)?,
                    self.print(second)?
                )
            }
            ("date_add" | "date_sub", _) => return Err(SqlError::parse(name, 1)),
            ("default" | "row", _) => return Err(not_kept(name)),
            _ => return Ok(None),
        }))
    }

    /// `interval 1 day`.
    pub(super) fn interval(&mut self, interval: &Interval) -> Result<String, SqlError> {
        let Some(unit) = &interval.leading_field else {
            return Err(SqlError::syntax_error());
        };
        let value = self.print(&interval.value)?;
        Ok(format!(
            "interval {value} {}",
            unit.to_string().to_lowercase()
        ))
    }

    /// What is neither operator nor plain call.
    pub(super) fn special(&mut self, expr: &Expr) -> Result<String, SqlError> {
        match expr {
            Expr::Case {
                operand,
                conditions,
                else_result,
                ..
            } => {
                let mut text = "(case".to_owned();
                if let Some(operand) = operand {
                    text.push_str(&format!(" {}", self.print(operand)?));
                }
                for branch in conditions {
                    let when = self.print(&branch.condition)?;
                    let then = self.print(&branch.result)?;
                    text.push_str(&format!(" when {when} then {then}"));
                }
                if let Some(otherwise) = else_result {
                    text.push_str(&format!(" else {}", self.print(otherwise)?));
                }
                Ok(format!("{text} end)"))
            }
            Expr::Like {
                negated,
                expr,
                pattern,
                escape_char,
                any: false,
            } => {
                let mut text = format!("({} like {}", self.print(expr)?, self.print(pattern)?);
                if let Some(escape) = escape_char {
                    text.push_str(&format!(" escape {}", self.print(escape)?));
                }
                text.push(')');
                Ok(negated_if(text, *negated))
            }
            Expr::RLike {
                negated,
                expr,
                pattern,
                ..
            } => {
                let text = format!(
                    "regexp_like({},{})",
                    self.print(expr)?,
                    self.print(pattern)?
                );
                Ok(negated_if(text, *negated))
            }
            Expr::Collate { expr, collation } => {
                Ok(format!("({} collate {collation})", self.print(expr)?))
            }
            other => self.cast(other),
        }
    }

    fn cast(&mut self, expr: &Expr) -> Result<String, SqlError> {
        match expr {
            Expr::Cast {
                kind: CastKind::Cast,
                expr,
                data_type,
                format: None,
            } => Ok(format!(
                "cast({} as {})",
                self.print(expr)?,
                cast_type(data_type)?
            )),
            Expr::Convert {
                is_try: false,
                expr,
                data_type,
                charset,
                ..
            } => {
                let value = self.print(expr)?;
                match (data_type, charset) {
                    (Some(data_type), _) => {
                        let kind = cast_type(data_type)?;
                        Ok(format!("cast({value} as {kind})"))
                    }
                    (None, Some(charset)) => Ok(format!("convert({value} using {charset})")),
                    (None, None) => Err(SqlError::syntax_error()),
                }
            }
            Expr::TypedString(typed) => match &typed.value.value {
                Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => {
                    let kind = match typed.data_type {
                        DataType::Date => "DATE",
                        DataType::Time(..) => "TIME",
                        DataType::Timestamp(..) => "TIMESTAMP",
                        _ => return Err(not_kept("this typed literal")),
                    };
                    check_temporal_literal(kind, text, &self.dates)?;
                    Ok(format!("{kind}{}", string(text)))
                }
                _ => Err(SqlError::syntax_error()),
            },
            Expr::Prefixed { prefix, value } => match value.as_ref() {
                Expr::Value(value) => match &value.value {
                    Value::SingleQuotedString(text) | Value::DoubleQuotedString(text)
                        if self.is_accepted
                            || text.is_ascii()
                            || prefix.value.to_lowercase().starts_with("_utf8") =>
                    {
                        let prefix = prefix.value.to_lowercase();
                        let text = match self.client {
                            Some(client) => &characters(client, &prefix, text)?,
                            None => text,
                        };
                        Ok(format!("{prefix}{}", string(text)))
                    }
                    _ => Err(not_kept("this string with a character set")),
                },
                _ => Err(not_kept("this string with a character set")),
            },
            other => self.keyword_call(other),
        }
    }

    fn keyword_call(&mut self, expr: &Expr) -> Result<String, SqlError> {
        match expr {
            Expr::Substring {
                expr,
                substring_from,
                substring_for,
                ..
            } => {
                if substring_from.is_none() {
                    return Err(SqlError::parse("substr", 1));
                }
                let mut arguments = vec![self.print(expr)?];
                for part in [substring_from, substring_for].into_iter().flatten() {
                    arguments.push(self.print(part)?);
                }
                Ok(format!("substr({})", arguments.join(",")))
            }
            Expr::Trim {
                trim_where,
                trim_what,
                expr,
                trim_characters: None,
            } => {
                let value = self.print(expr)?;
                let side = match trim_where {
                    None => "",
                    Some(TrimWhereField::Both) => "both ",
                    Some(TrimWhereField::Leading) => "leading ",
                    Some(TrimWhereField::Trailing) => "trailing ",
                };
                match trim_what {
                    Some(what) => Ok(format!("trim({side}{} from {value})", self.print(what)?)),
                    None => Ok(format!("trim({value})")),
                }
            }
            Expr::Position { expr, r#in } => {
                let (what, text) = (self.print(expr)?, self.print(r#in)?);
                Ok(format!("locate({what},{text})"))
            }
            Expr::Extract { field, expr, .. } => {
                let field = field.to_string().to_lowercase();
                Ok(format!("extract({field} from {})", self.print(expr)?))
            }
            Expr::Ceil {
                expr,
                field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime),
            } => Ok(format!("ceiling({})", self.print(expr)?)),
            Expr::Floor {
                expr,
                field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime),
            } => Ok(format!("floor({})", self.print(expr)?)),
            Expr::Tuple(_) => Err(not_kept("a row of values")),
            _ => Err(not_kept("this form of expression")),
        }
    }
}

fn negated_if(text: String, negated: bool) -> String {
    match negated {
        true => format!("(not({text}))"),
        false => text,
    }
}

/// Whether the binder knows a function of this name.
fn is_known(name: &str) -> bool {
    const BY_FORM: [&str; 36] = [
        "if",
        "ifnull",
        "coalesce",
        "nullif",
        "isnull",
        "now",
        "current_timestamp",
        "localtime",
        "localtimestamp",
        "sysdate",
        "utc_timestamp",
        "curdate",
        "current_date",
        "utc_date",
        "curtime",
        "current_time",
        "utc_time",
        "unix_timestamp",
        "database",
        "schema",
        "user",
        "session_user",
        "system_user",
        "current_user",
        "connection_id",
        "date_add",
        "adddate",
        "date_sub",
        "subdate",
        "timestampdiff",
        "timestampadd",
        "binary",
        "uuid",
        "uuid_short",
        "rand",
        "random_bytes",
    ];
    BY_FORM.contains(&name)
        || functions::find(name).is_some()
        || functions::is_reserved_for_later(name)
}

/// The digits behind the second of a CAST's type, in parentheses. Error 1426.
fn fraction(digits: Option<u64>) -> Result<String, SqlError> {
    match digits {
        None | Some(0) => Ok(String::new()),
        Some(digits @ 1..=6) => Ok(format!("({digits})")),
        Some(digits) => Err(too_precise(digits, 6)),
    }
}

fn too_precise(digits: u64, most: u32) -> SqlError {
    let digits = u32::try_from(digits).unwrap_or(u32::MAX);
    SqlError::too_big_precision(digits, "CAST", most)
}

/// What a CAST to FLOAT is shown as. Error 1426.
fn float_type(info: &ExactNumberInfo) -> Result<&'static str, SqlError> {
    match info {
        ExactNumberInfo::Precision(bits) if *bits > DOUBLE_BITS_MAX => Err(too_precise(*bits, 53)),
        ExactNumberInfo::Precision(bits) if *bits > FLOAT_BITS_MAX => Ok("double"),
        ExactNumberInfo::Precision(_)
        | ExactNumberInfo::PrecisionAndScale(..)
        | ExactNumberInfo::None => Ok("float"),
    }
}

/// The length of a CAST to bytes, or to characters, of which there are at most `most`. Errors 1439
/// and 1690.
fn cast_length(length: u64, most: u64) -> Result<u64, SqlError> {
    if u32::try_from(length).is_err() {
        return Err(SqlError::too_big_display_width("cast as char", u32::MAX));
    }
    if length > most {
        let text = "char(n) value is out of range in 'cast_as_char'";
        return Err(SqlError::new(1690, "22003", text));
    }
    Ok(length)
}

/// The type of a CAST as MySQL shows it.
fn cast_type(data_type: &DataType) -> Result<String, SqlError> {
    Ok(match data_type {
        DataType::Signed
        | DataType::SignedInteger
        | DataType::BigInt(None)
        | DataType::Int(None)
        | DataType::Integer(None) => "signed".to_owned(),
        DataType::Unsigned
        | DataType::UnsignedInteger
        | DataType::BigIntUnsigned(None)
        | DataType::IntUnsigned(None) => "unsigned".to_owned(),
        DataType::Decimal(info) | DataType::Dec(info) | DataType::Numeric(info) => match info {
            ExactNumberInfo::None => "decimal(10,0)".to_owned(),
            ExactNumberInfo::Precision(precision) => format!("decimal({precision},0)"),
            ExactNumberInfo::PrecisionAndScale(precision, scale) => {
                format!("decimal({precision},{scale})")
            }
        },
        DataType::Double(_) | DataType::DoublePrecision | DataType::Real => "double".to_owned(),
        DataType::Float(info) => float_type(info)?.to_owned(),
        DataType::Date => "date".to_owned(),
        DataType::Datetime(fsp) => format!("datetime{}", fraction(*fsp)?),
        DataType::Time(fsp, TimezoneInfo::None) => format!("time{}", fraction(*fsp)?),
        DataType::JSON => "json".to_owned(),
        DataType::Binary(length) => match length {
            Some(length) => format!("binary({})", cast_length(*length, u64::MAX)?),
            None => "binary".to_owned(),
        },
        DataType::Char(length) | DataType::Character(length) => match length {
            Some(CharacterLength::IntegerLength { length, .. }) => {
                format!("char({})", cast_length(*length, CHARACTERS_MAX)?)
            }
            Some(CharacterLength::Max) | None => "char".to_owned(),
        },
        other => return Err(not_kept(&format!("CAST AS {other}"))),
    })
}
