use proptest::prelude::*;

use super::*;

#[test]
fn prints_mysqls_normal_form() {
    for (given, printed) in [
        ("null", "null"),
        (" [1,2.0, 1e20 ,-3] ", "[1, 2.0, 1e20, -3]"),
        (r#"{"bb":1,"a":{"x":[]},"a":2}"#, r#"{"a": 2, "bb": 1}"#),
        (r#""\u00e4\ud83d\ude00\n\u0001\/""#, "\"ä😀\\n\\u0001/\""),
        ("18446744073709551615", "18446744073709551615"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("18446744073709551616", "1.8446744073709552e19"),
    ] {
        let value = parse(given).unwrap();
        assert_eq!(value.to_string(), printed);
        assert_eq!(to_text(&encode(&value).unwrap()).unwrap(), printed);
    }
}

#[test]
fn refuses_what_is_no_json_in_mysqls_words() {
    for (text, error) in [
        ("", "\"The document is empty.\" at position 0"),
        (
            "[1",
            "\"Missing a comma or ']' after an array element.\" at position 2",
        ),
        ("{1}", "\"Missing a name for object member.\" at position 1"),
        (
            "{\"a\" 1}",
            "\"Missing a colon after a name of object member.\" at position 5",
        ),
        ("nul", "\"Invalid value.\" at position 3"),
        (
            "0e400",
            "\"Number too big to be stored in double.\" at position 0",
        ),
        (
            "1 2",
            "\"The document root must not be followed by other values.\" at position 2",
        ),
        (
            "\"a",
            "\"Missing a closing quotation mark in string.\" at position 2",
        ),
        ("1.", "\"Miss fraction part in number.\" at position 2"),
    ] {
        assert_eq!(parse(text).unwrap_err().to_string(), error, "{text}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(parse(&deep).unwrap_err().message, parse::TOO_DEEP);
    assert!(parse(&format!("{}1{}", "[".repeat(100), "]".repeat(100))).is_ok());
}

#[test]
fn a_container_over_64_kib_is_large() {
    let items: Vec<_> = (0..9_000)
        .map(|n| JsonValue::String(format!("item {n}")))
        .collect();
    let value = JsonValue::Array(vec![JsonValue::Array(items), JsonValue::Int(70_000)]);
    let binary = encode(&value).unwrap();
    assert_eq!(binary[0], LARGE_ARRAY);
    assert_eq!(decode(&binary).unwrap(), value);
}

#[test]
fn overlapping_values_do_not_multiply() {
    // An array whose entries all point to the same nested array, level upon level.
    let mut level = vec![SMALL_ARRAY];
    level.extend([2, 0, 0, 0]);
    let mut bytes = vec![];
    for _ in 0..40 {
        bytes.extend([2_u8, 0, 0xff, 0xff]);
        bytes.extend([SMALL_ARRAY, 10, 0, SMALL_ARRAY, 10, 0]);
    }
    let len = u16::try_from(bytes.len()).unwrap();
    for chunk in bytes.chunks_mut(10) {
        chunk[2..4].copy_from_slice(&(len / 40).to_le_bytes());
    }
    let mut document = vec![SMALL_ARRAY];
    document.extend(bytes);
    assert!(decode(&document).is_err());
}

fn json() -> impl Strategy<Value = JsonValue> {
    let leaf = prop_oneof![
        Just(JsonValue::Null),
        any::<bool>().prop_map(JsonValue::Bool),
        any::<i64>().prop_map(JsonValue::Int),
        (0i64..100_000).prop_map(JsonValue::Int),
        any::<u64>().prop_map(JsonValue::UInt),
        any::<f64>()
            .prop_filter("finite", |f| f.is_finite())
            .prop_map(JsonValue::Double),
        "\\PC{0,200}".prop_map(JsonValue::String),
        "-?[0-9]{1,20}\\.[0-9]{1,9}".prop_map(|text| JsonValue::Decimal(text.parse().unwrap())),
        (0u16..10_000, 0u8..13, 0u8..32).prop_map(|(year, month, day)| JsonValue::Date(Date {
            year,
            month,
            day
        })),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(|data| JsonValue::Opaque {
            column_type: 16,
            data
        }),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(JsonValue::Array),
            prop::collection::vec(("\\PC{0,9}", inner), 0..8).prop_map(JsonValue::object),
        ]
    })
}

proptest! {
    #[test]
    fn binary_form_round_trips(value in json()) {
        let binary = encode(&value).unwrap();
        prop_assert_eq!(&decode(&binary).unwrap(), &value);
        prop_assert_eq!(encode(&decode(&binary).unwrap()).unwrap(), binary);
    }

    #[test]
    fn damaged_documents_are_read_or_refused(value in json(), at: usize, byte: u8, cut: usize) {
        let mut binary = encode(&value).unwrap();
        let len = binary.len();
        binary[at % len] = byte;
        let _ = decode(&binary);
        let _ = decode(&binary[..cut % len]);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[\\[\\]{}\",:0-9eE.\\\\u -]{0,40}") {
        let _ = parse(&text);
    }
}
