//! Whole statements: CREATE TABLE, ALTER TABLE of every clause, indexes, databases, renames.

use super::columns::{Known, Maker, quoted};

/// The table that statements are about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Subject {
    pub(crate) name: String,
    pub(crate) columns: Vec<Known>,
    pub(crate) keys: Vec<String>,
    pub(crate) nth: u64,
}

impl Maker {
    /// CREATE TABLE for a new subject.
    pub(crate) fn create_table(&mut self, subject: &Subject) -> String {
        self.begin();
        if self.errs(12) {
            return self
                .pick(WRONG_CREATES)
                .replace("TABLE_NAME", &subject.name);
        }
        let count = self.number(1, 6);
        let mut known: Vec<Known> = Vec::new();
        let mut elements = Vec::new();
        let has_id = self.one_in(2);
        if has_id {
            elements.push("id INT NOT NULL AUTO_INCREMENT PRIMARY KEY".to_owned());
        }
        for nth in 1..=count {
            let name = self.column_name(nth, &known);
            let (kind, family) = self.data_type();
            let attributes = self.attributes(family, &known);
            elements.push(format!("{name} {kind}{attributes}"));
            known.push(Known {
                name: name.trim_matches('`').replace("``", "`"),
                kind: kind.to_lowercase(),
            });
        }
        if self.one_in(2) {
            let generated = self.generated(&known);
            elements.push(format!("g {generated}"));
        }
        if !has_id && self.one_in(3) {
            let parts = self.parts(&known);
            elements.push(format!("PRIMARY KEY ({parts})"));
        }
        for nth in 0..self.number(0, 2) {
            let key = self.key(&known, nth);
            elements.push(key);
        }
        let options = self.table_options();
        let exists = self.pick(&["", "", "", " IF NOT EXISTS"]);
        format!(
            "CREATE TABLE{exists} {} ({}){options}",
            quoted(&subject.name),
            elements.join(", ")
        )
    }

    fn table_options(&mut self) -> String {
        if self.errs(4) {
            return format!(" {}", self.pick(WRONG_OPTIONS));
        }
        let mut options = String::new();
        for _ in 0..self.number(0, 2) {
            options.push(' ');
            options.push_str(self.pick(OPTIONS));
        }
        options
    }

    /// What a session says before it defines a table.
    pub(crate) fn session(&mut self) -> Vec<String> {
        let zone = self.pick(&["+00:00", "+00:00", "+05:30", "-03:00", "+14:00"]);
        let mode = self.pick(SQL_MODES);
        let charset = self.pick(&["utf8mb4", "utf8mb4", "utf8mb4", "latin1", "utf8mb3"]);
        let mut session = vec![
            format!("SET time_zone = '{zone}'"),
            format!("SET sql_mode = {mode}"),
            format!("SET NAMES {charset}"),
        ];
        if self.one_in(5) {
            let collation = self.pick(&[
                "utf8mb4_0900_ai_ci",
                "utf8mb4_general_ci",
                "utf8mb4_bin",
                "latin1_swedish_ci",
                "latin1_bin",
                "binary",
            ]);
            session.push(format!("ALTER DATABASE defining COLLATE {collation}"));
        }
        session
    }

    /// The next statement about a table that is there.
    pub(crate) fn change(&mut self, subject: &Subject) -> String {
        self.begin();
        let table = quoted(&subject.name);
        match self.number(0, 19) {
            0 => {
                let kind = self.pick(&["", "UNIQUE "]);
                let name = self.key_name(subject.nth);
                let parts = self.parts(&subject.columns);
                let options = self.key_options();
                format!("CREATE {kind}INDEX {name} ON {table} ({parts}){options}")
            }
            1 => {
                let key = self.known_key(subject);
                format!("DROP INDEX {key} ON {table}")
            }
            2 => format!("TRUNCATE TABLE {table}"),
            3 => format!(
                "RENAME TABLE {table} TO {}",
                self.pick(&["nowhere.x", "taken"])
            ),
            4 => self.pick(OTHERS).replace("TABLE_NAME", &table),
            _ => self.alter_table(subject),
        }
    }

    fn alter_table(&mut self, subject: &Subject) -> String {
        let mut clauses = Vec::new();
        for nth in 0..self.number(1, 2) {
            let clause = self.clause(subject, subject.nth * 10 + nth);
            clauses.push(clause);
        }
        if self.one_in(6) {
            let how = self.pick(&[
                "ALGORITHM=COPY",
                "ALGORITHM=DEFAULT",
                "LOCK=DEFAULT",
                "LOCK=EXCLUSIVE",
                "ALGORITHM=INSTANT",
                "ALGORITHM=INPLACE",
                "ALGORITHM=INSTANT, LOCK=NONE",
                "ALGORITHM=COPY, LOCK=NONE",
                "ALGORITHM=COPY, LOCK=SHARED",
                "ALGORITHM=NONSENSE",
                "LOCK=NONSENSE",
            ]);
            clauses.push(how.to_owned());
        }
        format!(
            "ALTER TABLE {} {}",
            quoted(&subject.name),
            clauses.join(", ")
        )
    }

    fn clause(&mut self, subject: &Subject, nth: u64) -> String {
        let columns = &subject.columns;
        match self.number(0, 17) {
            0..=3 => {
                let name = self.column_name(100 + nth, columns);
                let (kind, family) = self.data_type();
                let attributes = self.attributes(family, columns);
                let position = self.position(subject);
                format!("ADD COLUMN {name} {kind}{attributes}{position}")
            }
            4 => {
                let generated = self.generated(columns);
                let position = self.position(subject);
                format!("ADD g{nth} {generated}{position}")
            }
            5 => {
                let key = self.key(columns, nth);
                format!("ADD {key}")
            }
            6 => format!("DROP COLUMN {}", self.known_column(subject)),
            7 | 8 => {
                let name = self.known_column(subject);
                let (kind, family) = self.data_type();
                let attributes = self.attributes(family, columns);
                let position = self.position(subject);
                format!("MODIFY {name} {kind}{attributes}{position}")
            }
            9 => {
                let old = self.known_column(subject);
                let name = self.column_name(200 + nth, columns);
                let (kind, family) = self.data_type();
                let attributes = self.attributes(family, columns);
                format!("CHANGE {old} {name} {kind}{attributes}")
            }
            10 => {
                let old = self.known_column(subject);
                let name = self.column_name(300 + nth, columns);
                format!("RENAME COLUMN {old} TO {name}")
            }
            other => self.other_clause(subject, nth, other),
        }
    }

    /// The clauses that define no column.
    fn other_clause(&mut self, subject: &Subject, nth: u64, kind: u64) -> String {
        let columns = &subject.columns;
        match kind {
            11 => {
                let column = self.known_column(subject);
                let what = self.pick(&[
                    "DROP DEFAULT",
                    "SET DEFAULT 1",
                    "SET DEFAULT NULL",
                    "SET INVISIBLE",
                    "SET VISIBLE",
                    "SET DEFAULT (1 + 1)",
                    "SET DEFAULT 'x'",
                ]);
                format!("ALTER COLUMN {column} {what}")
            }
            12 => {
                let key = self.known_key(subject);
                match self.number(0, 3) {
                    0 => format!("RENAME INDEX {key} TO {}", self.key_name(500 + nth)),
                    1 => format!("ALTER INDEX {key} INVISIBLE"),
                    _ => format!("DROP INDEX {key}"),
                }
            }
            13 => "DROP PRIMARY KEY".to_owned(),
            14 => {
                let parts = self.parts(columns);
                format!("ADD PRIMARY KEY ({parts})")
            }
            15 => self
                .pick(&[
                    "CONVERT TO CHARACTER SET latin1",
                    "CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
                    "DEFAULT CHARACTER SET latin1",
                    "COLLATE utf8mb4_general_ci",
                    "FORCE",
                    "ORDER BY 1",
                    "DISABLE KEYS",
                    "ENABLE KEYS",
                    "DROP FOREIGN KEY nothing",
                    "DROP CHECK nothing",
                    "DROP CONSTRAINT nothing",
                    "RENAME TO taken",
                    "RENAME TO nowhere.x",
                ])
                .to_owned(),
            _ => match self.errs(2) {
                true => self.pick(WRONG_OPTIONS).to_owned(),
                false => self.pick(OPTIONS).to_owned(),
            },
        }
    }

    fn position(&mut self, subject: &Subject) -> String {
        match self.number(0, 5) {
            0 => " FIRST".to_owned(),
            1 => format!(" AFTER {}", self.known_column(subject)),
            _ => String::new(),
        }
    }

    fn known_column(&mut self, subject: &Subject) -> String {
        if subject.columns.is_empty() || self.errs(6) {
            return "no_such_column".to_owned();
        }
        let index = self.index(subject.columns.len());
        let known = subject.columns.get(index);
        known.map_or_else(String::new, |column| quoted(&column.name))
    }

    fn known_key(&mut self, subject: &Subject) -> String {
        if subject.keys.is_empty() || self.errs(5) {
            return "no_such_key".to_owned();
        }
        let index = self.index(subject.keys.len());
        let known = subject.keys.get(index);
        known.map_or_else(String::new, |key| quoted(key))
    }
}

const SQL_MODES: &[&str] = &[
    "DEFAULT",
    "DEFAULT",
    "DEFAULT",
    "'ANSI_QUOTES,STRICT_TRANS_TABLES'",
    "'PIPES_AS_CONCAT,STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
    "'IGNORE_SPACE,STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE'",
    "'REAL_AS_FLOAT,STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION'",
    "'NO_UNSIGNED_SUBTRACTION,STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO'",
];

const OPTIONS: &[&str] = &[
    "ENGINE=InnoDB",
    "ENGINE = innodb",
    "AUTO_INCREMENT=17",
    "COMMENT='of a table'",
    "COMMENT='größe €'",
    "ROW_FORMAT=DYNAMIC",
    "ROW_FORMAT=DEFAULT",
    "STATS_PERSISTENT=0",
    "STATS_PERSISTENT=DEFAULT",
    "STATS_AUTO_RECALC=1",
    "STATS_SAMPLE_PAGES=20",
    "MAX_ROWS=100",
    "MIN_ROWS=2",
    "AVG_ROW_LENGTH=90",
    "CHECKSUM=1",
    "DELAY_KEY_WRITE=1",
    "PACK_KEYS=1",
];

const WRONG_OPTIONS: &[&str] = &[
    "ENGINE=nonsense",
    "ENGINE=MyISAM",
    "ENGINE=MEMORY",
    "ENGINE=Aria",
    "ENGINE=federated",
    "TABLESPACE=nowhere",
    "TABLESPACE nowhere",
    "ROW_FORMAT=FIXED",
    "ROW_FORMAT=NONSENSE",
    "KEY_BLOCK_SIZE=3",
    "STATS_PERSISTENT=2",
    "STATS_AUTO_RECALC=7",
    "STATS_SAMPLE_PAGES=70000",
    "STATS_SAMPLE_PAGES=0",
    "PACK_KEYS=5",
    "COMPRESSION='nonsense'",
    "ENCRYPTION='Y'",
    "ENCRYPTION='nonsense'",
    "MIN_ROWS=-1",
    "AVG_ROW_LENGTH=5000000000",
    "ENGINE_ATTRIBUTE='{\"a\":1}'",
    "ENGINE_ATTRIBUTE='bad'",
    "AUTOEXTEND_SIZE=3",
    "CHARACTER SET=nonsense",
    "COLLATE=nonsense_ci",
    "CHARACTER SET=utf8mb4 COLLATE=latin1_bin",
    "DATA DIRECTORY='/tmp'",
    "START TRANSACTION TRANSACTION",
    "INSERT_METHOD=NONSENSE",
];

const WRONG_CREATES: &[&str] = &[
    "CREATE TABLE BIT_AND(a INT)",
    "CREATE TABLE COUNT(a INT)",
    "CREATE TABLE SUBSTR(a INT)",
    "CREATE TABLE SYSDATE(a INT)",
    "CREATE TABLE NOW(a INT)",
    "CREATE TABLE CAST(a INT)",
    "CREATE TABLE SELECT (a INT)",
    "CREATE TABLE ORDER (a INT)",
    "CREATE TABLE ``(a INT)",
    "CREATE TABLE `x `(a INT)",
    "CREATE TABLE nowhere.x (a INT)",
    "CREATE TABLE taken (a INT)",
    "CREATE TABLE IF NOT EXISTS taken (a INT)",
    "CREATE TABLE TABLE_NAME LIKE nowhere.x",
    "CREATE TABLE TABLE_NAME LIKE no_such_table",
    "CREATE TABLE TABLE_NAME LIKE taken",
    "CREATE TABLE TABLE_NAME ()",
    "CREATE TABLE TABLE_NAME (a INT",
    "CREATE TABLE TABLE_NAME (a INT) (b INT)",
    "CREATE TABLE TABLE_NAME (KEY (a))",
    "CREATE TABLE TABLE_NAME (a INT INVISIBLE)",
    "CREATE TABLE TABLE_NAME (a INT, b INT AUTO_INCREMENT, KEY (a, b))",
    "CREATE TABLE TABLE_NAME (a INT AUTO_INCREMENT KEY, b INT AS (a + 1))",
    "CREATE TABLE TABLE_NAME (a INT AS (b + 1), b INT AS (1))",
    "CREATE TABLE TABLE_NAME (a INT AS (a + 1))",
    "CREATE TABLE TABLE_NAME (a INT, b INT AS (a) VIRTUAL PRIMARY KEY)",
    "CREATE TABLE TABLE_NAME (a INT, b INT AS (a) DEFAULT 3)",
    "CREATE TABLE TABLE_NAME (a INT, b INT AS (a) AUTO_INCREMENT UNIQUE)",
    "CREATE TABLE TABLE_NAME (a INT DEFAULT (b), b INT DEFAULT (1))",
    "CREATE TABLE TABLE_NAME (a INT DEFAULT (b), b INT AUTO_INCREMENT PRIMARY KEY)",
    "CREATE TABLE TABLE_NAME (a INT PRIMARY KEY, b INT PRIMARY KEY)",
    "CREATE TABLE TABLE_NAME (a VARCHAR(769), KEY (a))",
    "CREATE TABLE TABLE_NAME (a VARCHAR(700), b VARCHAR(700), KEY (a, b))",
    "CREATE TABLE TABLE_NAME (a INT, KEY k (a), KEY K (a))",
    "CREATE TABLE TABLE_NAME (a INT, KEY (a, a))",
    "CREATE TABLE TABLE_NAME (a JSON, KEY (a))",
    "CREATE TABLE TABLE_NAME (a TEXT, KEY (a))",
    "CREATE TABLE TABLE_NAME (a VECTOR(3), KEY (a))",
    "CREATE TABLE TABLE_NAME (a VARCHAR(0), KEY (a))",
    "CREATE TABLE TABLE_NAME (a INT PRIMARY KEY INVISIBLE)",
    "CREATE TABLE TABLE_NAME (a INT NOT NULL, UNIQUE (a) INVISIBLE, b INT)",
    "CREATE TABLE TABLE_NAME (a INT, PRIMARY KEY (a) INVISIBLE)",
    "CREATE TABLE TABLE_NAME (a TEXT DEFAULT 'x')",
    "CREATE TABLE TABLE_NAME (a JSON DEFAULT '{}')",
    "CREATE TABLE TABLE_NAME (a BLOB DEFAULT NULL)",
    "CREATE TEMPORARY TABLE TABLE_NAME (a INT) ENGINE=nonsense",
];

const OTHERS: &[&str] = &[
    "DROP TABLE no_such_table",
    "DROP TABLE IF EXISTS no_such_table",
    "DROP TABLE taken, taken",
    "DROP VIEW no_such_view",
    "DROP VIEW TABLE_NAME",
    "TRUNCATE TABLE no_such_table",
    "ALTER TABLE no_such_table ADD a INT",
    "ALTER TABLE nowhere.x ADD a INT",
    "CREATE INDEX k ON no_such_table (a)",
    "DROP INDEX `PRIMARY` ON TABLE_NAME",
    "RENAME TABLE TABLE_NAME TO taken",
    "RENAME TABLE no_such_table TO y",
    "CREATE DATABASE defining",
    "CREATE DATABASE IF NOT EXISTS defining",
    "CREATE DATABASE ``",
    "CREATE DATABASE `x `",
    "CREATE DATABASE mysql",
    "CREATE DATABASE information_schema",
    "CREATE DATABASE other_name CHARACTER SET nonsense",
    "CREATE DATABASE other_name COLLATE nonsense_ci",
    "CREATE DATABASE other_name CHARACTER SET latin1 COLLATE utf8mb4_bin",
    "DROP DATABASE no_such_database",
    "DROP DATABASE IF EXISTS no_such_database",
    "ALTER DATABASE no_such_database CHARACTER SET latin1",
    "ALTER DATABASE defining CHARACTER SET nonsense",
    "ALTER DATABASE side CHARACTER SET latin1",
    "ALTER DATABASE side COLLATE utf8mb4_bin",
    "ALTER DATABASE side ENCRYPTION='N'",
    "ALTER DATABASE side ENCRYPTION='nonsense'",
    "CREATE TABLE of_a_query SELECT 1",
    "ALTER TABLE TABLE_NAME",
];
