//! Tables as written in CREATE TABLE, ALTER TABLE and CREATE INDEX.

use super::{
    CharsetSpec, Expression, ForeignKey, PartitionBy, PartitionClause, RowTime, TableName, TextForm,
};
use crate::error::SqlError;
use sqlparser::ast as sp;

/// CREATE TABLE.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateTable {
    /// CREATE TEMPORARY TABLE.
    pub temporary: bool,
    /// OR REPLACE, which MariaDB has: a table of the name goes first.
    pub or_replace: bool,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
    /// Name.
    pub name: TableName,
    /// Where the definition comes from.
    pub source: CreateTableSource,
}

/// The three forms of CREATE TABLE.
#[derive(Debug, Clone, PartialEq)]
pub enum CreateTableSource {
    /// `(columns, keys ...) options [AS SELECT ...]`.
    Definition {
        /// Columns, keys and constraints in the order written.
        elements: Vec<TableElement>,
        /// Table options.
        options: TableOptions,
        /// CREATE TABLE ... SELECT.
        select: Option<Box<sp::Query>>,
    },
    /// `LIKE other`.
    Like(TableName),
}

/// One entry of the parenthesised list.
#[derive(Debug, Clone, PartialEq)]
#[allow(
    clippy::large_enum_variant,
    reason = "columns are by far the most frequent element"
)]
pub enum TableElement {
    /// A column.
    Column(ColumnDefinition),
    /// PRIMARY KEY, UNIQUE, KEY, FULLTEXT, SPATIAL.
    Index(IndexDefinition),
    /// FOREIGN KEY.
    ForeignKey(ForeignKey),
    /// CHECK.
    Check(Check),
}

/// A column with everything written behind its name.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnDefinition {
    /// Name as written.
    pub name: String,
    /// Type.
    pub data_type: DataType,
    /// Attributes.
    pub attributes: ColumnAttributes,
}

/// A member of ENUM or SET as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Member {
    /// A string.
    Text(String),
    /// The bytes of a literal of hexadecimal digits or bits, in the column's character set.
    Bytes(Vec<u8>),
}

/// A column type as written; lengths and scales are None where left out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "the variants and fields are MySQL's own type names and arguments"
)]
pub enum DataType {
    TinyInt {
        width: Option<u32>,
        unsigned: bool,
        zerofill: bool,
    },
    SmallInt {
        width: Option<u32>,
        unsigned: bool,
        zerofill: bool,
    },
    MediumInt {
        width: Option<u32>,
        unsigned: bool,
        zerofill: bool,
    },
    Int {
        width: Option<u32>,
        unsigned: bool,
        zerofill: bool,
    },
    BigInt {
        width: Option<u32>,
        unsigned: bool,
        zerofill: bool,
    },
    /// BOOL, BOOLEAN: TINYINT(1).
    Bool,
    /// SERIAL: BIGINT UNSIGNED NOT NULL AUTO_INCREMENT UNIQUE.
    Serial,
    Decimal {
        precision: Option<u32>,
        scale: Option<u32>,
        unsigned: bool,
        zerofill: bool,
    },
    /// FLOAT; `precision` alone is FLOAT(p), with `scale` FLOAT(m,d).
    Float {
        precision: Option<u32>,
        scale: Option<u32>,
        unsigned: bool,
        zerofill: bool,
    },
    /// DOUBLE, DOUBLE PRECISION, REAL.
    Double {
        precision: Option<u32>,
        scale: Option<u32>,
        unsigned: bool,
        zerofill: bool,
    },
    Bit {
        width: Option<u32>,
    },
    Date,
    Time {
        fsp: Option<u32>,
    },
    DateTime {
        fsp: Option<u32>,
    },
    Timestamp {
        fsp: Option<u32>,
    },
    Year {
        width: Option<u32>,
    },
    Char {
        length: Option<u32>,
        charset: CharsetSpec,
    },
    VarChar {
        length: u32,
        charset: CharsetSpec,
    },
    Binary {
        length: Option<u32>,
    },
    VarBinary {
        length: u32,
    },
    Text {
        size: TextType,
        length: Option<u32>,
        charset: CharsetSpec,
    },
    Blob {
        size: TextType,
        length: Option<u32>,
    },
    Enum {
        members: Vec<Member>,
        charset: CharsetSpec,
    },
    Set {
        members: Vec<Member>,
        charset: CharsetSpec,
    },
    Json,
    /// VECTOR(n).
    Vector {
        length: Option<u32>,
    },
    /// GEOMETRY, POINT ... ; the name is upper-cased.
    Geometry {
        name: String,
    },
    /// A type of MariaDB whose values are bytes that it shows as text.
    Shown(TextForm),
}

/// Size class of TEXT and BLOB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextType {
    /// TINYTEXT, TINYBLOB.
    Tiny,
    /// TEXT, BLOB.
    Normal,
    /// MEDIUMTEXT, MEDIUMBLOB, LONG VARCHAR.
    Medium,
    /// LONGTEXT, LONGBLOB.
    Long,
}

/// What may follow a column's type.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ColumnAttributes {
    /// `Some(true)` NULL, `Some(false)` NOT NULL, None when not written.
    pub nullable: Option<bool>,
    /// DEFAULT.
    pub default: Option<DefaultValue>,
    /// ON UPDATE CURRENT_TIMESTAMP(n).
    pub on_update: Option<u32>,
    /// AUTO_INCREMENT.
    pub auto_increment: bool,
    /// NULL was written behind AUTO_INCREMENT, which else forbids it.
    pub null_behind_auto_increment: bool,
    /// UNIQUE \[KEY\].
    pub unique: bool,
    /// \[PRIMARY\] KEY.
    pub primary_key: bool,
    /// COMMENT.
    pub comment: Option<String>,
    /// COLLATE written among the attributes.
    pub collation: Option<String>,
    /// COLLATE written again, which is an error: of the collation if it is not known, else this one.
    pub repeated_collation: Option<(String, SqlError)>,
    /// GENERATED ALWAYS AS (...).
    pub generated: Option<Generated>,
    /// `Some(true)` INVISIBLE, `Some(false)` VISIBLE.
    pub invisible: Option<bool>,
    /// WITH SYSTEM VERSIONING: with it the table is one that keeps what rows were.
    pub system_versioning: bool,
    /// GENERATED ALWAYS AS ROW START or END: since when, or until when, the row is as it is.
    pub row_time: Option<RowTime>,
    /// Column-level CHECK constraints.
    pub checks: Vec<Check>,
    /// REFERENCES, enforced since 9.0.
    pub references: Option<ForeignKey>,
    /// SRID n.
    pub srid: Option<u64>,
    /// COLUMN_FORMAT, STORAGE, ENGINE_ATTRIBUTE and the like: accepted, name and value.
    pub others: Vec<(String, String)>,
}

/// A column default.
#[derive(Debug, Clone, PartialEq)]
#[allow(
    clippy::large_enum_variant,
    reason = "few, short-lived, one per clause"
)]
pub enum DefaultValue {
    /// NULL.
    Null,
    /// A number as written, sign included (`-1`, `1.50`, `1e3`).
    Number(String),
    /// A string.
    String(Vec<u8>),
    /// x'..' or 0x..: the bytes.
    Hex(Vec<u8>),
    /// b'..' or 0b..: the digits.
    Bit(String),
    /// TRUE or FALSE.
    Bool(bool),
    /// DATE'..', TIME'..', TIMESTAMP'..': the word and the text.
    Temporal(&'static str, String),
    /// CURRENT_TIMESTAMP(n), NOW(n), LOCALTIME ...
    CurrentTimestamp(u32),
    /// (expr).
    Expression(Expression),
    /// The next number of a sequence of MariaDB, which only it can draw.
    OfSequence,
}

/// GENERATED ALWAYS AS (expr) \[VIRTUAL | STORED\].
#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    /// The expression.
    pub expression: Expression,
    /// STORED.
    pub stored: bool,
}

/// CHECK (expr).
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// CONSTRAINT name.
    pub name: Option<String>,
    /// The condition.
    pub expression: Expression,
    /// False for NOT ENFORCED.
    pub enforced: bool,
}

/// Kinds of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexKind {
    /// PRIMARY KEY.
    Primary,
    /// UNIQUE.
    Unique,
    /// KEY, INDEX.
    Plain,
    /// FULLTEXT.
    FullText,
    /// SPATIAL.
    Spatial,
}

/// A key as an element of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexDefinition {
    /// Kind.
    pub kind: IndexKind,
    /// Name of the key, or of its constraint if only that was written.
    pub name: Option<String>,
    /// Key parts in order.
    pub parts: Vec<KeyPart>,
    /// Options.
    pub options: IndexOptions,
}

/// One part of a key.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyPart {
    /// Column or expression.
    pub target: KeyPartTarget,
    /// DESC.
    pub descending: bool,
    /// ASC or DESC was written.
    pub is_ordered: bool,
}

/// What a key part indexes.
#[derive(Debug, Clone, PartialEq)]
#[allow(
    clippy::large_enum_variant,
    reason = "few, short-lived, one per clause"
)]
pub enum KeyPartTarget {
    /// Column, with a prefix length in characters or bytes.
    Column {
        /// Name.
        name: String,
        /// Prefix length.
        prefix: Option<u32>,
    },
    /// Functional part.
    Expression(Expression),
    /// `(CAST(expression AS type ARRAY))`: a part for each element of a JSON array.
    Array {
        /// What is cast.
        of: Expression,
        /// The type of the elements, in small letters: `char(10)`.
        element: String,
    },
}

/// Options of a key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IndexOptions {
    /// USING BTREE | HASH, upper-cased.
    pub using: Option<String>,
    /// COMMENT.
    pub comment: Option<String>,
    /// INVISIBLE.
    pub invisible: bool,
    /// KEY_BLOCK_SIZE.
    pub key_block_size: Option<u64>,
    /// WITH PARSER.
    pub parser: Option<String>,
    /// ENGINE_ATTRIBUTE.
    pub engine_attribute: Option<String>,
}

/// Options behind the parenthesis.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableOptions {
    /// ENGINE, as written; the last one counts.
    pub engine: Option<String>,
    /// Engines written before the one that counts, which must be known too.
    pub earlier_engines: Vec<String>,
    /// AUTO_INCREMENT.
    pub auto_increment: Option<u64>,
    /// \[DEFAULT\] CHARACTER SET, \[DEFAULT\] COLLATE.
    pub charset: CharsetSpec,
    /// COMMENT.
    pub comment: Option<String>,
    /// ROW_FORMAT, upper-cased.
    pub row_format: Option<String>,
    /// Everything else (KEY_BLOCK_SIZE, STATS_PERSISTENT, MAX_ROWS ...): upper-cased name, value.
    pub others: Vec<(String, String)>,
    /// PARTITION BY.
    pub partition: Option<Box<PartitionBy>>,
    /// WITH SYSTEM VERSIONING: MariaDB keeps what rows were before.
    pub system_versioning: bool,
}

/// CREATE \[UNIQUE | FULLTEXT | SPATIAL\] INDEX.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateIndex {
    /// OR REPLACE, which MariaDB has: an index of the name goes first.
    pub or_replace: bool,
    /// IF NOT EXISTS, which MariaDB has.
    pub if_not_exists: bool,
    /// Table.
    pub table: TableName,
    /// The index; its name is always present.
    pub index: IndexDefinition,
    /// ALGORITHM= and LOCK=.
    pub how: Vec<AlterClause>,
}

/// ALTER TABLE.
#[derive(Debug, Clone, PartialEq)]
pub struct AlterTable {
    /// IF EXISTS, which MariaDB has.
    pub if_exists: bool,
    /// Table.
    pub table: TableName,
    /// Clauses in the order written.
    pub clauses: Vec<AlterClause>,
    /// ADD or DROP SYSTEM VERSIONING, which MariaDB has.
    pub system_versioning: Option<bool>,
    /// Of MariaDB's, the places of the clauses that say IF EXISTS or IF NOT EXISTS.
    pub conditional: Vec<usize>,
}

/// Where a column goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnPosition {
    /// FIRST.
    First,
    /// AFTER column.
    After(String),
}

/// A column by which ALTER TABLE ... ORDER BY lays the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowOrder {
    /// Its name.
    pub column: String,
    /// `DESC`.
    pub descending: bool,
}

/// One clause of ALTER TABLE.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "short-lived")]
pub enum AlterClause {
    /// ADD COLUMN; the parenthesised form gives several of these.
    AddColumn {
        /// The column.
        column: ColumnDefinition,
        /// FIRST, AFTER.
        position: Option<ColumnPosition>,
    },
    /// ADD INDEX, ADD PRIMARY KEY ...
    AddIndex(IndexDefinition),
    /// ADD FOREIGN KEY.
    AddForeignKey(ForeignKey),
    /// ADD CHECK.
    AddCheck(Check),
    /// DROP COLUMN.
    DropColumn(String),
    /// DROP INDEX, DROP KEY.
    DropIndex(String),
    /// DROP PRIMARY KEY.
    DropPrimaryKey,
    /// DROP FOREIGN KEY.
    DropForeignKey(String),
    /// DROP CHECK.
    DropCheck(String),
    /// DROP CONSTRAINT.
    DropConstraint(String),
    /// MODIFY COLUMN.
    Modify {
        /// New definition.
        column: ColumnDefinition,
        /// FIRST, AFTER.
        position: Option<ColumnPosition>,
    },
    /// CHANGE COLUMN.
    Change {
        /// Old name.
        old_name: String,
        /// New definition.
        column: ColumnDefinition,
        /// FIRST, AFTER.
        position: Option<ColumnPosition>,
    },
    /// ALTER COLUMN c SET DEFAULT v (None: DROP DEFAULT).
    AlterColumnDefault {
        /// Column.
        column: String,
        /// New default.
        default: Option<DefaultValue>,
    },
    /// ALTER COLUMN c SET VISIBLE | INVISIBLE.
    AlterColumnVisibility {
        /// Column.
        column: String,
        /// INVISIBLE.
        invisible: bool,
    },
    /// ALTER INDEX i VISIBLE | INVISIBLE.
    AlterIndexVisibility {
        /// Index.
        index: String,
        /// INVISIBLE.
        invisible: bool,
    },
    /// ALTER CHECK | CONSTRAINT c \[NOT\] ENFORCED.
    AlterCheck {
        /// Constraint.
        name: String,
        /// ENFORCED.
        enforced: bool,
    },
    /// RENAME COLUMN a TO b.
    RenameColumn {
        /// Old name.
        from: String,
        /// New name.
        to: String,
    },
    /// RENAME INDEX a TO b.
    RenameIndex {
        /// Old name.
        from: String,
        /// New name.
        to: String,
    },
    /// RENAME \[TO\] t.
    RenameTable(TableName),
    /// ENGINE=, COMMENT=, AUTO_INCREMENT=, \[DEFAULT\] CHARACTER SET= ...
    Options(TableOptions),
    /// CONVERT TO CHARACTER SET.
    ConvertToCharset(CharsetSpec),
    /// DISABLE KEYS, ENABLE KEYS: no effect.
    DisableKeys,
    /// ENABLE KEYS.
    EnableKeys,
    /// FORCE.
    Force,
    /// ORDER BY.
    OrderBy(Vec<RowOrder>),
    /// ALGORITHM=, as written.
    Algorithm(String),
    /// LOCK=, as written.
    Lock(String),
    /// Anything about partitions.
    Partitioning(PartitionClause),
    /// Anything else, by name (for instance `DISCARD TABLESPACE`).
    NotSupported(String),
}
