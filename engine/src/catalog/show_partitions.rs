//! The end of SHOW CREATE TABLE for a table with partitions.
//!
//! Source: mysql-server 9.7, sql/sql_partition.cc, `generate_partition_syntax`.

use super::keywords::is_keyword;
use super::show_create::{literal, quoted};
use super::{ColumnId, Partition, PartitionMethod, PartitionValue, PartitionValues, Table};

impl Table {
    /// `/*!50100 PARTITION BY ... */` on a line of its own; empty without partitions.
    pub(super) fn partition_text(&self) -> String {
        let Some(partitioning) = &self.partitioning else {
            return String::new();
        };
        let version = match partitioning.method {
            PartitionMethod::RangeColumns(_) | PartitionMethod::ListColumns(_) => "50500",
            PartitionMethod::Range(_)
            | PartitionMethod::List(_)
            | PartitionMethod::Hash { .. }
            | PartitionMethod::Key { .. } => "50100",
        };
        let method = self.method_text(&partitioning.method);
        let mut text = format!("\n/*!{version} PARTITION BY {method}");
        if !partitioning.is_listed && partitioning.is_counted {
            text.push_str(&format!("\nPARTITIONS {}", partitioning.partitions.len()));
        }
        if let Some(sub) = &partitioning.subpartitions {
            text.push_str(&format!(
                "\nSUBPARTITION BY {}",
                self.method_text(&sub.method)
            ));
            if sub.is_counted {
                text.push_str(&format!("\nSUBPARTITIONS {}", sub.count));
            }
        }
        if partitioning.is_listed {
            let lines: Vec<String> = partitioning.partitions.iter().map(line).collect();
            text.push_str(&format!("\n({})", lines.join(",\n ")));
        }
        text.push_str(" */");
        text
    }

    /// The method, with its columns or its expression.
    fn method_text(&self, method: &PartitionMethod) -> String {
        match method {
            PartitionMethod::Range(expression) => format!("RANGE ({expression})"),
            PartitionMethod::RangeColumns(ids) => {
                format!("RANGE  COLUMNS({})", self.names(ids))
            }
            PartitionMethod::List(expression) => format!("LIST ({expression})"),
            PartitionMethod::ListColumns(ids) => format!("LIST  COLUMNS({})", self.names(ids)),
            PartitionMethod::Hash { linear, expression } => {
                format!("{}HASH ({expression})", linear_word(*linear))
            }
            PartitionMethod::Key {
                linear,
                algorithm,
                columns,
            } => {
                let algorithm = algorithm.map_or_else(String::new, |number| {
                    format!("*/ /*!50611 ALGORITHM = {number} */ /*!50100 ")
                });
                let (linear, names) = (linear_word(*linear), self.names(columns));
                format!("{linear}KEY {algorithm}({names})")
            }
        }
    }

    fn names(&self, ids: &[ColumnId]) -> String {
        let name = |id: &ColumnId| {
            let column = self.column_by_id(*id);
            column.map_or_else(String::new, |(_, column)| shown(&column.name))
        };
        ids.iter().map(name).collect::<Vec<_>>().join(",")
    }
}

const fn linear_word(linear: bool) -> &'static str {
    if linear { "LINEAR " } else { "" }
}

/// A name in quotes where it needs them.
fn shown(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    let is_number = name.chars().all(|c| c.is_ascii_digit());
    match name.chars().all(is_plain) && !is_number && !is_keyword(name) {
        true => name.to_owned(),
        false => quoted(name),
    }
}

fn line(partition: &Partition) -> String {
    let mut text = format!("PARTITION {}", shown(&partition.name));
    match &partition.values {
        None => {}
        Some(PartitionValues::LessThan(bounds)) => match bounds.as_slice() {
            [PartitionValue::Maximum] => text.push_str(" VALUES LESS THAN MAXVALUE"),
            bounds => text.push_str(&format!(" VALUES LESS THAN ({})", list(bounds))),
        },
        Some(PartitionValues::In(lists)) => {
            let lists: Vec<String> = lists
                .iter()
                .map(|values| match values.as_slice() {
                    [_] => list(values),
                    values => format!("({})", list(values)),
                })
                .collect();
            text.push_str(&format!(" VALUES IN ({})", lists.join(",")));
        }
    }
    if partition.subpartitions.is_empty() {
        push_options(&mut text, &partition.options);
        return text;
    }
    let subpartitions: Vec<String> = partition
        .subpartitions
        .iter()
        .map(|(name, options)| {
            let mut text = format!("SUBPARTITION {}", shown(name));
            push_options(&mut text, options);
            text
        })
        .collect();
    text.push_str(&format!("\n ({})", subpartitions.join(",\n  ")));
    text
}

fn push_options(text: &mut String, options: &[String]) {
    for option in options {
        text.push(' ');
        text.push_str(option);
    }
    text.push_str(" ENGINE = InnoDB");
}

fn list(values: &[PartitionValue]) -> String {
    values.iter().map(value_text).collect::<Vec<_>>().join(",")
}

impl Partition {
    /// What information_schema shows of its values.
    #[must_use]
    pub fn description(&self) -> Option<String> {
        match self.values.as_ref()? {
            PartitionValues::LessThan(bounds) => Some(list(bounds)),
            PartitionValues::In(lists) => {
                let lists = lists.iter().map(|values| match values.as_slice() {
                    [_] => list(values),
                    values => format!("({})", list(values)),
                });
                Some(lists.collect::<Vec<_>>().join(","))
            }
        }
    }
}

/// A value as it is shown.
fn value_text(value: &PartitionValue) -> String {
    match value {
        PartitionValue::Maximum => "MAXVALUE".to_owned(),
        PartitionValue::Null => "NULL".to_owned(),
        PartitionValue::Number(text) => text.clone(),
        PartitionValue::Text(text) => literal(text),
        PartitionValue::Bytes(bytes) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
            format!("_binary 0x{hex}")
        }
    }
}
