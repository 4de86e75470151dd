//! Values that are hard to read: written down by hand, and generated from what makes them hard.

use integration::chance::Chance;
use mysql_async::Value;

use crate::columns::Class;

/// A value on its way to a column.
#[derive(Clone, Debug)]
pub(crate) enum Given {
    /// Text of an expression in the statement.
    Literal(String),
    /// A parameter of a prepared statement.
    Parameter(Value),
}

const MOMENTS: &[&str] = &[
    "2001-01-01 23:59:59.9",
    "2001-01-01 23:59:59.9999995",
    "2001-01-01 23:59:59.999999",
    "00-00-00",
    "5-10-10",
    "05-1-1",
    "2009-04-31",
    "2009-02-29",
    "2008-02-29",
    "2009-02-31 25:00:00",
    "0000-00-00",
    "0000-00-00 00:00:00",
    "0000-00-00 00:00:01",
    "2009-00-01",
    "2009-01-00",
    "2009-00-00 10:11:12",
    "0000-01-01",
    "0001-01-01",
    "9999-12-31 23:59:59.9999999",
    "9999-12-31 23:59:59.4",
    "10000-01-01",
    "2001-01-01T10:11:12",
    "2001-01-01t10:11:12",
    "2001-01-01 10:11:12Z",
    "2001-01-01 10:11:12+05:30",
    "2001-01-01 10:11:12.5+05:30",
    "2001-01-01 10:11:12-14:00",
    "2001-01-01 10:11:12+14:01",
    "2001-01-01 10:11:12-00:00",
    "2001-01-01 10:11:12 +05:30",
    "2001-01-01 10:11:12+5:30",
    "2001-01-01+05:30",
    "2001-01-01 10:11:12+00:00",
    "20010101101112+05:30",
    "0000-00-00 00:00:00+01:00",
    "2001-00-00 10:10:10+01:00",
    "2001-01-01 10",
    "2001-01-01 10:",
    "2001-01-01 10:11",
    "2001-01-01 10:11:",
    "2001-01-01 10:11:12.",
    "2001-01-01 ",
    "2001-01-01  10:11:12",
    " 2001-01-01",
    "\t2001-01-01 10:11:12",
    "2001-01-01 10:11:12 ",
    "2001-01-01 10:11:12 x",
    "2001-01-01x",
    "2001-01-01 x",
    "2001/01/01",
    "2001.01.01",
    "2001:01:01 10.11.12",
    "2001-1-1",
    "2001-1-1 1:2:3",
    "2001-01-01-10-11-12",
    "2001--01--01",
    "2001-01 -01",
    "2001^01@01 10#11$12",
    "20010101",
    "010101",
    "20010101101112",
    "010101101112",
    "20010101T101112",
    "20010101 101112",
    "20010101101112.5",
    "010101101112.5",
    "20010101.5",
    "2001010110",
    "200101011011",
    "2001010",
    "20010",
    "2001",
    "200101",
    "1",
    "12",
    "123",
    "1234",
    "12345",
    "123456789",
    "1234567890",
    "12345678901",
    "20011301",
    "20010132",
    "2001-13-01",
    "2001-01-32",
    "2001-01-01 24:00:00",
    "2001-01-01 23:60:00",
    "2001-01-01 23:59:60",
    "1970-01-01 00:00:00",
    "1970-01-01 00:00:01",
    "1970-01-01 05:30:00",
    "1970-01-01 05:30:01",
    "1969-12-31 16:00:01",
    "2038-01-19 03:14:07",
    "2038-01-19 03:14:07.999999",
    "2038-01-19 03:14:07.9999995",
    "2038-01-19 03:14:08",
    "2038-01-19 08:44:07.5",
    "2038-01-18 19:14:07",
    "1000-01-01",
    "69-12-31",
    "70-01-01",
    "99-12-31 23:59:59",
    "99-1-1",
    "100-01-01",
    "999-1-1",
    "001-01-01",
    "",
    " ",
    "abc",
    "-",
    "-2001-01-01",
    "+2001-01-01",
    "2001-01-01 -10:11:12",
    "2001-01-01 10:11:12.123456789",
    "2001-01-01 10:11:12.000000999",
    "2001-01-01 10:11:12.1e3",
    "2001-01-01 10:11:12,5",
    "0",
    "00000000",
    "000000",
    "00000000000000",
    "0000",
    "2001-01-01 10:11:12.5 ",
    "2001-01-01 1:1",
    "2001-1-1T1:1:1",
    "2001-02-30",
    "2001-04-31 10:00:00",
    "2001-2-3 4:5:6.7",
    "0000-00-00 10:11:12",
    "10:11:12",
    "2001-01-01 101112",
];

const TIMES: &[&str] = &[
    "10:11:12.000000",
    "00:01:02.000001",
    "10:10:59.5",
    "10:11:12",
    "-10:11:12",
    "+10:11:12",
    "--10:11:12",
    "1 10:11:12",
    "-1 10:11:12",
    "34 22:59:59",
    "34 23:00:00",
    "35 00:00:00",
    "1 1",
    "1 1:2",
    "1  1:2:3",
    "1 x",
    "838:59:59",
    "838:59:59.9",
    "838:59:59.999999",
    "838:59:59.9999999",
    "839:00:00",
    "-838:59:59.5",
    "-839:00:00",
    "9999:00:00",
    "99999999:00:00",
    "99999999999:00:00",
    "0",
    "00",
    "1",
    "12",
    "123",
    "1234",
    "12345",
    "123456",
    "1234567",
    "12345678",
    "8385959",
    "8385960",
    "8390000",
    "123456789",
    "101112",
    "10111",
    "101112.5",
    "1112.5",
    "12.5",
    "1.5",
    ".5",
    "0.5",
    "10.5",
    "10:11",
    "10:11.5",
    "10:",
    "10:11:",
    ":10",
    "10:11:12:13",
    "10:11:12.",
    "10:11:12.5",
    "10:11:12.05",
    "10:11:12.0000005",
    "10:11:12.9999995",
    "10:59:59.9999995",
    "23:59:59.9999995",
    "10:60:00",
    "10:00:60",
    "10:61",
    "1:2:3",
    "1:2",
    "100:1:1",
    "",
    " ",
    "abc",
    "10:11:12abc",
    "10:11:12 abc",
    "10:11:12 ",
    " 10:11:12",
    "\t10:11:12",
    "10 :11:12",
    "10: 11:12",
    "10:11 :12",
    "-",
    "-0:0:1",
    "-00:00:00",
    "-00:00:00.0000001",
    "-00:00:00.5",
    "10:11:12+05:30",
    "10:11:12 AM",
    "10.11.12",
    "10-11-12",
    "2001-01-01 10:11:12",
    "2001-01-01 10:11:12.5",
    "2001-01-01",
    "20010101101112",
    "20010101101112.5",
    "010101101112",
    "2001-01-01T10:11:12",
    "2001-01-01 10:11",
    "2001-01-01 10",
    "0000-00-00 00:00:00",
    "2001-13-01 10:11:12",
    "2001-01-01 25:00:00",
    "-2001-01-01 10:11:12",
    "2001-00-00 10:11:12",
    "2001-01-01 10:11:12+05:30",
    "1e2",
    "10:1e2",
    "10:11:12e3",
    "0 10:11:12",
    "00 10:11:12",
    "1 24:00:00",
    "1 100:00:00",
    "00:00:00.000001",
    "00:00:00.0000004",
    "00:00:01.1234567",
    "00:00:01.123456499",
    "1234567890",
    "12345678901234",
    "1:1:1.1",
    "10:11:12..5",
    "99:99:99",
    "1 -1:00:00",
    "850:00:00.1",
    "10:11:12.123456789012345678901234567890",
    "0:0:0",
    "000:00:00",
];

const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "1",
    "-1",
    "+1",
    "00012",
    "127",
    "128",
    "-128",
    "-129",
    "255",
    "256",
    "32767",
    "32768",
    "-32769",
    "65535",
    "65536",
    "8388607",
    "8388608",
    "-8388609",
    "16777215",
    "16777216",
    "2147483647",
    "2147483648",
    "-2147483648",
    "-2147483649",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999",
    "-99999999999999999999",
    "1e0",
    "1e1",
    "1e-1",
    "1e308",
    "1e309",
    "-1e309",
    "1e-400",
    "1e400",
    "1e-4294967296",
    "1e4294967296",
    "1e18446744073709551615",
    "1e-18446744073709551616",
    "1e99999999999999999999",
    "1e-99999999999999999999",
    "1.5e1",
    "15e-1",
    "0.5",
    "-0.5",
    "1.5",
    "2.5",
    "-1.5",
    "-2.5",
    "0.4999999999999999999999",
    "0.49999999999999994",
    "1.005",
    "1.0049999",
    "999.99",
    "999.995",
    "999.994",
    "-999.995",
    "99999.9994",
    "0.00005",
    "0.00004999",
    "0.99995",
    "0.9999",
    "123.456",
    "123456789.123456789",
    ".5",
    "5.",
    ".",
    "-.5",
    "+.5e1",
    "1e",
    "1e+",
    "1e-",
    "e1",
    "1.2.3",
    "1 2",
    " 12",
    "12 ",
    " 12 ",
    "\t12",
    "12\t",
    "\n12\n",
    "12abc",
    "abc",
    "1,000",
    "0x10",
    "",
    " ",
    "-",
    "+",
    "- 1",
    "NaN",
    "inf",
    "3.4028234e38",
    "3.4028235e38",
    "3.4028236e38",
    "3.5e38",
    "-3.5e38",
    "1.17e-38",
    "1e-45",
    "1e-46",
    "16777217",
    "1.7976931348623157e308",
    "1.7976931348623159e308",
    "2.2250738585072014e-308",
    "4.9e-324",
    "1e-330",
    "0.1",
    "0.2",
    "1.1",
    "1234.5675",
    "9999.9994",
    "9999.9995",
    "99999999.995",
    "99999999.994",
    "0.000000000000000000000000000001",
    "0.0000000000000000000000000000005",
    "99999999999999999999999999999999999.999999999999999999999999999999",
    "99999999999999999999999999999999999.9999999999999999999999999999999",
    "1e35",
    "1e34",
    "1e64",
    "1e65",
    "1e66",
    "12345678901234567890123456789012345678901234567890123456789012345",
    "123456789012345678901234567890123456789012345678901234567890123456",
    "-999999999999999999999999999999",
    "999999999999999999999999999999.5",
    "1e-30",
    "5e-31",
    "4e-31",
    "1E5",
    "1e+5",
    "1e 5",
    "0e0",
    "0e400",
    "-0.0",
    "-0.004",
    "0.005",
    "-0.005",
    "1e2abc",
    "1.5abc",
    "0.5 ",
    "1e0000000000000000000001",
];

const YEARS: &[&str] = &[
    "0",
    "00",
    "000",
    "0000",
    "1",
    "01",
    "69",
    "70",
    "99",
    "100",
    "155",
    "1900",
    "1901",
    "2000",
    "2155",
    "2156",
    "-1",
    "",
    " ",
    "abc",
    "2001abc",
    "2001 ",
    " 2001",
    "2001-01-01",
    "1.5",
    "69.5",
    "1e1",
    "0x7d0",
    "+5",
    "-0",
    "0.4",
    "0.0",
    "12345",
    "99999999999",
    "2001.5",
    "2001.4",
    "20e2",
    "2e3",
];

const TEXTS: &[&str] = &[
    "",
    " ",
    "a",
    "abc",
    "abcde",
    "abcdef",
    "abcde ",
    "abcde   ",
    "abc   ",
    "      ",
    "abcdefghij",
    "abcdefghijk",
    "abcdefghij  ",
    "é",
    "ééé",
    "éééé",
    "éa é",
    "漢字",
    "漢字漢字漢字漢字",
    "😀",
    "a😀b",
    "aé漢😀",
    "ß",
    "ÿ",
    "€",
    "ab€",
    "\0",
    "a\0b",
    "abc\0",
    "abc\0\0\0",
    "\n",
    "\t",
    "'",
    "\"",
    "\\",
    "%_",
    "\u{80}",
    "\u{85}",
    "e\u{301}",
    "\u{feff}x",
    "abcdefg",
    "abcdefgh",
    "abcdefg\0",
];

const MEMBERS: &[&str] = &[
    "a",
    "b",
    "A",
    "B ",
    " a",
    "a ",
    "C c",
    "c c",
    "1",
    "2",
    "3",
    "5",
    "6",
    "7",
    "10",
    "0",
    "00",
    "01",
    "1 ",
    "",
    " ",
    "a,b",
    "b,a",
    "a,a",
    "a,",
    ",a",
    "a,,b",
    "x y",
    "X Y,2",
    "2,a",
    "15",
    "16",
    "8",
    "zz",
    "a,zz",
    "zz,a",
    "é",
    "É",
    "z",
    "e",
    "x",
    "1,2",
    "-1",
    "99999999999999999999",
    "1.0",
    "a\0",
    "x y,a,b,2",
    "3,4",
    "0x1",
];

const DOCUMENTS: &[&str] = &[
    "1",
    "-1",
    "3.14",
    "1e2",
    "\"a\"",
    "\"é😀\"",
    "null",
    "true",
    "false",
    "[]",
    "{}",
    "[1,2,3]",
    "{\"a\":1}",
    "{\"b\":1,\"a\":2}",
    "{\"aa\":1,\"b\":2}",
    "{\"a\":1,\"a\":2}",
    " [1] ",
    "[1,]",
    "{a:1}",
    "abc",
    "",
    " ",
    "'a'",
    "1 2",
    "nul",
    "01",
    "1.0",
    "1.50",
    "1e400",
    "-0",
    "-0.0",
    "0.1",
    "123456789012345678901234567890",
    "18446744073709551615",
    "9223372036854775808",
    "\"\\u00e9\"",
    "\"\\ud83d\\ude00\"",
    "\"\\ud83d\"",
    "\"a\\nb\"",
    "\"\\/\"",
    "[[[[1]]]]",
    "{\"\":\"\"}",
    "[1.10, 2e0, \"x\"]",
    "\"2001-01-01\"",
    "1E5",
    "1e-7",
    "1.7976931348623157e308",
    "0.00001",
    "100000000000000000000.0",
    "{\"a\": {\"b\": [1, {\"c\": null}]}}",
    "tru",
    "[",
    "\"",
    "\"\\x\"",
    "\"\t\"",
];

/// Expressions that are no string and no plain number.
const EXPRESSIONS: &[&str] = &[
    "NULL",
    "TRUE",
    "FALSE",
    "X'41'",
    "X'00'",
    "X''",
    "X'C3A9'",
    "X'FF'",
    "X'E9'",
    "X'41424344454647484950'",
    "0x32303031",
    "X'313233'",
    "X'FFFFFFFFFFFFFFFF'",
    "X'01FFFFFFFFFFFFFFFF'",
    "b'0'",
    "b'1'",
    "b'11111111'",
    "b'1010101010101010'",
    "DATE'2001-01-01'",
    "DATE'0001-01-01'",
    "DATE'9999-12-31'",
    "TIME'10:11:12'",
    "TIME'10:11:12.5'",
    "TIME'10:11:12.000000'",
    "TIME'10:11:12.123456'",
    "TIME'-10:11:12.5'",
    "TIME'838:59:59'",
    "TIME'-838:59:59'",
    "TIME'23:59:59.999999'",
    "TIME'00:00:00.5'",
    "TIME'10:10:59.5'",
    "TIMESTAMP'2001-01-01 10:11:12'",
    "TIMESTAMP'2001-01-01 10:11:12.5'",
    "TIMESTAMP'2001-12-31 23:59:59.999999'",
    "TIMESTAMP'2001-01-01 23:59:59.5'",
    "TIMESTAMP'9999-12-31 23:59:59'",
    "TIMESTAMP'2001-01-01 00:00:00.000001'",
    "TIMESTAMP'1970-01-01 00:00:00'",
    "TIMESTAMP'2001-01-01 10:11:12+05:30'",
    "TIMESTAMP'2038-01-19 03:14:07.5'",
    "CAST('2001-01-01 10:11:12.123456' AS DATETIME(6))",
    "CAST('2001-01-01 10:11:12.987' AS DATETIME(3))",
    "CAST('2001-01-01' AS DATE)",
    "CAST('10:11:12.987654' AS TIME(6))",
    "CAST('10:11:12.9' AS TIME)",
    "CAST(1.5 AS DECIMAL(10,5))",
    "CAST('12.345' AS DECIMAL(20,10))",
    "CAST(-1 AS UNSIGNED)",
    "CAST(18446744073709551615 AS UNSIGNED)",
    "CAST('abc' AS CHAR(2))",
    "CAST('ab' AS BINARY(4))",
    "CAST('5' AS SIGNED)",
    "CAST('[1,2]' AS JSON)",
    "CAST('\"abc\"' AS JSON)",
    "CAST('1.5' AS JSON)",
    "CAST('null' AS JSON)",
    "CAST(1 AS JSON)",
    "CAST(CAST('2001-01-01' AS DATE) AS JSON)",
    "JSON_OBJECT('a', 1.50)",
    "JSON_ARRAY(1, 'x', NULL)",
    "JSON_QUOTE('x')",
    "CAST('12' AS YEAR)",
    "CAST(1.5e0 AS DOUBLE)",
    "1 + 1",
    "1 / 3",
    "2e0 / 3",
    "-(-1)",
    "1.0 * 1.000",
    "CONCAT('20', '01-01-01')",
    "REPEAT('x', 300)",
    "REPEAT('é', 200)",
    "SPACE(300)",
    "REPEAT(' ', 12)",
    "0.1e0 + 0.2e0",
    "1e0",
    "100e0",
    "1e15",
    "1e16",
    "1.5e20",
    "1e-5",
    "123456.789e0",
    "1.7976931348623157e308",
    "-1e100",
    "3.4e38",
    "PI()",
    "0.1",
    "-0.0",
    "-0e0",
    "1.10",
    "2.50e0",
    "12345678901234567890",
    "-12345678901234567890",
    "_latin1'abc'",
    "_binary'abc'",
    "_utf8mb4'é'",
    "N'x'",
    "20010101",
    "010101",
    "20010101101112",
    "20010101101112.5",
    "20010101101112.9999995",
    "101112",
    "123456789",
    "8385959",
    "8386060",
    "101112.5",
    "-101112",
    "991231",
    "991231235959",
    "1",
    "70",
    "69",
    "99",
    "100",
    "2155",
    "2156",
    "1901",
    "1900",
    "101",
    "1231",
    "691231",
    "700101",
    "10101",
    "20010229",
    "20010431",
    "20010100",
    "20010001",
    "99991231235959",
    "99991231235959.9",
    "100000101000000",
    "20011301",
    "2001",
    "200101",
    "0",
    "00",
    "-1",
    "0.5",
    "1.5",
    "10101000000",
    "1e7",
    "2.0010101e7",
    "2.0010101101112e13",
    "850",
    "6000",
    "60",
    "5960",
    "995959",
    "1005959",
    "10000000000",
    "10111213141516",
    "20010101101112e0",
    "101112.5e0",
];

/// A value for a column of this class, or now and then of any other.
pub(crate) fn given(chance: &mut Chance, class: Class) -> Given {
    match chance.below(20) {
        0..=8 => Given::Literal(quoted(&text(chance, class))),
        9..=11 => Given::Literal(numeric_literal(chance)),
        12..=14 => Given::Literal(pick(chance, EXPRESSIONS).to_owned()),
        15 => Given::Parameter(Value::Bytes(text(chance, class).into_bytes())),
        _ => Given::Parameter(parameter(chance)),
    }
}

fn pick<'t>(chance: &mut Chance, from: &[&'t str]) -> &'t str {
    let index = usize::try_from(chance.below(from.len() as u64)).unwrap_or(0);
    from.get(index).copied().unwrap_or_default()
}

/// A string as a statement writes it, in every sql_mode of the test.
fn quoted(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('\'', "\\'")
        .replace('\0', "\\0");
    format!("'{escaped}'")
}

fn text(chance: &mut Chance, class: Class) -> String {
    let own = match class {
        Class::Number | Class::Bits => NUMBERS,
        Class::Year => YEARS,
        Class::Date | Class::Moment => MOMENTS,
        Class::Time => TIMES,
        Class::Text | Class::Bytes => TEXTS,
        Class::Members => MEMBERS,
        Class::Json => DOCUMENTS,
    };
    match chance.below(10) {
        0..=3 => pick(chance, own).to_owned(),
        4 | 5 => mutated(chance, own),
        6 => {
            let all = [NUMBERS, YEARS, MOMENTS, TIMES, TEXTS, MEMBERS, DOCUMENTS];
            let index = usize::try_from(chance.below(7)).unwrap_or(0);
            pick(chance, all.get(index).copied().unwrap_or(TEXTS)).to_owned()
        }
        _ => match class {
            Class::Date | Class::Moment => moment_text(chance),
            Class::Time if chance.below(4) > 0 => time_text(chance),
            Class::Time => moment_text(chance),
            Class::Number | Class::Bits | Class::Year => number_text(chance),
            Class::Text | Class::Bytes | Class::Members | Class::Json => any_text(chance),
        },
    }
}

/// One of the texts with one character more, less or other.
fn mutated(chance: &mut Chance, from: &[&str]) -> String {
    let alphabet: Vec<char> = "0123456789-:.+ Te/,x\t".chars().collect();
    let mut characters: Vec<char> = pick(chance, from).chars().collect();
    let at = usize::try_from(chance.below(characters.len() as u64 + 1)).unwrap_or(0);
    let index = usize::try_from(chance.below(alphabet.len() as u64)).unwrap_or(0);
    let other = alphabet.get(index).copied().unwrap_or('0');
    match chance.below(3) {
        0 => characters.insert(at, other),
        1 if at < characters.len() => {
            characters.remove(at);
        }
        _ => {
            if let Some(place) = characters.get_mut(at) {
                *place = other;
            }
        }
    }
    characters.into_iter().collect()
}

fn digits(chance: &mut Chance, most: u64) -> String {
    (0..=chance.below(most))
        .map(|_| char::from(b'0' + u8::try_from(chance.below(10)).unwrap_or(0)))
        .collect()
}

/// Digits of a part up to a little beyond its range, mostly two.
fn part(chance: &mut Chance, end: u64) -> String {
    let value = match chance.below(8) {
        0 => end,
        1 => 0,
        2 => end - 1,
        _ => chance.below(end),
    };
    match chance.below(5) {
        0 => format!("{value}"),
        _ => format!("{value:02}"),
    }
}

fn fraction(chance: &mut Chance) -> String {
    match chance.below(6) {
        0 => String::new(),
        1 => ".".to_owned(),
        2 => format!(
            ".{}",
            "9".repeat(usize::try_from(chance.below(9)).unwrap_or(0))
        ),
        3 => format!(
            ".{}5",
            "9".repeat(usize::try_from(chance.below(7)).unwrap_or(0))
        ),
        _ => format!(".{}", digits(chance, 9)),
    }
}

fn tail(chance: &mut Chance) -> &'static str {
    pick(
        chance,
        &[
            "", "", "", "", "", "", " ", "Z", "+05:30", "-03:00", "+14:00", "-14:00", "+00:00",
            "abc", "\t", " x", ".", ":", "-",
        ],
    )
}

fn moment_text(chance: &mut Chance) -> String {
    let separator = pick(
        chance,
        &["-", "-", "-", "-", "/", ".", ":", "", "", "--", " ", "@"],
    );
    let year = match chance.below(10) {
        0 => part(chance, 100),
        1 => digits(chance, 5),
        2 => "0000".to_owned(),
        3 => "9999".to_owned(),
        4 => "2038".to_owned(),
        5 => "1970".to_owned(),
        _ => format!("{}", 1969 + chance.below(80)),
    };
    let mut text = [year, part(chance, 13), part(chance, 32)].join(separator);
    if chance.below(4) > 0 {
        text.push_str(pick(
            chance,
            &[" ", " ", " ", " ", "T", "T", "  ", "", "-", ":"],
        ));
        let colon = pick(chance, &[":", ":", ":", ":", "", ".", "-", "::"]);
        let parts = match chance.below(6) {
            0 => vec![part(chance, 24)],
            1 => vec![part(chance, 24), part(chance, 60)],
            _ => vec![part(chance, 24), part(chance, 60), part(chance, 60)],
        };
        text.push_str(&parts.join(colon));
        text.push_str(&fraction(chance));
    }
    text.push_str(tail(chance));
    text
}

fn time_text(chance: &mut Chance) -> String {
    let mut text = pick(chance, &["", "", "", "", "-", "-", "+", " ", "- "]).to_owned();
    if chance.below(5) == 0 {
        text.push_str(&format!("{} ", chance.below(40)));
    }
    match chance.below(5) {
        0 => text.push_str(&digits(chance, 8)),
        1 => text.push_str(&format!("{}:{}", chance.below(900), part(chance, 60))),
        _ => {
            let hours = match chance.below(4) {
                0 => format!("{}", chance.below(850)),
                _ => part(chance, 24),
            };
            text.push_str(&format!(
                "{hours}:{}:{}",
                part(chance, 60),
                part(chance, 60)
            ));
        }
    }
    text.push_str(&fraction(chance));
    text.push_str(tail(chance));
    text
}

fn number_text(chance: &mut Chance) -> String {
    let mut text = pick(chance, &["", "", "", "", "-", "-", "+", " ", "\t", "  -"]).to_owned();
    text.push_str(&number(chance));
    text.push_str(pick(
        chance,
        &["", "", "", "", "", " ", "\t", "x", " x", "e", ".", "-"],
    ));
    text
}

fn number(chance: &mut Chance) -> String {
    let length = pick(chance, &["3", "3", "6", "12", "21", "40", "70"]);
    let mut text = digits(chance, length.parse().unwrap_or(3));
    if chance.below(2) == 0 {
        let length = pick(chance, &["2", "4", "8", "20", "35"]);
        text.push('.');
        text.push_str(&digits(chance, length.parse().unwrap_or(2)));
    }
    if chance.below(4) == 0 {
        text.push_str(pick(chance, &["e", "E", "e-", "e+"]));
        let length = pick(chance, &["1", "1", "2", "2", "3"]);
        text.push_str(&digits(chance, length.parse().unwrap_or(1)));
    }
    text
}

fn numeric_literal(chance: &mut Chance) -> String {
    let sign = pick(chance, &["", "", "-"]);
    if chance.below(3) > 0 {
        return format!("{sign}{}", number(chance));
    }
    // Numbers that look like dates and times.
    let mut text = String::new();
    for end in [99_u64, 13, 32, 24, 60, 60]
        .into_iter()
        .skip(usize::try_from(chance.below(4)).unwrap_or(0))
    {
        text.push_str(&format!("{:02}", chance.below(end + 1)));
    }
    if chance.below(2) == 0 {
        text = format!("20{text}");
    }
    format!("{sign}{text}{}", fraction(chance))
}

fn any_text(chance: &mut Chance) -> String {
    let alphabet: Vec<char> = "abcXYZ019 ,.é漢😀ß€\0'\"\\".chars().collect();
    let most = match chance.below(12) {
        0 => 300,
        1 | 2 => 40,
        _ => 12,
    };
    (0..chance.below(most))
        .map(|_| {
            let index = usize::try_from(chance.below(alphabet.len() as u64)).unwrap_or(0);
            alphabet.get(index).copied().unwrap_or('a')
        })
        .collect()
}

fn parameter(chance: &mut Chance) -> Value {
    let numbers: [i64; 16] = [
        0,
        1,
        -1,
        69,
        70,
        100,
        127,
        255,
        65_536,
        2_147_483_648,
        i64::MIN,
        i64::MAX,
        20_010_101,
        101_112,
        20_010_101_101_112,
        -101_112,
    ];
    match chance.below(9) {
        0 => Value::NULL,
        1 | 2 => {
            let index = usize::try_from(chance.below(16)).unwrap_or(0);
            let number = numbers.get(index).copied().unwrap_or(0);
            match chance.below(2) {
                0 => Value::Int(number),
                _ => Value::UInt(number.cast_unsigned()),
            }
        }
        3 => {
            let float: f32 = number(chance).parse().unwrap_or(0.5);
            Value::Float(if float.is_finite() { float } else { -1e30 })
        }
        4 => {
            let double: f64 = number(chance).parse().unwrap_or(0.5);
            Value::Double(if double.is_finite() { double } else { -1e300 })
        }
        5 | 6 => {
            let mut within = |end: u64| u8::try_from(chance.below(end)).unwrap_or(0);
            let (month, day, hour, minute, second) =
                (within(13), within(32), within(24), within(60), within(60));
            let micros = micros(chance);
            let year = match chance.below(8) {
                0 => 0,
                1 => 9999,
                _ => u16::try_from(1965 + chance.below(80)).unwrap_or(2000),
            };
            match chance.below(3) {
                0 => Value::Date(year, month, day, 0, 0, 0, 0),
                1 => Value::Date(year, month, day, hour, minute, second, 0),
                _ => Value::Date(year, month, day, hour, minute, second, micros),
            }
        }
        7 => {
            let mut within = |end: u64| u8::try_from(chance.below(end)).unwrap_or(0);
            let (hour, minute, second) = (within(24), within(60), within(60));
            let days = u32::try_from(chance.below(40).saturating_sub(4)).unwrap_or(0);
            Value::Time(
                chance.below(2) == 0,
                days,
                hour,
                minute,
                second,
                micros(chance),
            )
        }
        _ => Value::Bytes(
            (0..chance.below(10))
                .map(|_| u8::try_from(chance.below(256)).unwrap_or(0))
                .collect(),
        ),
    }
}

fn micros(chance: &mut Chance) -> u32 {
    match chance.below(5) {
        0 => 0,
        1 => 999_999,
        2 => 500_000,
        3 => 1,
        _ => u32::try_from(chance.below(1_000_000)).unwrap_or(0),
    }
}
