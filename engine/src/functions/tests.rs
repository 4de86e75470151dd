//! No function panics, whatever it is given.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::catalog::ColumnType;
use crate::collation::{BINARY, UTF8MB4_0900_AI_CI};
use crate::expr::env::Env;
use crate::expr::function::{Call, Function, Signature};
use crate::expr::node::{Node, Op};
use crate::expr::types::{Coercibility, Type};
use crate::session::SessionContext;
use crate::value::datum::Datum;
use crate::value::temporal::{Moment, SPAN_MAX, Span};

/// A function that only tests have, for what becomes of a panic.
pub(super) static FUNCTIONS: &[Function] = &[Function {
    name: "panics",
    min: 1,
    max: 1,
    strict: true,
    volatile: true,
    result: |_| Ok(Type::integer(1)),
    eval: |_| panic!("as it was told"),
}];

fn integer(value: i64) -> (Datum, Type) {
    (Datum::Int(value), Type::integer(20))
}

fn unsigned(value: u64) -> (Datum, Type) {
    (Datum::UInt(value), Type::unsigned(20))
}

fn double(value: f64) -> (Datum, Type) {
    (Datum::Double(value), Type::double())
}

fn decimal(text: &str) -> (Datum, Type) {
    let scale = text.split_once('.').map_or(0, |(_, digits)| digits.len());
    let scale = u8::try_from(scale).unwrap();
    (
        Datum::Decimal(text.parse().unwrap()),
        Type::decimal(65, scale, false),
    )
}

fn text(text: &str) -> (Datum, Type) {
    // As long as the longest column.
    let ty = Type::text(u32::MAX, &UTF8MB4_0900_AI_CI, Coercibility::Implicit);
    (Datum::text(text), ty)
}

fn bytes(bytes: &[u8]) -> (Datum, Type) {
    let ty = Type::text(u32::MAX, &BINARY, Coercibility::Implicit);
    (Datum::Text(bytes.to_vec()), ty)
}

fn moment(year: u16, month: u8, day: u8) -> (Datum, Type) {
    let date = Moment::date(year, month, day);
    (Datum::Date(date), Type::date())
}

/// What every argument takes, also when there are many.
fn few() -> Vec<(Datum, Type)> {
    let last = Moment::date(9999, 12, 31).at(Span(86_399_999_999));
    vec![
        (Datum::Null, Type::null()),
        integer(i64::MIN),
        integer(i64::MAX),
        integer(-1),
        integer(1),
        unsigned(u64::MAX),
        double(1e308),
        double(-1e308),
        decimal(&"9".repeat(65)),
        decimal("-99999999999999999999999999999999999.999999999999999999999999999999"),
        text(""),
        text("-99999999999999999999999999999999999999"),
        text("9999-12-31 23:59:59.999999"),
        text("a,日"),
        bytes(&[0xff, 0]),
        moment(0, 0, 0),
        (Datum::DateTime(last, 6), Type::datetime(6)),
        (Datum::Time(Span(-SPAN_MAX), 6), Type::time(6)),
    ]
}

/// What the arguments of a function of one or two take.
fn many() -> Vec<(Datum, Type)> {
    let members: Arc<[String]> = ["a".to_owned(), "日".to_owned()].into();
    let year = Type::of_column_type(&ColumnType::Year);
    let mut values = few();
    values.extend([
        integer(0),
        integer(i64::MIN + 1),
        integer(-2_147_483_649),
        integer(99_991_231_235_959),
        integer(-8_385_959),
        integer(69),
        unsigned(1 << 63),
        double(f64::MIN_POSITIVE),
        double(-9.3e18),
        double(0.5),
        double(-0.0),
        decimal("-9223372036854775808.5"),
        decimal("0.000000000000000000000000000001"),
        text("18446744073709551616"),
        text("1e-400"),
        text("1e99999999999999999999"),
        text("-838:59:59.9999999"),
        text("4294967295 99999:99:99"),
        text("2020-02-31"),
        text("0000-01-01"),
        text("[1, {\"a\": -1e308}]"),
        text("$[18446744073709551615]"),
        text("$[last-18446744073709551615 to last]"),
        text("%"),
        text(&"9".repeat(400)),
        bytes(b""),
        moment(0, 1, 1),
        moment(9999, 12, 31),
        moment(2020, 0, 31),
        (Datum::DateTime(Moment::date(0, 0, 0), 0), Type::datetime(0)),
        (Datum::Time(Span(SPAN_MAX), 0), Type::time(0)),
        (Datum::Year(2155), year.clone()),
        (Datum::Year(0), year),
        (Datum::Bit(u64::MAX, 64), Type::unsigned(64)),
        (
            Datum::Enum(u32::MAX, Arc::clone(&members)),
            text("").1.clone(),
        ),
        (Datum::Set(u64::MAX, members), text("").1),
        (
            Datum::Json(Arc::from("[1, 2, {\"a\": 18446744073709551615}]")),
            Type::json(),
        ),
    ]);
    values
}

const UNITS: &[&str] = &[
    "MICROSECOND",
    "SECOND",
    "MONTH",
    "QUARTER",
    "WEEK",
    "YEAR",
    "YEAR_MONTH",
    "DAY_MICROSECOND",
    "HOUR_SECOND",
    "x",
];

/// What the argument at `index` of a function takes.
fn choices(function: &Function, index: usize, count: usize) -> Vec<(Datum, Type)> {
    let is_unit = matches!(
        (function.name, index),
        ("date_add" | "date_sub", 2) | ("timestampadd" | "timestampdiff" | "extract", 0)
    );
    match (is_unit, count) {
        (true, _) => UNITS.iter().map(|unit| text(unit)).collect(),
        (false, ..=2) => many(),
        (false, 3) if matches!((function.name, index), ("date_add" | "date_sub", 1)) => many(),
        (false, 3) => few(),
        (false, _) => few().into_iter().step_by(3).collect(),
    }
}

/// Types and evaluates a call; what it gives does not matter here.
fn call(function: &'static Function, args: &[(Datum, Type)], is_constant: bool, env: &Env) {
    let node = |(value, ty): &(Datum, Type)| match is_constant {
        true => Node::constant(value.clone(), ty.clone()),
        false => Node {
            op: Op::Input(0, Arc::from("c")),
            ty: ty.clone(),
        },
    };
    let nodes: Vec<Node> = args.iter().map(node).collect();
    let signature = Signature {
        args: &nodes,
        env,
        name: function.name,
    };
    let Ok(ty) = (function.result)(&signature) else {
        return;
    };
    let values: Vec<Datum> = args.iter().map(|(value, _)| value.clone()).collect();
    if function.strict && values.iter().any(Datum::is_null) {
        return;
    }
    let node = Node {
        op: Op::Call(function, nodes.clone()),
        ty,
    };
    let value = (function.eval)(&Call {
        args: &values,
        nodes: &nodes,
        node: &node,
        env,
    });
    let Ok(value) = value else { return };
    // What comes of it goes into a column, or into another function.
    let _ = crate::value::stored::expression::encode(&value, &node.ty, &env.zone);
    if nodes.len() < 2 {
        readings(&value, env);
    }
}

/// Reads a value in every way there is.
fn readings(value: &Datum, env: &Env) {
    let _ = (value.to_integer(), value.to_f64(), value.to_decimal());
    let _ = (value.to_moment(&env.now), value.to_span(), value.to_truth());
    let _ = (value.to_text(), value.fsp());
    let types = [
        Type::integer(20),
        Type::unsigned(20),
        Type::decimal(65, 30, false),
        Type::decimal(1, 1, false),
        Type::double(),
        Type::date(),
        Type::datetime(0),
        Type::time(0),
        Type::time(6),
        Type::of_column_type(&ColumnType::Year),
    ];
    for ty in types {
        let _ = crate::expr::convert::convert(value.clone(), &ty, env);
    }
}

fn env() -> Env {
    let mut session = SessionContext::new(1);
    session.may_wait = false;
    let mut env = Env::of_session(&session);
    // What is longer would only take time.
    env.max_allowed_packet = 1 << 16;
    env
}

fn survives(run: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(run)).is_ok()
}

#[test]
fn every_value_can_be_read_in_every_way() {
    let env = env();
    let ends = |(value, _): &(Datum, Type)| !survives(|| readings(value, &env));
    let panicked: Vec<_> = many().into_iter().filter(ends).collect();
    assert!(panicked.is_empty(), "{panicked:?}");
}

#[test]
fn no_function_panics_whatever_it_is_given() {
    let _alone = crate::value::memory::ALONE.lock();
    let env = env();
    let mut panicked: Vec<String> = Vec::new();
    for function in super::TABLE.values().copied() {
        if function.name == "panics" {
            continue;
        }
        for count in function.min..=function.max.min(function.min.max(3)) {
            let choices: Vec<_> = (0..count).map(|at| choices(function, at, count)).collect();
            let all: usize = choices.iter().map(Vec::len).product();
            let before = panicked.len();
            for number in 0..all {
                let mut rest = number;
                let mut args = Vec::with_capacity(count);
                for choices in &choices {
                    args.push(choices[rest % choices.len()].clone());
                    rest /= choices.len();
                }
                let is_constant = number % 2 == 0;
                if panicked.len() < before + 3
                    && !survives(|| call(function, &args, is_constant, &env))
                {
                    let values: Vec<_> = args.iter().map(|(value, _)| value).collect();
                    panicked.push(format!("{}({values:?})", function.name));
                }
            }
            env.take_warnings();
        }
    }
    assert!(panicked.is_empty(), "{}", panicked.join("\n"));
}
