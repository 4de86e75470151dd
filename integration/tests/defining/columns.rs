//! Columns and keys as generated text: types at and over their edges, attributes, defaults.

use integration::chance::Chance;

/// Makes definitions. A statement has at most one thing in it that MySQL would not take, so that both
/// servers have the same thing to complain about.
pub(crate) struct Maker {
    pub(crate) chance: Chance,
    /// Whether this statement may still get something wrong.
    pub(crate) may_err: bool,
}

/// A column that is there already.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) name: String,
    pub(crate) kind: String,
}

impl Maker {
    pub(crate) fn new(chance: Chance) -> Self {
        Self {
            chance,
            may_err: false,
        }
    }

    /// A statement begins: one of three may be wrong.
    pub(crate) fn begin(&mut self) {
        self.may_err = self.chance.below(3) == 0;
    }

    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.chance.below(n) == 0
    }

    /// Whether the one thing that is wrong is here.
    pub(crate) fn errs(&mut self, n: u64) -> bool {
        let errs = self.may_err && self.one_in(n);
        self.may_err &= !errs;
        errs
    }

    pub(crate) fn pick<'t>(&mut self, list: &[&'t str]) -> &'t str {
        let index = self.index(list.len());
        list.get(index).copied().unwrap_or_default()
    }

    /// A place in a list that is not empty.
    pub(crate) fn index(&mut self, len: usize) -> usize {
        let len = u64::try_from(len).unwrap_or(1);
        usize::try_from(self.chance.below(len)).unwrap_or_default()
    }

    pub(crate) fn number(&mut self, from: u64, to: u64) -> u64 {
        from + self.chance.below(to - from + 1)
    }

    /// The name of a new column.
    pub(crate) fn column_name(&mut self, nth: u64, known: &[Known]) -> String {
        if self.errs(12) {
            let long = "n".repeat(65);
            let taken = known.first().map_or("a", |column| column.name.as_str());
            let upper = taken.to_uppercase();
            return match self.number(0, 4) {
                0 => format!("`{long}`"),
                1 => "``".to_owned(),
                2 => "`x `".to_owned(),
                3 => format!("`{taken}`"),
                _ => format!("`{upper}`"),
            };
        }
        match self.number(0, 9) {
            0 => format!("`größe {nth}`"),
            1 => format!("`SELECT{nth}`"),
            2 => format!("`c``{nth}`"),
            3 => format!("{nth}th"),
            4 => format!("`{}{nth}`", "w".repeat(60)),
            _ => format!("c{nth}"),
        }
    }

    /// A type, and the family that decides what may stand behind it.
    pub(crate) fn data_type(&mut self) -> (String, &'static str) {
        if self.errs(6) {
            let kind = self.pick(WRONG_TYPES).to_owned();
            return (kind, "wrong");
        }
        match self.number(0, 13) {
            0..=2 => (self.integer(), "int"),
            3 => (self.exact(), "decimal"),
            4 => {
                let kind = self.pick(&[
                    "FLOAT",
                    "DOUBLE",
                    "FLOAT(10)",
                    "FLOAT(30)",
                    "DOUBLE(10,3)",
                    "FLOAT(7,2) UNSIGNED",
                    "REAL",
                    "DOUBLE PRECISION",
                ]);
                (kind.to_owned(), "double")
            }
            5 => {
                let fsp = self.number(0, 6);
                let kind = self.pick(&["TIME", "DATETIME", "TIMESTAMP"]);
                let family = if kind == "TIME" { "time" } else { "moment" };
                let kind = match fsp {
                    0 => kind.to_owned(),
                    fsp => format!("{kind}({fsp})"),
                };
                (kind, family)
            }
            6 => (self.pick(&["DATE", "YEAR", "YEAR(4)"]).to_owned(), "date"),
            7 | 8 => (self.text(), "text"),
            9 => {
                let length = self.number(1, 60);
                let kind = self.pick(&["BINARY", "VARBINARY"]);
                (format!("{kind}({length})"), "binary")
            }
            10 => {
                let kind = self.pick(&[
                    "TEXT",
                    "TINYTEXT",
                    "LONGTEXT CHARACTER SET latin1",
                    "TEXT(300)",
                    "MEDIUMTEXT COLLATE utf8mb4_bin",
                    "BLOB",
                    "TINYBLOB",
                    "BLOB(70000)",
                    "LONGBLOB",
                ]);
                (kind.to_owned(), "blob")
            }
            11 => {
                let kind = self.pick(&[
                    "ENUM('a','b','c d')",
                    "SET('x','y','z')",
                    "ENUM('ä','ß','€') CHARACTER SET utf8mb4",
                    "ENUM('it''s','\\\\','\\n')",
                    "SET('1') COLLATE latin1_bin",
                ]);
                (kind.to_owned(), "enum")
            }
            12 => {
                let width = self.number(1, 64);
                (format!("BIT({width})"), "bit")
            }
            _ => (self.pick(&["JSON", "JSON", "VECTOR(3)"]).to_owned(), "json"),
        }
    }

    fn integer(&mut self) -> String {
        let name = self.pick(&[
            "INT",
            "TINYINT",
            "SMALLINT",
            "MEDIUMINT",
            "BIGINT",
            "INTEGER",
            "BOOL",
            "INT4",
            "INT8",
            "TINYINT(1)",
        ]);
        if name == "BOOL" {
            return name.to_owned();
        }
        let width = match name.contains('(') || !self.one_in(5) {
            true => String::new(),
            false => format!("({})", self.number(0, 255)),
        };
        let sign = self.pick(&["", "", "", " UNSIGNED", " ZEROFILL", " SIGNED"]);
        format!("{name}{width}{sign}")
    }

    fn exact(&mut self) -> String {
        let name = self.pick(&["DECIMAL", "NUMERIC", "DEC", "FIXED"]);
        let precision = self.number(1, 65);
        let scale = self.number(0, precision.min(30));
        let sign = self.pick(&["", "", " UNSIGNED"]);
        match self.number(0, 3) {
            0 => format!("{name}{sign}"),
            1 => format!("{name}({precision}){sign}"),
            _ => format!("{name}({precision},{scale}){sign}"),
        }
    }

    fn text(&mut self) -> String {
        let name = self.pick(&["VARCHAR", "CHAR", "VARCHAR", "CHARACTER VARYING", "NCHAR"]);
        let length = self.number(1, 255);
        let charset = match name {
            "NCHAR" => "",
            _ => self.pick(&[
                "",
                "",
                "",
                " CHARACTER SET latin1",
                " COLLATE utf8mb4_bin",
                " CHARACTER SET utf8mb4",
                " CHARSET latin1 COLLATE latin1_bin",
                " CHARACTER SET ascii",
                " BINARY",
                " CHARACTER SET binary",
                " COLLATE utf8mb4_general_ci",
            ]),
        };
        format!("{name}({length}){charset}")
    }

    /// What stands behind the type.
    pub(crate) fn attributes(&mut self, family: &str, known: &[Known]) -> String {
        let mut text = String::new();
        let not_null = self.one_in(3);
        if not_null {
            text.push_str(" NOT NULL");
        } else if self.one_in(8) {
            text.push_str(" NULL");
        }
        if self.one_in(2) {
            text.push_str(&self.default(family, not_null, known));
        }
        if family == "moment" && self.errs(3) {
            text.push_str(" ON UPDATE CURRENT_TIMESTAMP(3)");
        }
        if self.one_in(9) {
            let comment = match self.errs(2) {
                true => "c".repeat(1025),
                false => self
                    .pick(&["", "a comment", "it''s", "größer als €", "back\\\\slash"])
                    .to_owned(),
            };
            text.push_str(&format!(" COMMENT '{comment}'"));
        }
        if self.one_in(14) {
            text.push_str(self.pick(&[" INVISIBLE", " VISIBLE", " VISIBLE"]));
        }
        if self.one_in(14) {
            text.push_str(self.pick(&[
                " COLUMN_FORMAT FIXED",
                " COLUMN_FORMAT DYNAMIC",
                " COLUMN_FORMAT DEFAULT",
                " STORAGE DISK",
                " STORAGE MEMORY COLUMN_FORMAT FIXED",
            ]));
        }
        if self.errs(10) {
            text.push_str(self.pick(&[
                " AUTO_INCREMENT",
                " COLLATE latin1_nonsense",
                " PRIMARY KEY PRIMARY KEY",
                " NULL PRIMARY KEY",
                " ON UPDATE CURRENT_TIMESTAMP",
                " ENGINE_ATTRIBUTE='{\"a\":1}'",
                " UNIQUE AUTO_INCREMENT",
            ]));
        }
        text
    }

    fn default(&mut self, family: &str, not_null: bool, known: &[Known]) -> String {
        if self.errs(5) {
            return format!(" DEFAULT {}", self.pick(WRONG_DEFAULTS));
        }
        if !not_null && self.one_in(6) {
            return " DEFAULT NULL".to_owned();
        }
        if self.one_in(6) && family != "json" {
            let expression = self.pick(match family {
                "int" | "decimal" | "double" => &["1 + 1", "7", "ABS(-3)", "LENGTH('four')"],
                "moment" => &["NOW()", "'2001-02-03 04:05:06'"],
                "text" | "blob" => &["'x'", "CONCAT('x', 'y')", "UPPER('z')"],
                _ => &["NULL"],
            });
            let _ = known;
            return match (expression, not_null) {
                ("NULL", true) => String::new(),
                _ => format!(" DEFAULT ({expression})"),
            };
        }
        let literal = self.pick(match family {
            "int" => &["0", "1", "'2'", "TRUE", "3.4", "0x05", "b'11'"],
            "decimal" | "double" => &["0", "1", "'0.5'", "1.25", "1e0"],
            "time" => &["'00:00:01'", "'10:11:12'", "0"],
            "moment" => &["'2001-02-03 04:05:06'", "'2010-01-01'", "20110101000000"],
            "date" => &["'2001'", "'0'"],
            "text" => &["'x'", "''", "'ä'", "5", "'it''s'"],
            "binary" => &["'x'", "0x41", "''"],
            "enum" => return String::new(),
            "bit" => &["b'1'", "1", "0x1"],
            _ => return String::new(),
        });
        if family == "date" {
            return String::new();
        }
        format!(" DEFAULT {literal}")
    }

    /// A generated column over columns that are there.
    pub(crate) fn generated(&mut self, known: &[Known]) -> String {
        let numbers: Vec<&Known> = known.iter().filter(|column| column.is_number()).collect();
        let texts: Vec<&Known> = known.iter().filter(|column| column.is_text()).collect();
        let stored = self.pick(&["", " VIRTUAL", " STORED"]);
        let attribute = self.pick(&["", "", "", " UNIQUE", " COMMENT 'g'", " INVISIBLE", " NULL"]);
        if self.errs(2) {
            let wrong = self.pick(WRONG_GENERATED);
            let first = known.first().map_or("x".to_owned(), |c| quoted(&c.name));
            let expression = wrong.replace("COL", &first);
            return format!("INT AS ({expression}){stored}");
        }
        if let Some(column) = numbers.first().filter(|_| self.one_in(2)) {
            let name = quoted(&column.name);
            let expression = self
                .pick(&["COL + 1", "COL * 2", "ABS(COL)", "COL IS NULL", "COL DIV 2"])
                .replace("COL", &name);
            return format!("DECIMAL(65,0) GENERATED ALWAYS AS ({expression}){stored}{attribute}");
        }
        if let Some(column) = texts.first() {
            let name = quoted(&column.name);
            let expression = self
                .pick(&["LENGTH(COL)", "COL IS NULL", "CHAR_LENGTH(COL) + 1"])
                .replace("COL", &name);
            return format!("BIGINT AS ({expression}){stored}{attribute}");
        }
        format!("INT AS (1 + 2){stored}{attribute}")
    }

    /// A key with its parts.
    pub(crate) fn key(&mut self, known: &[Known], nth: u64) -> String {
        let kind = self.pick(&["KEY", "INDEX", "UNIQUE KEY", "UNIQUE", "KEY"]);
        let name = self.key_name(nth);
        let using = self.pick(&["", "", "", " USING BTREE"]);
        let parts = self.parts(known);
        let options = self.key_options();
        format!("{kind} {name}{using} ({parts}){options}")
    }

    pub(crate) fn key_name(&mut self, nth: u64) -> String {
        if self.errs(8) {
            let long = "k".repeat(65);
            return match self.number(0, 4) {
                0 => "GEN_CLUST_INDEX".to_owned(),
                1 => "`PRIMARY`".to_owned(),
                2 => format!("`{long}`"),
                3 => "`gen_clust_index`".to_owned(),
                _ => "`k `".to_owned(),
            };
        }
        match self.number(0, 4) {
            0 => format!("`schlüssel {nth}`"),
            1 => format!("`ORDER{nth}`"),
            _ => format!("k{nth}"),
        }
    }

    pub(crate) fn key_options(&mut self) -> String {
        if self.errs(10) {
            let long = "c".repeat(1025);
            return format!(" COMMENT '{long}'");
        }
        self.pick(&[
            "",
            "",
            "",
            "",
            " COMMENT 'of a key'",
            " INVISIBLE",
            " VISIBLE",
            " KEY_BLOCK_SIZE=4",
        ])
        .to_owned()
    }

    /// One to three parts, no column twice.
    pub(crate) fn parts(&mut self, known: &[Known]) -> String {
        if known.is_empty() || self.errs(14) {
            return "no_such_column".to_owned();
        }
        let count = self.number(1, 3);
        let mut parts: Vec<String> = Vec::new();
        let mut names: Vec<&str> = Vec::new();
        for _ in 0..count {
            let index = self.index(known.len());
            let Some(column) = known.get(index) else {
                continue;
            };
            if names.contains(&column.name.as_str()) {
                continue;
            }
            names.push(&column.name);
            let part = self.part(column);
            parts.push(part);
        }
        parts.join(", ")
    }

    fn part(&mut self, column: &Known) -> String {
        let name = quoted(&column.name);
        let kind = column.kind.as_str();
        let order = self.pick(&["", "", "", " DESC", " ASC"]);
        let needs_prefix = kind.contains("text") || kind.contains("blob");
        let takes_prefix = needs_prefix || kind.contains("char") || kind.contains("binary");
        if self.errs(6) {
            let prefix = self.pick(&["(0)", "(3073)", "(800)", "(70000)", "(1)"]);
            return format!("{name}{prefix}{order}");
        }
        if needs_prefix && !self.errs(5) {
            let prefix = self.number(1, 60);
            return format!("{name}({prefix}){order}");
        }
        if takes_prefix && self.one_in(4) {
            return format!("{name}(1){order}");
        }
        format!("{name}{order}")
    }
}

impl Known {
    fn is_number(&self) -> bool {
        ["int", "decimal"]
            .iter()
            .any(|kind| self.kind.contains(kind))
    }

    fn is_text(&self) -> bool {
        ["char", "text"].iter().any(|kind| self.kind.contains(kind))
    }
}

/// An identifier in backquotes.
pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

const WRONG_TYPES: &[&str] = &[
    "INT(256)",
    "BIT(65)",
    "BIT(0)",
    "DECIMAL(66,2)",
    "DECIMAL(40,31)",
    "DECIMAL(3,4)",
    "FLOAT(54)",
    "FLOAT(5,6)",
    "FLOAT(255,31)",
    "DOUBLE(5)",
    "TIME(7)",
    "DATETIME(9)",
    "TIMESTAMP(7)",
    "YEAR(2)",
    "CHAR(256)",
    "BINARY(300)",
    "VARCHAR(20000)",
    "VARCHAR(65535) CHARACTER SET latin1",
    "VARBINARY(65535)",
    "VARBINARY(70000)",
    "VARCHAR(5000000000)",
    "TEXT(5000000000)",
    "ENUM('a','a')",
    "ENUM('a','A')",
    "SET('a,b')",
    "SET('a','b','a')",
    "VECTOR(16384)",
    "VARCHAR(10) CHARACTER SET nonsense",
    "VARCHAR(10) COLLATE nonsense_ci",
    "VARCHAR(10) CHARACTER SET latin1 COLLATE utf8mb4_bin",
    "ENUM('0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789')",
    "VARCHAR",
    "VARBINARY",
    "NONSENSE",
    "DATE(3)",
    "JSON(3)",
    "ENUM()",
    "ENUM(1)",
];

const WRONG_DEFAULTS: &[&str] = &[
    "'not this'",
    "99999999999999999999999",
    "(SELECT 1)",
    "(@x)",
    "(SUM(1))",
    "(no_such_column)",
    "(SLEEP(1))",
    "(LAST_INSERT_ID())",
    "CURRENT_TIMESTAMP(7)",
    "CURRENT_TIMESTAMP",
    "'2001-02-30'",
    "'0000-00-00 00:00:00'",
    "'25:61:61x'",
    "UPPER('x')",
    "1 + 1",
    "(no_such_function(1))",
    "NULL NOT NULL",
];

const WRONG_GENERATED: &[&str] = &[
    "SUM(COL)",
    "COUNT(*)",
    "RAND()",
    "NOW()",
    "CURDATE()",
    "UTC_TIMESTAMP()",
    "SYSDATE()",
    "UNIX_TIMESTAMP()",
    "UUID()",
    "UUID_SHORT()",
    "CONNECTION_ID()",
    "CURRENT_USER()",
    "USER()",
    "DATABASE()",
    "VERSION()",
    "FOUND_ROWS()",
    "ROW_COUNT()",
    "LAST_INSERT_ID()",
    "SLEEP(1)",
    "(SELECT 1)",
    "@x",
    "@@sql_mode",
    "CAST(COL AS UNSIGNED ARRAY)",
    "no_such_column + 1",
    "no_such_function(COL)",
    "VALUES(COL)",
    "RANDOM_BYTES(4)",
    "BENCHMARK(1, 1)",
    "LOAD_FILE('x')",
    "GET_LOCK('x', 1)",
    "ROW(1, 2)",
];
