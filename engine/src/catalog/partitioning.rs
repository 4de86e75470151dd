//! Partitions as they were declared. Rows are not laid out by them.

use serde::{Deserialize, Serialize};

use super::ColumnId;

/// PARTITION BY.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partitioning {
    /// How rows are told apart.
    pub method: PartitionMethod,
    /// SUBPARTITION BY.
    pub subpartitions: Option<Subpartitioning>,
    /// Whether SHOW CREATE TABLE lists the partitions.
    pub is_listed: bool,
    /// Whether it says how many there are where it does not.
    pub is_counted: bool,
    /// The partitions, in order.
    pub partitions: Vec<Partition>,
}

/// SUBPARTITION BY.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subpartitioning {
    /// HASH or KEY.
    pub method: PartitionMethod,
    /// How many each partition has.
    pub count: u64,
    /// Whether SHOW CREATE TABLE says how many, where they are not listed.
    pub is_counted: bool,
}

/// How rows are told apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PartitionMethod {
    /// RANGE of an expression, as MySQL shows it.
    Range(String),
    /// RANGE COLUMNS.
    RangeColumns(Vec<ColumnId>),
    /// LIST of an expression.
    List(String),
    /// LIST COLUMNS.
    ListColumns(Vec<ColumnId>),
    /// HASH of an expression.
    Hash {
        /// LINEAR.
        linear: bool,
        /// The expression.
        expression: String,
    },
    /// KEY.
    Key {
        /// LINEAR.
        linear: bool,
        /// ALGORITHM, where it is not the later one.
        algorithm: Option<u64>,
        /// The columns; none for the primary key.
        columns: Vec<ColumnId>,
    },
}

/// One partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// Its name; letter case does not matter.
    pub name: String,
    /// Which rows are in it; none for HASH and KEY.
    pub values: Option<PartitionValues>,
    /// What else SHOW CREATE TABLE says of it.
    pub options: Vec<String>,
    /// Its COMMENT.
    pub comment: String,
    /// Its subpartitions by name with what is said of each, where they were written out.
    pub subpartitions: Vec<(String, Vec<String>)>,
}

/// Which rows are in a partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PartitionValues {
    /// VALUES LESS THAN.
    LessThan(Vec<PartitionValue>),
    /// VALUES IN.
    In(Vec<Vec<PartitionValue>>),
}

/// A value of a partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PartitionValue {
    /// MAXVALUE.
    Maximum,
    /// NULL.
    Null,
    /// A number, as it is shown.
    Number(String),
    /// A string or a time, as it was written.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Partitioning {
    /// Where the partition of this name is. Letter case does not matter.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        let mut known = self.partitions.iter();
        known.position(|known| known.name.to_lowercase() == name.to_lowercase())
    }
}
