//! Texts: GTIDs, JSON, option files, key files, schema snapshots.

use binlog::value::json;
use codec::Write;

use crate::seeds::Seed;

/// Sets and single identifiers, both families.
#[must_use]
pub fn gtid_texts() -> Vec<Seed> {
    const TEXTS: [&str; 12] = [
        "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5",
        "3E11FA47-71CA-11E1-9E33-C80AA9429562:1-5:7:11-18,\n\
         3e11fa47-71ca-11e1-9e33-c80aa9429563:1-9223372036854775806",
        "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-3:blue:1-5:7:red_2:9",
        "{3e11fa47-71ca-11e1-9e33-c80aa9429562}:23",
        "3e11fa4771ca11e19e33c80aa9429562:tag:4-4 , , ",
        "3e11fa47-71ca-11e1-9e33-c80aa9429562:5-3",
        "",
        "0-1-5",
        "0-1-5,1-2-18446744073709551615,4294967295-4294967295-0",
        "3e11fa47-71ca-11e1-9e33-c80aa9429562:_:1",
        "AUTOMATIC:tag",
        "ANONYMOUS",
    ];
    TEXTS
        .iter()
        .map(|text| Seed::bytes("text", *text))
        .collect()
}

/// Documents as text.
#[must_use]
pub fn json_texts() -> Vec<Seed> {
    const TEXTS: [&str; 14] = [
        "null",
        "[true, false, null]",
        "[0, -1, 127, 32767, 32768, -32769, 2147483648, 18446744073709551615, -9223372036854775808]",
        "[1.5, -0.0, 1e308, 1e-320, 2.5E+10]",
        r#""a \"text\" with \\ \/ \b\f\n\r\t and \u00e9\ud83d\ude00""#,
        r#"{"a": 1, "bb": [2, {"c": 3}], "": {}, "key": "value"}"#,
        "[[[[[[[[[[1]]]]]]]]]]",
        r#"{"id": 17, "tags": ["x", "y", "z"], "nested": {"deep": {"deeper": [1, 2, 3]}}}"#,
        "\"\u{e4}\u{4e2d}\u{1f600}\"",
        "  [ 1 , 2 ]  ",
        "123456789012345678901234567890.123456789",
        r#"{"a": 1, "a": 2}"#,
        r#"["$[0].a", "$**.b", "$.\"key\""]"#,
        "{}",
    ];
    TEXTS
        .iter()
        .map(|text| Seed::bytes("text", *text))
        .collect()
}

/// Binary documents that no text makes: opaque values, large containers.
#[must_use]
pub fn json_documents() -> Vec<Seed> {
    let mut documents: Vec<Vec<u8>> = vec![
        // DECIMAL(5,2) 123.45
        vec![15, 246, 5, 5, 2, 0x80, 123, 45],
        // DATE, TIME, DATETIME, TIMESTAMP
        vec![15, 10, 8, 0, 0, 0, 0, 0, 0, 0xb2, 0x19],
        vec![15, 11, 8, 0, 0, 0, 0, 0, 0x10, 1, 0],
        vec![15, 12, 8, 1, 0, 0, 0, 0, 0, 0xb2, 0x19],
        vec![15, 7, 8, 1, 0, 0, 0, 0, 0, 0xb2, 0x19],
        // A BLOB and a BIT
        vec![15, 252, 3, 1, 2, 3],
        vec![15, 16, 1, 1],
        // A large array of one small number, a large object with one member
        vec![3, 1, 0, 0, 0, 13, 0, 0, 0, 5, 7, 0, 0, 0],
        vec![
            1, 1, 0, 0, 0, 20, 0, 0, 0, 19, 0, 0, 0, 1, 0, 7, 9, 0, 0, 0, b'a',
        ],
        vec![],
    ];
    let mut long = vec![12, 0x90, 0x4e];
    long.resize(3 + 10_000, b'x');
    documents.push(long);
    documents
        .into_iter()
        .map(|bytes| Seed::bytes("made", bytes))
        .collect()
}

/// A document and changes of it, of every operation, at paths of every form.
#[must_use]
pub fn json_diffs() -> Vec<Seed> {
    const CHANGES: [(u8, &str, &str); 12] = [
        (0, "$.a", "7"),
        (0, "$.list[1]", "\"other\""),
        (0, "$.deep.er.est", "[1, {}]"),
        (1, "$.new", "null"),
        (1, "$.list[0]", "{\"x\": 1}"),
        (1, "$.list[9]", "1.5"),
        (2, "$.a", ""),
        (2, "$.list[2]", ""),
        (2, "$.deep.\"e r\"", ""),
        (0, "$.\"q\\\"uote\"", "true"),
        (0, "$", "1"),
        (2, "$.none", ""),
    ];
    const DOCUMENT: &str = r#"{"a": 1, "list": ["x", "y", "z"], "q\"uote": 0,
        "deep": {"er": {"est": 1}, "e r": 2}}"#;
    let before = json::from_text(DOCUMENT).unwrap_or_default();
    let change = |(operation, path, value): (u8, &str, &str)| {
        let mut bytes = vec![operation];
        bytes.put_lenenc_bytes(path.as_bytes());
        if operation != 2 {
            bytes.put_lenenc_bytes(&json::from_text(value).unwrap_or_default());
        }
        bytes
    };
    let seed = |changes: &[(u8, &str, &str)]| {
        let mut input = Vec::new();
        input.put_u16(u16::try_from(before.len()).unwrap_or_default());
        input.put(&before);
        for one in changes {
            input.put(&change(*one));
        }
        Seed::bytes("changes", input)
    };
    let single = CHANGES.iter().map(std::slice::from_ref);
    single.chain(CHANGES.chunks(4)).map(seed).collect()
}

/// Option files and TOML files.
#[must_use]
pub fn option_files() -> Vec<Seed> {
    const FILES: [&str; 6] = [
        "[mysqld]\nserver-id=7\nlog_bin = /var/lib/weir/binlog\nmax_binlog_size=64M\n\
         binlog-checksum=CRC32 # comment\nloose-unknown=1\nskip-name-resolve\n\n[client]\nuser=x\n",
        "[replica]\nreplicate-do-db=a\nreplicate-ignore-db=mysql,information_schema\n\
         replicate-wild-do-table=shop%.\\_t%\nreplicate-rewrite-db='a->b'\nread_only=1\n\
         source_host=127.0.0.1\nsource_port=3306\nsource_user=\"re\\tpl\"\n",
        "[server]\nport = 3307\nbind-address=\"*\"\nexpire_logs_days=10\nsync_binlog=1\n\
         gtid_mode=ON\nenforce_gtid_consistency\ngtid-executed=\n!include /nowhere.cnf\n",
        "; comment\n[weir]\nslave-skip-errors=1062,1032\nsource-connect-retry=60\n\
         binlog_row_metadata=FULL\nmax_connections=1e3\nlog_error='/tmp/a b'\n",
        "server_id = 7\n[replica]\nreplicate_do_db = [\"shop\", \"stock\"]\nread_only = true\n",
        "[primary]\nport = 0x10\nmax_binlog_size = 1_000_000\n[other.inner]\nx = 1979-05-27\n",
    ];
    FILES
        .iter()
        .map(|text| Seed::bytes("file", *text))
        .collect()
}

/// Key files with every kind of line.
#[must_use]
pub fn key_files() -> Vec<Seed> {
    const FILES: [&str; 2] = [
        "# keys\n1;000102030405060708090a0b0c0d0e0f\n2 ; 000102030405060708090a0b0c0d0e0f0001020304050607 # c\n",
        "4294967295;000102030405060708090A0B0C0D0E0F000102030405060708090A0B0C0D0E0F\n\n",
    ];
    FILES
        .iter()
        .map(|text| Seed::bytes("made", *text))
        .collect()
}

/// Schema snapshots, and a line that was never finished.
#[must_use]
pub fn schemas() -> Vec<Seed> {
    const FILES: [&str; 2] = [
        "{\"offset\":1234,\"schema\":\"shop\",\"table\":\"item\",\"columns\":[{\"name\":\"id\",\
         \"type\":\"bigint unsigned\",\"code\":8,\"metadata\":0,\"unsigned\":true},{\"name\":\"kind\",\
         \"type\":\"enum('a')\",\"code\":254,\"metadata\":63233,\"collation\":255,\
         \"members\":[\"a\",{\"bytes\":[255]}],\"visible\":false,\"generated\":true}],\
         \"keys\":[{\"name\":\"PRIMARY\",\"columns\":[{\"column\":\"id\",\"prefix\":3}]}]}\n",
        "{\"offset\":4,\"schema\":\"s\",\"table\":\"t\",\"columns\":[]}\n{\"offset\":9,\"sch",
    ];
    FILES
        .iter()
        .map(|text| Seed::bytes("made", *text))
        .collect()
}
