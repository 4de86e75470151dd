//! Partitions as written in CREATE TABLE and ALTER TABLE.

use super::{Expression, TableName};

/// PARTITION BY.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionBy {
    /// How rows are told apart.
    pub method: PartitionMethod,
    /// PARTITIONS n.
    pub count: Option<u64>,
    /// SUBPARTITION BY.
    pub subpartitions: Option<SubpartitionBy>,
    /// The partitions that are written out.
    pub definitions: Vec<PartitionDefinition>,
}

/// SUBPARTITION BY.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubpartitionBy {
    /// HASH or KEY.
    pub method: PartitionMethod,
    /// SUBPARTITIONS n.
    pub count: Option<u64>,
}

/// How rows are told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartitionMethod {
    /// RANGE (expression).
    Range(Expression),
    /// RANGE COLUMNS (...).
    RangeColumns(Vec<String>),
    /// LIST (expression).
    List(Expression),
    /// LIST COLUMNS (...).
    ListColumns(Vec<String>),
    /// \[LINEAR\] HASH (expression).
    Hash {
        /// LINEAR.
        linear: bool,
        /// The expression.
        expression: Expression,
    },
    /// \[LINEAR\] KEY \[ALGORITHM = n\] (...).
    Key {
        /// LINEAR.
        linear: bool,
        /// ALGORITHM.
        algorithm: Option<u64>,
        /// The columns; none for the primary key.
        columns: Vec<String>,
    },
}

/// One partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionDefinition {
    /// Name.
    pub name: String,
    /// VALUES.
    pub values: Option<PartitionValues>,
    /// What else is said of it.
    pub options: PartitionOptions,
    /// Its subpartitions, where they are written out.
    pub subpartitions: Vec<(String, PartitionOptions)>,
}

/// Which rows are in a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartitionValues {
    /// VALUES LESS THAN: a value for each column.
    LessThan(Vec<PartitionValue>),
    /// VALUES IN: lists of a value for each column.
    In(Vec<Vec<PartitionValue>>),
}

/// A value of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "short-lived")]
pub enum PartitionValue {
    /// MAXVALUE.
    Maximum,
    /// An expression of constants.
    Expression(Expression),
}

/// Options of a partition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PartitionOptions {
    /// TABLESPACE.
    pub tablespace: Option<String>,
    /// NODEGROUP.
    pub nodegroup: Option<u64>,
    /// MAX_ROWS.
    pub max_rows: Option<u64>,
    /// MIN_ROWS.
    pub min_rows: Option<u64>,
    /// DATA DIRECTORY.
    pub data_directory: Option<String>,
    /// INDEX DIRECTORY.
    pub index_directory: Option<String>,
    /// COMMENT.
    pub comment: Option<String>,
}

/// A clause of ALTER TABLE about partitions. It stands alone, or behind those about other things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartitionClause {
    /// PARTITION BY.
    By(Box<PartitionBy>),
    /// REMOVE PARTITIONING.
    Remove,
    /// ADD PARTITION with definitions.
    Add(Vec<PartitionDefinition>),
    /// ADD PARTITION PARTITIONS n.
    AddCount(u64),
    /// DROP PARTITION.
    Drop(Vec<String>),
    /// TRUNCATE PARTITION; none for ALL.
    Truncate(Option<Vec<String>>),
    /// COALESCE PARTITION n.
    Coalesce(u64),
    /// REORGANIZE PARTITION.
    Reorganize {
        /// Which go; none for all.
        names: Vec<String>,
        /// What comes in their place.
        into: Vec<PartitionDefinition>,
    },
    /// EXCHANGE PARTITION.
    Exchange {
        /// The partition.
        partition: String,
        /// The table.
        table: TableName,
    },
    /// REBUILD, ANALYZE, CHECK, OPTIMIZE and REPAIR PARTITION: rows and definition stay.
    Maintain,
}
