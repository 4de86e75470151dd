use binlog::row::{Column, ColumnType as Code, TableMap};

use super::*;

fn declared(columns: &str) -> DeclaredTable {
    let text = format!("CREATE TABLE t ({columns}) CHARSET=latin1");
    let outline = sql::outline::table(text.as_bytes(), &ParseOptions::default());
    DeclaredTable::of_outline(&outline.unwrap().unwrap(), Some(false))
}

fn map(columns: Vec<Column<'static>>) -> TableMap<'static> {
    TableMap::new(1, "shop", "t", columns)
}

fn column(code: Code, metadata: u16) -> Column<'static> {
    Column::new(code, metadata, true)
}

/// The column of every type as MySQL 9.7 describes it in a table map.
#[test]
fn a_type_is_what_mysql_writes_into_a_table_map() {
    for (text, code, metadata) in [
        ("TINYINT", Code::TINY, 0),
        ("BIGINT UNSIGNED", Code::LONGLONG, 0),
        ("DECIMAL(65,30)", Code::NEWDECIMAL, 0x411e),
        ("DECIMAL", Code::NEWDECIMAL, 0x0a00),
        ("FLOAT(7,3)", Code::FLOAT, 4),
        ("FLOAT(30)", Code::DOUBLE, 8),
        ("BIT(9)", Code::BIT, 0x0101),
        ("TIME(3)", Code::TIME2, 3),
        ("DATETIME", Code::DATETIME2, 0),
        ("DATETIME", Code::DATETIME, 0),
        ("TIMESTAMP(6)", Code::TIMESTAMP2, 6),
        ("YEAR", Code::YEAR, 0),
        ("CHAR(10)", Code::STRING, 0xfe0a),
        ("CHAR(255) CHARACTER SET utf8mb4", Code::STRING, 0xcefc),
        ("VARCHAR(20)", Code::VARCHAR, 20),
        ("VARCHAR(20) CHARACTER SET utf8mb4", Code::VARCHAR, 80),
        ("VARBINARY(300)", Code::VARCHAR, 300),
        ("TINYTEXT", Code::BLOB, 1),
        ("TEXT", Code::BLOB, 2),
        ("TEXT(100)", Code::BLOB, 1),
        ("BLOB(70000)", Code::BLOB, 3),
        ("LONGBLOB", Code::BLOB, 4),
        ("ENUM('a','b')", Code::STRING, 0xf701),
        (
            "SET('a','b','c','d','e','f','g','h','i')",
            Code::STRING,
            0xf802,
        ),
        ("JSON", Code::JSON, 4),
        ("VECTOR(3)", Code::VECTOR, 4),
        ("POINT", Code::GEOMETRY, 4),
    ] {
        let table = declared(&format!("c {text}"));
        let map = map(vec![column(code, metadata)]);
        assert_eq!(table.difference(&map, "there"), None, "{text}");
        assert!(table.snapshot(&map).is_some(), "{text}");
    }
}

#[test]
fn a_length_that_depends_on_an_unknown_character_set_is_any_of_them() {
    let outline = sql::outline::table(b"CREATE TABLE t (v VARCHAR(20))", &ParseOptions::default());
    let table = DeclaredTable::of_outline(&outline.unwrap().unwrap(), Some(false));
    for (bytes, fits) in [(20, true), (60, true), (80, true), (30, false)] {
        let map = map(vec![column(Code::VARCHAR, bytes)]);
        assert_eq!(table.difference(&map, "there").is_none(), fits, "{bytes}");
    }
}

#[test]
fn a_difference_names_the_column_and_both_sides() {
    let table = declared("a INT, e ENUM('x','y')");
    let member = |text: &'static [u8]| Cow::Borrowed(text);
    let mut number = column(Code::LONG, 0);
    let mut listed = column(Code::STRING, 0xf701);
    assert_eq!(
        table.difference(&map(vec![number.clone(), listed.clone()]), "there"),
        None
    );
    listed.members = Some(vec![member(b"x"), member(b"z")]);
    let cases = [
        (vec![number.clone()], "has 2 columns there and 1 in the log"),
        (
            vec![column(Code::LONGLONG, 0), column(Code::STRING, 0xf701)],
            "has INT there and BIGINT in the log for column 1, a",
        ),
        (
            vec![number.clone(), listed],
            "has ENUM('x','y') there and ENUM('x','z') in the log for column 2, e",
        ),
    ];
    for (columns, expected) in cases {
        let found = table.difference(&map(columns), "there");
        assert_eq!(found.as_deref(), Some(expected));
    }
    number.unsigned = Some(true);
    let found = table.difference(
        &map(vec![number.clone(), column(Code::STRING, 0xf701)]),
        "there",
    );
    let expected = "has INT there and INT UNSIGNED in the log for column 1, a";
    assert_eq!(found.as_deref(), Some(expected));
    number.unsigned = None;
    number.name = Some("b".into());
    let found = table.difference(&map(vec![number, column(Code::STRING, 0xf701)]), "there");
    let expected = "has a there for column 1, which the log calls b";
    assert_eq!(found.as_deref(), Some(expected));
    let nothing = DeclaredTable::default();
    let found = nothing.difference(&map(Vec::new()), "on the target");
    assert_eq!(found.as_deref(), Some("is not on the target"));
}

#[test]
fn what_a_server_tells_is_what_a_statement_says() {
    let mut told = DeclaredTable::default();
    told.add_column(["id", "int unsigned", "", "auto_increment", "NO"], false);
    told.add_column(["v", "varchar(20)", "latin1", "INVISIBLE", "YES"], false);
    told.add_column(["g", "int", "", "VIRTUAL GENERATED", "YES"], false);
    told.add_key_part("id", 0);
    let said = declared(
        "id INT UNSIGNED NOT NULL AUTO_INCREMENT, v VARCHAR(20) INVISIBLE, g INT AS (id + 1), \
         PRIMARY KEY (id)",
    );
    let map = map(vec![
        column(Code::LONG, 0),
        column(Code::VARCHAR, 20),
        column(Code::LONG, 0),
    ]);
    let (told, said) = (told.snapshot(&map).unwrap(), said.snapshot(&map).unwrap());
    let about = |table: &TableSnapshot| {
        let columns = table.columns.iter();
        let columns: Vec<_> = columns
            .map(|own| {
                (
                    own.name.clone(),
                    own.unsigned,
                    own.nullable,
                    own.visible,
                    own.generated,
                )
            })
            .collect();
        (columns, table.keys.clone())
    };
    assert_eq!(about(&told), about(&said));
    assert!(told.columns[2].generated && told.columns[1].visible == Some(false));
    let nothing = TableMap::new(1, "shop", "t", Vec::new());
    let mut unknown = DeclaredTable::default();
    unknown.add_column(["x", "xmltype", "", "", "YES"], true);
    let found = unknown.difference(&nothing, "there").unwrap();
    assert!(found.contains("x xmltype is not understood"), "{found}");
}

#[test]
fn a_dump_that_names_no_database_stands_for_any() {
    let mut tables = DeclaredTables::default();
    tables.add("", "t", declared("a INT"));
    tables.add("other", "t", declared("a BIGINT"));
    let logged = map(vec![column(Code::LONG, 0)]);
    assert_eq!(tables.difference(&logged), None);
    assert_eq!(tables.describe(&logged).unwrap().columns[0].name, "a");
    let elsewhere = TableMap::new(1, "other", "t", vec![column(Code::LONG, 0)]);
    let found = tables.difference(&elsewhere).unwrap();
    assert!(
        found.starts_with("other.t has BIGINT there and INT"),
        "{found}"
    );
    let unknown = TableMap::new(1, "shop", "u", Vec::new());
    assert!(tables.find(&unknown).is_none());
}
