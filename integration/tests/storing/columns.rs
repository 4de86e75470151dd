//! The columns that values are stored into, and how their rows are read back.

/// What kind of values a column is mostly given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Number,
    Year,
    Date,
    Time,
    Moment,
    Text,
    Bytes,
    Bits,
    Members,
    Json,
}

/// One column, alone in its table beside the number of the case.
pub(crate) struct Target {
    /// The type as CREATE TABLE takes it.
    pub(crate) sql: &'static str,
    pub(crate) class: Class,
}

const fn target(sql: &'static str, class: Class) -> Target {
    Target { sql, class }
}

/// Every column type, with the lengths and digits at which rules change.
pub(crate) const TARGETS: &[Target] = &[
    target("TINYINT", Class::Number),
    target("TINYINT UNSIGNED", Class::Number),
    target("SMALLINT", Class::Number),
    target("SMALLINT UNSIGNED", Class::Number),
    target("MEDIUMINT", Class::Number),
    target("MEDIUMINT UNSIGNED", Class::Number),
    target("INT", Class::Number),
    target("INT UNSIGNED", Class::Number),
    target("INT NOT NULL", Class::Number),
    target("BIGINT", Class::Number),
    target("BIGINT UNSIGNED", Class::Number),
    target("DECIMAL(5,2)", Class::Number),
    target("DECIMAL(10,0)", Class::Number),
    target("DECIMAL(18,6)", Class::Number),
    target("DECIMAL(20,6) NOT NULL", Class::Number),
    target("DECIMAL(65,30)", Class::Number),
    target("DECIMAL(8,3) UNSIGNED", Class::Number),
    target("DECIMAL(30,0)", Class::Number),
    target("DECIMAL(4,4)", Class::Number),
    target("DECIMAL(65,0)", Class::Number),
    target("FLOAT", Class::Number),
    target("FLOAT UNSIGNED", Class::Number),
    target("FLOAT(7,3)", Class::Number),
    target("DOUBLE", Class::Number),
    target("DOUBLE UNSIGNED", Class::Number),
    target("DOUBLE(10,2)", Class::Number),
    target("BIT(1)", Class::Bits),
    target("BIT(8)", Class::Bits),
    target("BIT(13)", Class::Bits),
    target("BIT(33)", Class::Bits),
    target("BIT(64)", Class::Bits),
    target("YEAR", Class::Year),
    target("YEAR NOT NULL", Class::Year),
    target("DATE", Class::Date),
    target("DATE NOT NULL", Class::Date),
    target("TIME", Class::Time),
    target("TIME(1)", Class::Time),
    target("TIME(2)", Class::Time),
    target("TIME(3)", Class::Time),
    target("TIME(4)", Class::Time),
    target("TIME(5)", Class::Time),
    target("TIME(6)", Class::Time),
    target("DATETIME", Class::Moment),
    target("DATETIME(1)", Class::Moment),
    target("DATETIME(2)", Class::Moment),
    target("DATETIME(3)", Class::Moment),
    target("DATETIME(4)", Class::Moment),
    target("DATETIME(5)", Class::Moment),
    target("DATETIME(6)", Class::Moment),
    target("DATETIME NOT NULL", Class::Moment),
    target("TIMESTAMP NULL", Class::Moment),
    target("TIMESTAMP(1) NULL", Class::Moment),
    target("TIMESTAMP(2) NULL", Class::Moment),
    target("TIMESTAMP(3) NULL", Class::Moment),
    target("TIMESTAMP(4) NULL", Class::Moment),
    target("TIMESTAMP(5) NULL", Class::Moment),
    target("TIMESTAMP(6) NULL", Class::Moment),
    target("TIMESTAMP NOT NULL", Class::Moment),
    target("CHAR(5)", Class::Text),
    target("CHAR(3) CHARACTER SET latin1", Class::Text),
    target("CHAR(20) CHARACTER SET ascii", Class::Text),
    target("VARCHAR(10)", Class::Text),
    target("VARCHAR(10) NOT NULL", Class::Text),
    target("VARCHAR(12) COLLATE utf8mb4_bin", Class::Text),
    target("VARCHAR(6) CHARACTER SET latin1", Class::Text),
    target("VARCHAR(20) CHARACTER SET ascii", Class::Text),
    target(
        "VARCHAR(8) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
        Class::Text,
    ),
    target("VARCHAR(100)", Class::Text),
    target("TINYTEXT", Class::Text),
    target("TINYTEXT CHARACTER SET latin1", Class::Text),
    target("TEXT", Class::Text),
    target("MEDIUMTEXT", Class::Text),
    target("LONGTEXT CHARACTER SET utf8mb3", Class::Text),
    target("VARCHAR(5) CHARACTER SET utf8mb3", Class::Text),
    target("BINARY(1)", Class::Bytes),
    target("BINARY(4)", Class::Bytes),
    target("VARBINARY(7)", Class::Bytes),
    target("VARBINARY(40)", Class::Bytes),
    target("TINYBLOB", Class::Bytes),
    target("BLOB", Class::Bytes),
    target("MEDIUMBLOB", Class::Bytes),
    target("LONGBLOB", Class::Bytes),
    target("ENUM('a','b','C c','1','10','')", Class::Members),
    target("ENUM('x','é','y') CHARACTER SET latin1", Class::Members),
    target("ENUM('a','b') NOT NULL", Class::Members),
    target("SET('a','b','2','x y')", Class::Members),
    target("SET('é','z') COLLATE utf8mb4_bin", Class::Members),
    target("JSON", Class::Json),
];

impl Target {
    /// The expressions that show the whole stored value.
    pub(crate) fn read(&self) -> &'static str {
        match self.class {
            Class::Text | Class::Bytes => "HEX(v)",
            Class::Bits => "HEX(v)",
            Class::Members => "v, v + 0",
            Class::Number
            | Class::Year
            | Class::Date
            | Class::Time
            | Class::Moment
            | Class::Json => "v",
        }
    }
}

/// The table of the column at `index`.
pub(crate) fn table(index: usize) -> String {
    format!("storing.t{index:02}")
}
