use proptest::prelude::*;

use super::*;

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn text(decimal: Option<Decimal>) -> String {
    decimal.map_or("none".to_owned(), |decimal| decimal.to_string())
}

#[test]
fn reads_and_prints_numbers() {
    for (given, printed) in [
        ("0", "0"),
        ("-0.00", "0.00"),
        ("+12.50", "12.50"),
        (".5", "0.5"),
        ("5.", "5"),
        ("000123", "123"),
        ("1e3", "1000"),
        ("1.25E-4", "0.000125"),
        ("123.456e1", "1234.56"),
        (
            "0.0000000000000000000000000000004",
            "0.000000000000000000000000000000",
        ),
        (
            "0.0000000000000000000000000000005",
            "0.000000000000000000000000000001",
        ),
    ] {
        assert_eq!(d(given).to_string(), printed, "{given}");
    }
    for bad in [
        "",
        "-",
        ".",
        "1x",
        "1e",
        "--1",
        "1e99999999999",
        &"9".repeat(66),
    ] {
        assert!(bad.parse::<Decimal>().is_err(), "{bad}");
    }
    assert_eq!(d(&"9".repeat(65)).to_string(), "9".repeat(65));
}

#[test]
fn follows_mysqls_scale_rules() {
    assert_eq!(text(d("1.10").add(d("2.205"))), "3.305");
    assert_eq!(text(d("1.1").sub(d("1.10"))), "0.00");
    assert_eq!(text(d("1.5").mul(d("-2.50"))), "-3.750");
    assert_eq!(text(d("2").div(d("3"), 4)), "0.6667");
    assert_eq!(text(d("10").div(d("4"), 4)), "2.5000");
    assert_eq!(text(d("2.00000").div(d("3"), 4)), "0.666666666");
    assert_eq!(text(d("1").div(d("0.00"), 4)), "none");
    assert_eq!(text(d("-7.5").rem(d("2"))), "-1.5");
    assert_eq!(text(d("7").rem(d("0"))), "none");
    assert_eq!(text(d(&"9".repeat(65)).add(d("1"))), "none");
}

#[test]
fn rounds_half_away_from_zero() {
    for (number, places, rounded, cut) in [
        ("1.25", 1, "1.3", "1.2"),
        ("-1.25", 1, "-1.3", "-1.2"),
        ("1.5", 3, "1.500", "1.500"),
        ("1234.5", -2, "1200", "1200"),
        ("1250", -2, "1300", "1200"),
        ("55", -2, "100", "0"),
        ("-0.4", 0, "0", "0"),
        ("999.95", 1, "1000.0", "999.9"),
    ] {
        assert_eq!(text(d(number).round(places)), rounded, "{number}");
        assert_eq!(text(d(number).truncate(places)), cut, "{number}");
    }
    assert_eq!(text(d("1.1").ceil()), "2");
    assert_eq!(text(d("-1.1").ceil()), "-1");
    assert_eq!(text(d("-1.1").floor()), "-2");
    assert_eq!(text(d("2.0").floor()), "2");
}

#[test]
fn packs_as_the_manual_shows() {
    let mut packed = Vec::new();
    assert!(d("1234567890.1234").to_packed(&mut packed, 14, 4));
    assert_eq!(packed, [0x81, 0x0d, 0xfb, 0x38, 0xd2, 0x04, 0xd2]);
    let mut packed = Vec::new();
    assert!(d("-1234567890.1234").to_packed(&mut packed, 14, 4));
    assert_eq!(packed, [0x7e, 0xf2, 0x04, 0xc7, 0x2d, 0xfb, 0x2d]);
    assert!(!d("100").to_packed(&mut packed, 4, 2));
}

#[test]
fn refuses_impossible_columns_and_digits() {
    for (precision, scale) in [(0, 0), (66, 0), (10, 31), (5, 6)] {
        assert!(Decimal::from_packed(&mut Reader::new(&[0x80; 40]), precision, scale).is_err());
    }
    assert!(Decimal::from_packed(&mut Reader::new(&[0xff; 4]), 9, 0).is_err());
}

fn decimal() -> impl Strategy<Value = Decimal> {
    ("-?[0-9]{1,35}", "(\\.[0-9]{1,30})?").prop_map(|(whole, fraction)| d(&(whole + &fraction)))
}

proptest! {
    #[test]
    fn packing_round_trips(decimal in decimal()) {
        let mut packed = Vec::new();
        prop_assert!(decimal.to_packed(&mut packed, 65, 30));
        prop_assert_eq!(Some(packed.len()), Decimal::packed_len(65, 30));
        let back = Decimal::from_packed(&mut Reader::new(&packed), 65, 30).unwrap();
        prop_assert_eq!(back, decimal);
        prop_assert_eq!(text(back.round(decimal.scale().into())), decimal.to_string());
    }

    #[test]
    fn small_arithmetic_agrees_with_integers(a in -999_999_999_i64..1_000_000_000, b in -999_999_999_i64..1_000_000_000) {
        let (x, y) = (Decimal::from(a), Decimal::from(b));
        prop_assert_eq!(x.add(y), Some(Decimal::from(a + b)));
        prop_assert_eq!(x.sub(y), Some(Decimal::from(a - b)));
        prop_assert_eq!(x.mul(y), Some(Decimal::from(a * b)));
        prop_assert_eq!(x.cmp(&y), a.cmp(&b));
        if b != 0 {
            prop_assert_eq!(x.rem(y), Some(Decimal::from(a % b)));
            prop_assert_eq!(x.div(y, 4).unwrap().truncate(0), x.div(y, 9).unwrap().truncate(0));
            prop_assert_eq!(x.div(y, 9).unwrap().truncate(0), Some(Decimal::from(a / b)));
        }
    }

    #[test]
    fn addition_and_subtraction_undo_each_other(a in decimal(), b in decimal()) {
        prop_assert_eq!(a.add(b).unwrap().sub(b), Some(a));
    }

    #[test]
    fn any_packed_bytes_are_read_or_refused(bytes: Vec<u8>, precision: u8, scale: u8) {
        let _ = Decimal::from_packed(&mut Reader::new(&bytes), precision, scale);
    }
}
