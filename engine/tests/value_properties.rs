//! What holds for every value: stored forms keep value and order, the calendar is that of a library
//! that knows nothing of MySQL, decimals calculate as whole numbers do, and collations order.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a test fails by panicking, and its generators stay within what they cut to"
)]

use std::cmp::Ordering;

use binlog::value::{Date, DateTime, Decimal, Time, Timestamp, Value};
use engine::catalog::{BlobSize, ColumnType, IntegerSize};
use engine::collation;
use engine::collation::compare::{compare, equality_key};
use engine::value::stored::column::{decode, encode};
use engine::value::temporal::{Moment, Span, day_number, from_day_number};
use proptest::prelude::*;
use rusqlite::Connection;

/// How SQLite orders two stored forms, and what is read back of the first.
fn through_sqlite(
    column_type: &ColumnType,
    a: &Value<'static>,
    b: &Value<'static>,
) -> (Ordering, Value<'static>) {
    thread_local! {
        static CONNECTION: Connection = Connection::open_in_memory().unwrap();
    }
    CONNECTION.with(|connection| {
        let (a, b) = (
            encode(column_type, a).unwrap(),
            encode(column_type, b).unwrap(),
        );
        let mut statement = connection
            .prepare_cached("SELECT x, x < y, x = y FROM (SELECT ?1 AS x, ?2 AS y)")
            .unwrap();
        let answer = statement.query_row(rusqlite::params![a, b], |row| {
            let order = match (row.get::<_, bool>(1)?, row.get::<_, bool>(2)?) {
                (true, _) => Ordering::Less,
                (false, true) => Ordering::Equal,
                (false, false) => Ordering::Greater,
            };
            let value = decode(column_type, row.get_ref(0)?).unwrap().into_owned();
            Ok((order, value))
        });
        answer.unwrap()
    })
}

fn survives(
    column_type: &ColumnType,
    a: &Value<'static>,
    b: &Value<'static>,
    order: Ordering,
) -> Result<(), TestCaseError> {
    let (found, value) = through_sqlite(column_type, a, b);
    prop_assert_eq!(&value, a, "{} comes back", column_type);
    prop_assert_eq!(found, order, "{}: {:?} and {:?}", column_type, a, b);
    Ok(())
}

fn integer(size: IntegerSize, unsigned: bool) -> ColumnType {
    ColumnType::Integer {
        size,
        unsigned,
        zerofill: false,
        width: None,
    }
}

/// A number of up to `digits` digits, small ones as often as large ones.
fn digits(digits: u32) -> impl Strategy<Value = i128> {
    (0..=digits).prop_flat_map(|digits| {
        let limit = 10_i128.pow(digits);
        (1 - limit)..limit
    })
}

/// `number` / 10^`scale` as text.
fn shifted(number: i128, scale: u8) -> String {
    let sign = if number < 0 { "-" } else { "" };
    let width = usize::from(scale) + 1;
    let digits = format!("{:0width$}", number.unsigned_abs());
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(scale));
    match scale {
        0 => format!("{sign}{whole}"),
        _ => format!("{sign}{whole}.{fraction}"),
    }
}

fn number(value: i128, scale: u8) -> Decimal {
    shifted(value, scale).parse().unwrap()
}

/// `value` / 10^`places`, rounded half away from zero.
fn rounded(value: i128, places: u32) -> i128 {
    let unit = 10_i128.pow(places);
    let magnitude = (value.abs() + unit / 2) / unit;
    magnitude * value.signum()
}

fn moments() -> impl Strategy<Value = Moment> {
    let days = prop_oneof![366..3_652_425_i64, 700_000..760_000_i64];
    (days, 0..86_400_000_000_i64).prop_map(|(days, micros)| {
        let (year, month, day) = from_day_number(days).unwrap();
        Moment::date(year, month, day).at(Span(micros))
    })
}

fn civil(moment: &Moment) -> jiff::civil::DateTime {
    jiff::civil::date(
        i16::try_from(moment.year).unwrap(),
        i8::try_from(moment.month).unwrap(),
        i8::try_from(moment.day).unwrap(),
    )
    .at(
        i8::try_from(moment.hour).unwrap(),
        i8::try_from(moment.minute).unwrap(),
        i8::try_from(moment.second).unwrap(),
        i32::try_from(moment.micros).unwrap() * 1000,
    )
}

proptest! {
    #[test]
    fn integers_keep_value_and_order(a: i64, b: i64, small in any::<bool>()) {
        let (a, b) = if small { (a % 3, b % 3) } else { (a, b) };
        survives(&integer(IntegerSize::Big, false), &Value::Int(a), &Value::Int(b), a.cmp(&b))?;
        let (a, b) = (a.cast_unsigned(), b.cast_unsigned());
        survives(&integer(IntegerSize::Big, true), &Value::UInt(a), &Value::UInt(b), a.cmp(&b))?;
        survives(&ColumnType::Bit { width: 64 }, &Value::Bit(a), &Value::Bit(b), a.cmp(&b))?;
    }

    #[test]
    fn floats_keep_value_and_order(a: f64, b: f64, c: f32, d: f32) {
        let double = ColumnType::Double { digits: None, unsigned: false, zerofill: false };
        let float = ColumnType::Float { digits: None, unsigned: false, zerofill: false };
        prop_assume!(a.is_finite() && b.is_finite() && c.is_finite() && d.is_finite());
        survives(&double, &Value::Double(a), &Value::Double(b), a.partial_cmp(&b).unwrap())?;
        survives(&float, &Value::Float(c), &Value::Float(d), c.partial_cmp(&d).unwrap())?;
    }

    #[test]
    fn decimals_keep_value_and_order(
        (precision, scale) in (1_u8..=38).prop_flat_map(|p| (Just(p), 0..=p.min(30))),
        a in digits(38),
        b in digits(38),
    ) {
        let limit = 10_i128.pow(precision.into());
        let (a, b) = (a % limit, b % limit);
        let ty = ColumnType::Decimal { precision, scale, unsigned: false, zerofill: false };
        let (x, y) = (Value::Decimal(number(a, scale)), Value::Decimal(number(b, scale)));
        survives(&ty, &x, &y, a.cmp(&b))?;
    }

    #[test]
    fn moments_keep_value_and_order(a in moments(), b in moments()) {
        let ty = ColumnType::DateTime { fsp: 6 };
        let (x, y): (DateTime, DateTime) = (a.into(), b.into());
        survives(&ty, &Value::DateTime(x), &Value::DateTime(y), a.cmp(&b))?;
        let date = |m: &Moment| Date { year: m.year, month: m.month, day: m.day };
        let (x, y) = (Value::Date(date(&a)), Value::Date(date(&b)));
        survives(&ColumnType::Date, &x, &y, a.midnight().cmp(&b.midnight()))?;
    }

    #[test]
    fn spans_and_timestamps_keep_value_and_order(
        a in -3_020_399_999_999_i64..=3_020_399_999_999,
        b in -3_020_399_999_999_i64..=3_020_399_999_999,
        c in (0..=u32::MAX, 0..1_000_000_u32),
        d in (0..=u32::MAX, 0..1_000_000_u32),
    ) {
        let (x, y): (Time, Time) = (Span(a).into(), Span(b).into());
        survives(&ColumnType::Time { fsp: 6 }, &Value::Time(x), &Value::Time(y), a.cmp(&b))?;
        let stamp = |(seconds, micros)| Value::Timestamp(Timestamp { seconds, micros });
        survives(&ColumnType::Timestamp { fsp: 6 }, &stamp(c), &stamp(d), c.cmp(&d))?;
    }

    #[test]
    fn bytes_keep_value_and_order(a: Vec<u8>, b: Vec<u8>) {
        let ty = ColumnType::Blob { size: BlobSize::Long };
        let order = a.cmp(&b);
        survives(&ty, &Value::Bytes(a.into()), &Value::Bytes(b.into()), order)?;
    }

    #[test]
    fn decimals_calculate_as_whole_numbers_do(
        a in digits(18), b in digits(18), s in 0_u8..=9, t in 0_u8..=9, places in 0_i32..=12,
    ) {
        let (x, y) = (number(a, s), number(b, t));
        let common = s.max(t);
        let wide = |v: i128, from: u8| v * 10_i128.pow((common - from).into());
        let (p, q) = (wide(a, s), wide(b, t));
        prop_assert_eq!(x.add(y).unwrap().to_string(), shifted(p + q, common));
        prop_assert_eq!(x.sub(y).unwrap().to_string(), shifted(p - q, common));
        prop_assert_eq!(x.mul(y).unwrap().to_string(), shifted(a * b, s + t));
        prop_assert_eq!(x.cmp(&y), p.cmp(&q));
        prop_assert_eq!(x.rem(y).map(|r| r.to_string()), (q != 0).then(|| shifted(p % q, common)));
        let places_wide = u8::try_from(places).unwrap();
        let expected = match places_wide >= s {
            true => a * 10_i128.pow((places_wide - s).into()),
            false => rounded(a, (s - places_wide).into()),
        };
        prop_assert_eq!(x.round(places).unwrap().to_string(), shifted(expected, places_wide));
        let whole = 10_i128.pow(s.into());
        prop_assert_eq!(x.floor().unwrap().to_string(), a.div_euclid(whole).to_string());
        prop_assert_eq!(x.ceil().unwrap().to_string(), (-(-a).div_euclid(whole)).to_string());
    }

    #[test]
    fn the_calendar_is_the_gregorian_one(a in moments(), b in moments()) {
        let (x, y) = (civil(&a), civil(&b));
        let days = x.date().since((jiff::Unit::Day, y.date())).unwrap().get_days();
        prop_assert_eq!(a.days() - b.days(), i64::from(days));
        prop_assert_eq!(from_day_number(a.days()), Some((a.year, a.month, a.day)));
        prop_assert_eq!(day_number(a.year, a.month, a.day), a.days());
        prop_assert_eq!(a.weekday(), i64::from(x.weekday().to_monday_zero_offset()));
        prop_assert_eq!(a.day_of_year(), i64::from(x.day_of_year()));
        // Week 3 is that of ISO 8601.
        let week = x.date().iso_week_date();
        let (number, year) = a.week(3);
        if a.year > 1 {
            prop_assert_eq!((number, year), (i64::from(week.week()), week.year() as u16));
        }
    }

    #[test]
    fn adding_to_a_moment_is_the_calendars(
        a in moments(),
        micros in -400_000_000_000_000_i64..400_000_000_000_000,
        months in -20_000_i32..20_000,
    ) {
        let in_range = |at: &jiff::civil::DateTime| at.year() > 0;
        let later = civil(&a).checked_add(jiff::SignedDuration::from_micros(micros)).ok();
        if let Some(later) = later.filter(in_range) {
            prop_assert_eq!(a.add_micros(micros).map(|m| civil(&m)), Some(later));
        }
        let later = civil(&a).checked_add(jiff::Span::new().months(months)).ok();
        if let Some(later) = later.filter(in_range) {
            prop_assert_eq!(a.add_months(months.into()).map(|m| civil(&m)), Some(later));
        }
    }

    #[test]
    fn a_collation_orders_and_its_keys_agree(a in words(), b in words(), c in words()) {
        for collation in collation::all() {
            let order = |x: &str, y: &str| compare(collation, x.as_bytes(), y.as_bytes());
            let name = collation.name;
            prop_assert_eq!(order(&a, &a), Ordering::Equal, "{}", name);
            prop_assert_eq!(order(&a, &b), order(&b, &a).reverse(), "{}: {:?} {:?}", name, a, b);
            if order(&a, &b).is_le() && order(&b, &c).is_le() {
                prop_assert!(order(&a, &c).is_le(), "{}: {:?} {:?} {:?}", name, a, b, c);
            }
            let key = |x: &str| equality_key(collation, x.as_bytes());
            let is_equal = order(&a, &b).is_eq();
            prop_assert_eq!(key(&a) == key(&b), is_equal, "{}: {:?} {:?}", name, a, b);
        }
    }
}

/// Short texts of characters that collations treat in their own ways.
fn words() -> impl Strategy<Value = String> {
    let odd = "aAbzZäÄßéèøñiIıİſKk019 -_~.\u{301}\u{308}ﬁœǆ中日Ωωجक😀\u{10ffff}\0\t";
    let odd = odd.chars().collect::<Vec<_>>();
    let character = prop_oneof![4 => prop::sample::select(odd), 1 => any::<char>()];
    prop::collection::vec(character, 0..6).prop_map(String::from_iter)
}
