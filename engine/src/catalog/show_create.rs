//! SHOW CREATE TABLE and SHOW CREATE DATABASE, exactly as MySQL 8.4 and 9.7 print them.
//!
//! Tools parse this text. Source: mysql-server 8.4, sql/sql_show.cc, `store_create_info`.

use std::fmt::Write as _;

use super::{
    Check, Column, ColumnDefault, ColumnType, Database, ForeignKey, Key, KeyKind,
    ReferentialAction, Table,
};
use crate::collation::UTF8MB4_0900_AI_CI;

impl Table {
    /// The text of SHOW CREATE TABLE. `next_auto_increment` is the counter of the table, which is
    /// shown when it is above 1. `local` gives the text of a TIMESTAMP default in the session's zone.
    #[must_use]
    pub fn show_create(
        &self,
        next_auto_increment: u64,
        local: &dyn Fn(&Column, &str) -> String,
    ) -> String {
        let columns = self
            .columns
            .iter()
            .map(|column| self.column_line(column, local));
        let keys = self.keys.iter().map(|key| self.key_line(key));
        let lines: Vec<String> = columns.chain(keys).chain(self.constraint_lines()).collect();
        let mut text = format!(
            "CREATE TABLE {} (\n{}\n) ENGINE=InnoDB",
            quoted(&self.name),
            lines.join(",\n")
        );
        if self.auto_increment_column().is_some() && next_auto_increment > 1 {
            push(&mut text, &format!(" AUTO_INCREMENT={next_auto_increment}"));
        }
        push(
            &mut text,
            &format!(" DEFAULT CHARSET={}", self.collation.charset.name()),
        );
        if !self.collation.is_default || *self.collation == UTF8MB4_0900_AI_CI {
            push(&mut text, &format!(" COLLATE={}", self.collation));
        }
        for option in self
            .options
            .others
            .iter()
            .filter(|option| !option.starts_with("KEY_BLOCK_SIZE"))
        {
            push(&mut text, &format!(" {option}"));
        }
        if let Some(row_format) = &self.options.row_format {
            push(&mut text, &format!(" ROW_FORMAT={row_format}"));
        }
        for option in self
            .options
            .others
            .iter()
            .filter(|option| option.starts_with("KEY_BLOCK_SIZE"))
        {
            push(&mut text, &format!(" {option}"));
        }
        if !self.comment.is_empty() {
            push(&mut text, &format!(" COMMENT={}", literal(&self.comment)));
        }
        push(&mut text, &self.partition_text());
        text
    }

    fn column_line(&self, column: &Column, local: &dyn Fn(&Column, &str) -> String) -> String {
        let mut line = format!("  {} {}", quoted(&column.name), shown_type(column));
        self.push_collation(&mut line, column);
        if let Some(generated) = &column.generated {
            let kind = if generated.stored {
                "STORED"
            } else {
                "VIRTUAL"
            };
            push(
                &mut line,
                &format!(" GENERATED ALWAYS AS ({}) {kind}", generated.expression),
            );
        }
        if !column.nullable {
            push(&mut line, " NOT NULL");
        } else if matches!(column.column_type, ColumnType::Timestamp { .. }) {
            push(&mut line, " NULL");
        }
        if let ColumnType::Geometry {
            srid: Some(srid), ..
        } = column.column_type
        {
            push(&mut line, &format!(" /*!80003 SRID {srid} */"));
        }
        for option in &column.storage {
            push(&mut line, &format!(" /*!50606 {option} */"));
        }
        push_default(&mut line, column, local);
        if column.on_update_now {
            push(
                &mut line,
                &format!(" ON UPDATE CURRENT_TIMESTAMP{}", fsp_suffix(column)),
            );
        }
        if column.auto_increment {
            push(&mut line, " AUTO_INCREMENT");
        }
        if column.invisible {
            push(&mut line, " /*!80023 INVISIBLE */");
        }
        if !column.comment.is_empty() {
            push(&mut line, &format!(" COMMENT {}", literal(&column.comment)));
        }
        line
    }

    fn push_collation(&self, line: &mut String, column: &Column) {
        let collation = column.column_type.collation();
        let Some(collation) = collation.filter(|_| column.shown.is_none()) else {
            return;
        };
        let differs = collation != self.collation;
        if differs || column.has_explicit_collation {
            push(
                line,
                &format!(" CHARACTER SET {}", collation.charset.name()),
            );
        }
        let is_new_default = *collation == UTF8MB4_0900_AI_CI && differs;
        if column.has_explicit_collation || !collation.is_default || is_new_default {
            push(line, &format!(" COLLATE {collation}"));
        }
    }

    fn key_line(&self, key: &Key) -> String {
        let parts: Vec<String> = key
            .parts
            .iter()
            .map(|part| {
                let order = if part.descending { " DESC" } else { "" };
                if let Some(expression) = &part.expression {
                    return format!("({}){order}", expression.text);
                }
                let name = self
                    .column_by_id(part.column)
                    .map_or("", |(_, column)| column.name.as_str());
                let prefix = part
                    .prefix
                    .map(|length| format!("({length})"))
                    .unwrap_or_default();
                format!("{}{prefix}{order}", quoted(name))
            })
            .collect();
        let parts = parts.join(",");
        let mut line = match key.kind {
            KeyKind::Primary => format!("  PRIMARY KEY ({parts})"),
            KeyKind::Unique => format!("  UNIQUE KEY {} ({parts})", quoted(&key.name)),
            KeyKind::Index => format!("  KEY {} ({parts})", quoted(&key.name)),
            KeyKind::FullText => format!("  FULLTEXT KEY {} ({parts})", quoted(&key.name)),
            KeyKind::Spatial => format!("  SPATIAL KEY {} ({parts})", quoted(&key.name)),
        };
        if let Some(using) = &key.using {
            push(&mut line, &format!(" USING {using}"));
        }
        if !key.comment.is_empty() {
            push(&mut line, &format!(" COMMENT {}", literal(&key.comment)));
        }
        if let Some(parser) = &key.parser {
            push(
                &mut line,
                &format!(" /*!50100 WITH PARSER {} */ ", quoted(parser)),
            );
        }
        if key.invisible {
            push(&mut line, " /*!80000 INVISIBLE */");
        }
        line
    }
}

/// FOREIGN KEY and CHECK.
impl Table {
    fn constraint_lines(&self) -> impl Iterator<Item = String> {
        let foreign = self
            .foreign_keys
            .iter()
            .map(|key| self.foreign_key_line(key));
        foreign.chain(self.checks.iter().map(check_line))
    }

    fn foreign_key_line(&self, key: &ForeignKey) -> String {
        let columns = key.columns.iter().map(|id| {
            let column = self.column_by_id(*id);
            quoted(column.map_or("", |(_, column)| column.name.as_str()))
        });
        let columns: Vec<String> = columns.collect();
        let parents: Vec<String> = key.parent_columns.iter().map(|name| quoted(name)).collect();
        let database = match key.parent_database == self.database {
            true => String::new(),
            false => format!("{}.", quoted(&key.parent_database)),
        };
        let mut line = format!(
            "  CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {database}{} ({})",
            quoted(&key.name),
            columns.join(", "),
            quoted(&key.parent_table),
            parents.join(", ")
        );
        for (event, action) in [("DELETE", key.on_delete), ("UPDATE", key.on_update)] {
            if action != ReferentialAction::NoAction {
                push(&mut line, &format!(" ON {event} {}", action.words()));
            }
        }
        line
    }
}

fn check_line(check: &Check) -> String {
    let enforced = match check.enforced {
        true => "",
        false => " /*!80016 NOT ENFORCED */",
    };
    format!(
        "  CONSTRAINT {} CHECK ({}){enforced}",
        quoted(&check.name),
        check.condition
    )
}

impl Database {
    /// The text of SHOW CREATE DATABASE.
    #[must_use]
    pub fn show_create(&self, if_not_exists: bool) -> String {
        let condition = if if_not_exists {
            "/*!32312 IF NOT EXISTS*/ "
        } else {
            ""
        };
        let mut charset = self.collation.charset.name().to_owned();
        if !self.collation.is_default || *self.collation == UTF8MB4_0900_AI_CI {
            push(&mut charset, &format!(" COLLATE {}", self.collation));
        }
        format!(
            "CREATE DATABASE {condition}{} /*!40100 DEFAULT CHARACTER SET {charset} */ /*!80016 DEFAULT ENCRYPTION='N' */",
            quoted(&self.name)
        )
    }
}

/// The type as shown: characters that MySQL's names cannot have stand as question marks.
fn shown_type(column: &Column) -> String {
    column
        .declared_type()
        .chars()
        .map(|character| match u32::from(character) > 0xffff {
            true => '?',
            false => character,
        })
        .collect()
}

fn push_default(line: &mut String, column: &Column, local: &dyn Fn(&Column, &str) -> String) {
    match &column.default {
        ColumnDefault::None => {}
        ColumnDefault::Null
            if matches!(
                column.column_type,
                ColumnType::Text { .. } | ColumnType::Blob { .. }
            ) => {}
        ColumnDefault::Null if column.auto_increment => {}
        ColumnDefault::Null => push(line, " DEFAULT NULL"),
        ColumnDefault::CurrentTimestamp => {
            push(
                line,
                &format!(" DEFAULT CURRENT_TIMESTAMP{}", fsp_suffix(column)),
            );
        }
        ColumnDefault::Expression(text) => push(line, &format!(" DEFAULT ({text})")),
        ColumnDefault::Literal(text) => match column.column_type {
            ColumnType::Bit { .. } => {
                let bits = text.parse::<u64>().unwrap_or_default();
                push(line, &format!(" DEFAULT b'{bits:b}'"));
            }
            ColumnType::Binary { .. } | ColumnType::Varbinary { .. } => {
                let bytes: Vec<u8> = text
                    .chars()
                    .filter_map(|byte| u8::try_from(u32::from(byte)).ok())
                    .collect();
                push(line, &format!(" DEFAULT {}", shown_bytes(&bytes)));
            }
            ColumnType::Timestamp { .. } => {
                push(line, &format!(" DEFAULT {}", literal(&local(column, text))));
            }
            _ => push(line, &format!(" DEFAULT {}", shown_bytes(text.as_bytes()))),
        },
    }
}

/// Bytes as a string where they are one in MySQL's names, which end at U+FFFF, else in hexadecimal.
fn shown_bytes(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.chars().all(|character| u32::from(character) <= 0xffff) => literal(text),
        _ => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
            format!("0x{hex}")
        }
    }
}

fn fsp_suffix(column: &Column) -> String {
    match column.column_type.fsp() {
        0 => String::new(),
        fsp => format!("({fsp})"),
    }
}

/// An identifier in backquotes.
pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A string literal with MySQL's escapes.
pub(crate) fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    for character in text.chars() {
        match character {
            '\'' => out.push_str("''"),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\0' => out.push_str("\\0"),
            other => out.push(other),
        }
    }
    out.push('\'');
    out
}

fn push(text: &mut String, more: &str) {
    // Writing to a String cannot fail.
    let _ = text.write_str(more);
}
