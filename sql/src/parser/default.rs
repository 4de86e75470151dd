//! DEFAULT clauses.

use super::refuse;
use crate::ast::{ColumnAttributes, DefaultValue};
use crate::cursor::{Cursor, Failure, Parse};
use crate::error::SqlError;
use crate::lexer::Kind;
use crate::reserved::is_introducer;

impl Cursor<'_> {
    /// A default behind DEFAULT. The last one counts; error 1067 for an expression beside another that
    /// is not NULL.
    pub(super) fn default_attribute(
        &mut self,
        column: &str,
        found: &mut ColumnAttributes,
    ) -> Parse<()> {
        let value = self.default_value()?;
        let is_expression = |value: &DefaultValue| matches!(value, DefaultValue::Expression(_));
        match &found.default {
            Some(earlier) if is_expression(earlier) && value == DefaultValue::Null => {}
            Some(earlier)
                if is_expression(earlier) != is_expression(&value)
                    && *earlier != DefaultValue::Null
                    && !self.is_mariadb() =>
            {
                return Err(Failure::Sql(SqlError::invalid_default(column)));
            }
            Some(_) | None => found.default = Some(value),
        }
        Ok(())
    }

    /// What follows DEFAULT.
    pub(super) fn default_value(&mut self) -> Parse<DefaultValue> {
        if let Some(fsp) = self.current_timestamp()? {
            return Ok(DefaultValue::CurrentTimestamp(fsp));
        }
        self.settled_default()
    }

    /// A default that is no clock: what ALTER COLUMN ... SET DEFAULT takes.
    pub(super) fn settled_default(&mut self) -> Parse<DefaultValue> {
        if self.is_symbol("(") && self.mariadb_sequence_inside() {
            return Ok(DefaultValue::OfSequence);
        }
        if self.is_symbol("(") {
            return Ok(DefaultValue::Expression(self.parenthesised_expression()?));
        }
        if let Some(own) = self.mariadb_default()? {
            return Ok(own);
        }
        if let Some(word) = self.accept_any(&["NULL", "TRUE", "FALSE"]) {
            return Ok(match word {
                "NULL" => DefaultValue::Null,
                word => DefaultValue::Bool(word == "TRUE"),
            });
        }
        if let Some(kind) = self.accept_any(&["DATE", "TIME", "TIMESTAMP"]) {
            return Ok(DefaultValue::Temporal(kind, self.string()?));
        }
        if matches!(self.peek(), Kind::Word(word) if is_introducer(word)) {
            return self.introduced_default();
        }
        let (is_signed, sign) = match self.accept_symbol("-") {
            true => (true, "-"),
            false => (self.accept_symbol("+"), ""),
        };
        let value = match self.peek() {
            Kind::Integer(text) | Kind::Decimal(text) | Kind::Float(text) => {
                DefaultValue::Number(format!("{sign}{text}"))
            }
            _ if is_signed => return self.unexpected(),
            Kind::String(_) => return Ok(DefaultValue::String(self.bytes()?)),
            Kind::Hex(digits) => DefaultValue::Hex(hex_bytes(digits)),
            Kind::Bit(digits) => DefaultValue::Bit((*digits).to_owned()),
            Kind::Word(_)
            | Kind::Quoted(_)
            | Kind::Symbol(_)
            | Kind::UserVariable(_)
            | Kind::SystemVariable { .. }
            | Kind::Parameter(_)
            | Kind::Bad
            | Kind::End => return self.unexpected(),
        };
        self.advance();
        Ok(value)
    }

    /// `_latin1'x'`: bytes of that character set, which must be the text's own where they matter.
    fn introduced_default(&mut self) -> Parse<DefaultValue> {
        let Kind::Word(word) = self.peek() else {
            return self.unexpected();
        };
        let charset = word.to_ascii_lowercase();
        self.advance();
        let bytes = match self.peek() {
            Kind::String(_) => self.bytes()?,
            Kind::Hex(digits) => {
                let bytes = hex_bytes(digits);
                self.advance();
                bytes
            }
            _ => return self.unexpected(),
        };
        let is_same = matches!(charset.as_str(), "_utf8mb4" | "_utf8mb3" | "_utf8");
        match is_same || (bytes.is_ascii() && matches!(charset.as_str(), "_latin1" | "_ascii")) {
            true => Ok(DefaultValue::String(bytes)),
            false => refuse(&format!("a default of {charset} bytes")),
        }
    }

    /// CURRENT_TIMESTAMP and its synonyms, with the number of digits.
    pub(super) fn current_timestamp(&mut self) -> Parse<Option<u32>> {
        let synonyms = ["CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP"];
        // NOW is a function only with its parenthesis right behind.
        let is_now = self.is_word("NOW") && self.is_call("NOW");
        if !(is_now && self.accept("NOW")) && self.accept_any(&synonyms).is_none() {
            return Ok(None);
        }
        if !self.accept_symbol("(") {
            return Ok(Some(0));
        }
        let digits = if self.is_symbol(")") {
            0
        } else {
            self.small_integer()?
        };
        self.expect_symbol(")")?;
        Ok(Some(digits))
    }
}

pub(crate) fn hex_bytes(digits: &str) -> Vec<u8> {
    let digit = |byte: &u8| {
        char::from(*byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    digits
        .as_bytes()
        .chunks(2)
        .map(|pair| {
            pair.iter()
                .filter_map(digit)
                .fold(0, |value, digit| value << 4 | digit)
        })
        .collect()
}
