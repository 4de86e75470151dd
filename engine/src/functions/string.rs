//! String functions.

use super::math::to_base_text;
use super::string_code::{char, format, from_base64, hex, ord, quote, to_base64, unhex};
use crate::collation::compare::{compare, same_char};
use crate::expr::function::{Call, Function, Signature};
use crate::expr::types::Type;
use crate::value::datum::{Datum, Integer};
use sql::error::SqlError;

type Eval = fn(&Call<'_>) -> Result<Datum, SqlError>;
type Result_ = fn(&Signature<'_>) -> Result<Type, SqlError>;

const fn strict(
    name: &'static str,
    min: usize,
    max: usize,
    result: Result_,
    eval: Eval,
) -> Function {
    Function {
        name,
        min,
        max,
        strict: true,
        volatile: false,
        result,
        eval,
    }
}

pub(super) static FUNCTIONS: &[Function] = &[
    strict(
        "ascii",
        1,
        1,
        |s| number(s, 3),
        |c| {
            Ok(Datum::Int(
                c.own_bytes(0).first().map_or(0, |b| i64::from(*b)),
            ))
        },
    ),
    strict(
        "bin",
        1,
        1,
        |s| Ok(s.connection_text(64).with_null(true)),
        |c| Ok(Datum::text(to_base_text(c.integer(0)?.bits(), 2))),
    ),
    strict(
        "bit_length",
        1,
        1,
        |s| number(s, 11),
        |c| count(c.own_bytes(0).len().saturating_mul(8)),
    ),
    Function {
        name: "char",
        min: 1,
        max: usize::MAX,
        strict: false,
        volatile: false,
        result: |s| Ok(Type::bytes(length_of(s.args.len() * 4))),
        eval: char,
    },
    strict(
        "char_length",
        1,
        1,
        |s| number(s, 11),
        |c| {
            count(if c.is_binary(0) {
                c.bytes(0).len()
            } else {
                c.text(0).chars().count()
            })
        },
    ),
    strict("concat", 1, usize::MAX, concat_type, |c| {
        Ok(Datum::Text(
            c.args
                .iter()
                .flat_map(|arg| arg.to_text().into_owned())
                .collect(),
        ))
    }),
    strict(
        "format",
        2,
        3,
        |s| {
            let length = s.ty(0).text_length().saturating_mul(2);
            Ok(s.connection_text(length.saturating_add(34)).with_null(true))
        },
        format,
    ),
    strict(
        "from_base64",
        1,
        1,
        |s| Ok(Type::bytes(s.ty(0).text_length()).with_null(true)),
        from_base64,
    ),
    strict(
        "hex",
        1,
        1,
        |s| Ok(s.connection_text(s.ty(0).text_length().saturating_mul(8))),
        hex,
    ),
    strict(
        "insert",
        4,
        4,
        |s| {
            s.text_of(
                0,
                u64::from(s.ty(0).text_length()) + u64::from(s.ty(3).text_length()),
            )
        },
        insert,
    ),
    strict("instr", 2, 2, |s| number(s, 11), |c| locate(c, 0, 1)),
    strict(
        "left",
        2,
        2,
        |s| s.text_of(0, cut_length(s, 1)),
        |c| take(c, 0, c.int(1)?, false),
    ),
    strict(
        "length",
        1,
        1,
        |s| number(s, 11),
        |c| count(c.own_bytes(0).len()),
    ),
    strict("locate", 2, 3, |s| number(s, 11), |c| locate(c, 1, 0)),
    strict("lower", 1, 1, same_length, |c| {
        Ok(mapped(c, str::to_lowercase))
    }),
    strict("upper", 1, 1, same_length, |c| Ok(mapped(c, upper))),
    strict("lpad", 3, 3, pad_type, |c| pad(c, true)),
    strict("rpad", 3, 3, pad_type, |c| pad(c, false)),
    strict("trim", 1, 2, same_length, |c| trim(c, true, true)),
    strict("ltrim", 1, 2, same_length, |c| trim(c, true, false)),
    strict("rtrim", 1, 2, same_length, |c| trim(c, false, true)),
    strict(
        "oct",
        1,
        1,
        |s| Ok(s.connection_text(64).with_null(true)),
        |c| Ok(Datum::text(to_base_text(c.integer(0)?.bits(), 8))),
    ),
    strict("ord", 1, 1, |s| number(s, 21), ord),
    Function {
        name: "quote",
        min: 1,
        max: 1,
        strict: false,
        volatile: false,
        result: |s| s.text_of(0, u64::from(s.ty(0).text_length()) * 2 + 2),
        eval: quote,
    },
    strict(
        "repeat",
        2,
        2,
        |s| Ok(s.text_of(0, repeated_length(s))?.with_null(true)),
        repeat,
    ),
    strict(
        "replace",
        3,
        3,
        |s| {
            s.text_of(
                0,
                u64::from(s.ty(0).text_length()) * u64::from(s.ty(2).text_length().max(1)),
            )
        },
        replace,
    ),
    strict("reverse", 1, 1, same_length, |c| {
        if c.is_binary(0) {
            return Ok(Datum::Text(c.bytes(0).iter().rev().copied().collect()));
        }
        Ok(Datum::text(c.text(0).chars().rev().collect::<String>()))
    }),
    strict(
        "right",
        2,
        2,
        |s| s.text_of(0, cut_length(s, 1)),
        |c| take(c, 0, c.int(1)?, true),
    ),
    strict(
        "space",
        1,
        1,
        |s| {
            Ok(s.connection_text(length_of(
                usize::try_from(s.constant_int(0).unwrap_or(255)).unwrap_or(0),
            ))
            .with_null(true))
        },
        space,
    ),
    strict(
        "strcmp",
        2,
        2,
        |s| number(s, 2),
        |c| {
            let ordering = compare(c.collation(), &c.bytes(0), &c.bytes(1));
            Ok(Datum::Int(ordering as i64))
        },
    ),
    strict("substr", 2, 3, |s| s.text_of(0, cut_length(s, 2)), substr),
    strict("substring_index", 3, 3, same_length, substring_index),
    strict(
        "to_base64",
        1,
        1,
        |s| {
            let length = s.ty(0).text_length().saturating_mul(2);
            Ok(s.connection_text(length.saturating_add(4)).with_null(true))
        },
        to_base64,
    ),
    strict(
        "unhex",
        1,
        1,
        |s| Ok(Type::bytes(s.ty(0).text_length().div_ceil(2)).with_null(true)),
        unhex,
    ),
    strict(
        "charset",
        1,
        1,
        |s| Ok(s.connection_text(64)),
        |c| Ok(Datum::text(shown_collation(c).charset.name())),
    ),
    strict(
        "collation",
        1,
        1,
        |s| Ok(s.connection_text(64)),
        |c| Ok(Datum::text(shown_collation(c).name)),
    ),
];

fn shown_collation(call: &Call<'_>) -> &'static crate::collation::Collation {
    let ty = call.nodes.first().map(|node| &node.ty);
    match ty {
        Some(ty) if ty.kind.is_text() => ty.collation,
        _ => &crate::collation::BINARY,
    }
}

fn number(signature: &Signature<'_>, length: u32) -> Result<Type, SqlError> {
    Ok(Type::integer(length).with_null(signature.any_null()))
}

fn same_length(signature: &Signature<'_>) -> Result<Type, SqlError> {
    Ok(Type {
        fixed_width: false,
        ..signature.text_of(0, u64::from(signature.ty(0).text_length()))?
    })
}

fn length_of(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn cut_length(signature: &Signature<'_>, argument: usize) -> u64 {
    let whole = u64::from(signature.ty(0).text_length());
    match signature.constant_int(argument) {
        Some(length) => whole.min(u64::try_from(length).unwrap_or(0)),
        None => whole,
    }
}

fn repeated_length(signature: &Signature<'_>) -> u64 {
    let times = signature
        .constant_int(1)
        .and_then(|times| u64::try_from(times).ok());
    u64::from(signature.ty(0).text_length()).saturating_mul(times.unwrap_or(1 << 24))
}

fn concat_type(signature: &Signature<'_>) -> Result<Type, SqlError> {
    let length = signature
        .args
        .iter()
        .map(|node| u64::from(node.ty.text_length()))
        .sum();
    signature.text_of(0, length)
}

fn pad_type(signature: &Signature<'_>) -> Result<Type, SqlError> {
    let length = signature
        .constant_int(1)
        .and_then(|length| u64::try_from(length).ok());
    Ok(signature
        .text_of(0, length.unwrap_or(1 << 24))?
        .with_null(true))
}

fn count(length: usize) -> Result<Datum, SqlError> {
    Ok(Datum::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

fn limited(count: i64) -> usize {
    usize::try_from(count).unwrap_or(0)
}

/// A count of bytes or characters: nothing for a negative one, all there can be for a huge one.
fn count_of(call: &Call<'_>, index: usize) -> Result<usize, SqlError> {
    Ok(match call.integer(index)? {
        Integer::Signed(value) => usize::try_from(value).unwrap_or(0),
        Integer::Unsigned(value) => usize::try_from(value).unwrap_or(usize::MAX),
    })
}

fn space(call: &Call<'_>) -> Result<Datum, SqlError> {
    let count = count_of(call, 0)?;
    if !call.fits(count) {
        return call.too_large();
    }
    let _room = call.env.memory.room(count)?;
    Ok(Datum::text(" ".repeat(count)))
}

fn mapped(call: &Call<'_>, map: impl Fn(&str) -> String) -> Datum {
    if call.is_binary(0) {
        return Datum::Text(call.bytes(0).into_owned());
    }
    Datum::text(map(&call.text(0)))
}

/// Capitals one for one: MySQL does not turn ß into SS.
fn upper(text: &str) -> String {
    text.chars()
        .map(|c| {
            let mut capitals = c.to_uppercase();
            match (capitals.next(), capitals.next()) {
                (Some(capital), None) => capital,
                _ => c,
            }
        })
        .collect()
}

fn characters(call: &Call<'_>, index: usize) -> Vec<char> {
    call.text(index).chars().collect()
}

/// The parts of a text as bytes of a byte string, or as characters.
fn part(call: &Call<'_>, index: usize, from: usize, length: usize) -> Datum {
    if call.is_binary(index) {
        let bytes = call.bytes(index);
        return Datum::Text(bytes.iter().skip(from).take(length).copied().collect());
    }
    let text = call.text(index);
    if text.is_ascii() {
        let from = from.min(text.len());
        let to = from.saturating_add(length).min(text.len());
        return Datum::text(text.get(from..to).unwrap_or_default());
    }
    Datum::text(text.chars().skip(from).take(length).collect::<String>())
}

fn length_in(call: &Call<'_>, index: usize) -> usize {
    if call.is_binary(index) {
        call.bytes(index).len()
    } else {
        call.text(index).chars().count()
    }
}

fn take(call: &Call<'_>, index: usize, count: i64, from_end: bool) -> Result<Datum, SqlError> {
    let count = limited(count);
    let from = if from_end {
        length_in(call, index).saturating_sub(count)
    } else {
        0
    };
    Ok(part(call, index, from, count))
}

fn substr(call: &Call<'_>) -> Result<Datum, SqlError> {
    let total = i64::try_from(length_in(call, 0)).unwrap_or(i64::MAX);
    let position = call.int(1)?;
    let length = if call.count() > 2 {
        call.int(2)?
    } else {
        i64::MAX
    };
    let from = match position {
        0 => return Ok(Datum::Text(Vec::new())),
        position if position < 0 => total.saturating_add(position),
        position => position - 1,
    };
    if from < 0 || length <= 0 {
        return Ok(Datum::Text(Vec::new()));
    }
    Ok(part(call, 0, limited(from), limited(length)))
}

fn insert(call: &Call<'_>) -> Result<Datum, SqlError> {
    let text = units(call, 0);
    let (position, length) = (call.int(1)?, call.int(2)?);
    let from = usize::try_from(position)
        .ok()
        .and_then(|at| at.checked_sub(1))
        .filter(|from| *from < text.len());
    let Some(from) = from else {
        return Ok(Datum::Text(call.bytes(0).into_owned()));
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let (head, rest) = text.split_at_checked(from).unwrap_or((&text, &[]));
    let tail = rest.get(length..).unwrap_or_default();
    let inserted = units(call, 3);
    Ok(joined(call, &[head, &inserted, tail]))
}

/// Position of one text in another, from 1, under the arguments' collation; 0 for none.
fn locate(call: &Call<'_>, text: usize, wanted: usize) -> Result<Datum, SqlError> {
    let start = if call.count() > 2 { call.int(2)? } else { 1 };
    let Some(start) = usize::try_from(start)
        .ok()
        .and_then(|start| start.checked_sub(1))
    else {
        return Ok(Datum::Int(0));
    };
    if call.is_binary(0) || call.is_binary(1) {
        let (text, wanted) = (call.bytes(text), call.bytes(wanted));
        let found = (start..=text.len()).find(|at| {
            text.get(*at..)
                .is_some_and(|rest| rest.starts_with(&wanted))
        });
        return count(found.map_or(0, |at| at + 1));
    }
    let collation = call.collation();
    let (text, wanted) = (characters(call, text), characters(call, wanted));
    let found = (start..=text.len()).find(|at| {
        let rest = text.get(*at..).unwrap_or_default();
        rest.len() >= wanted.len()
            && rest
                .iter()
                .zip(&wanted)
                .all(|(a, b)| same_char(collation, *a, *b))
    });
    count(found.map_or(0, |at| at + 1))
}

fn pad(call: &Call<'_>, left: bool) -> Result<Datum, SqlError> {
    let wanted = call.int(1)?;
    let Ok(wanted) = usize::try_from(wanted) else {
        return Ok(Datum::Null);
    };
    let (text, filler) = (units(call, 0), units(call, 2));
    if let Some(cut) = text.get(..wanted) {
        return Ok(joined(call, &[cut]));
    }
    if filler.is_empty() {
        return Ok(Datum::Text(call.bytes(0).into_owned()));
    }
    let widest = call.nodes.first().map_or(1, |node| {
        usize::from(node.ty.collation.charset.bytes_per_char_max())
    });
    if !call.fits(wanted.saturating_mul(widest)) {
        return call.too_large();
    }
    let _room = call
        .env
        .memory
        .room(wanted.saturating_mul(widest + 2 * size_of::<char>()))?;
    let missing = wanted.saturating_sub(text.len());
    let padding: Vec<char> = filler.iter().copied().cycle().take(missing).collect();
    Ok(match left {
        true => joined(call, &[&padding, &text]),
        false => joined(call, &[&text, &padding]),
    })
}

/// What the result is made of: characters, or, in a byte string, bytes, each as the character of its
/// number.
fn units(call: &Call<'_>, index: usize) -> Vec<char> {
    match call.node.ty.is_binary() {
        true => call.bytes(index).iter().copied().map(char::from).collect(),
        false => characters(call, index),
    }
}

/// The result of [`units`].
fn joined(call: &Call<'_>, parts: &[&[char]]) -> Datum {
    let units = parts.iter().flat_map(|part| part.iter().copied());
    match call.node.ty.is_binary() {
        true => Datum::Text(
            units
                .filter_map(|unit| u8::try_from(u32::from(unit)).ok())
                .collect(),
        ),
        false => Datum::text(units.collect::<String>()),
    }
}

fn trim(call: &Call<'_>, leading: bool, trailing: bool) -> Result<Datum, SqlError> {
    let bytes = call.bytes(0);
    let what = if call.count() > 1 {
        call.bytes(1).into_owned()
    } else {
        b" ".to_vec()
    };
    let mut rest: &[u8] = &bytes;
    if what.is_empty() {
        return Ok(Datum::Text(rest.to_vec()));
    }
    while leading && let Some(tail) = rest.strip_prefix(what.as_slice()) {
        rest = tail;
    }
    while trailing && let Some(head) = rest.strip_suffix(what.as_slice()) {
        rest = head;
    }
    Ok(Datum::Text(rest.to_vec()))
}

fn repeat(call: &Call<'_>) -> Result<Datum, SqlError> {
    let (text, times) = (call.bytes(0), count_of(call, 1)?);
    if !call.fits(text.len().saturating_mul(times)) {
        return call.too_large();
    }
    let _room = call.env.memory.room(text.len().saturating_mul(times))?;
    Ok(Datum::Text(text.repeat(times)))
}

/// REPLACE compares bytes: it is sensitive to case under every collation.
fn replace(call: &Call<'_>) -> Result<Datum, SqlError> {
    let (text, from, to) = (call.bytes(0), call.bytes(1), call.bytes(2));
    if from.is_empty() {
        return Ok(Datum::Text(text.into_owned()));
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest: &[u8] = &text;
    while let Some(first) = rest.first() {
        match rest.strip_prefix(&*from) {
            Some(tail) => {
                out.extend_from_slice(&to);
                rest = tail;
                if !call.fits(out.len()) {
                    return call.too_large();
                }
            }
            None => {
                out.push(*first);
                rest = rest.get(1..).unwrap_or_default();
            }
        }
    }
    Ok(Datum::Text(out))
}

fn substring_index(call: &Call<'_>) -> Result<Datum, SqlError> {
    let is_binary = call.node.ty.is_binary();
    let text = |index: usize| match is_binary {
        true => units(call, index).into_iter().collect(),
        false => call.text(index).into_owned(),
    };
    let (text, delimiter, times) = (text(0), text(1), call.int(2)?);
    if delimiter.is_empty() || times == 0 {
        return Ok(Datum::Text(Vec::new()));
    }
    let places: Vec<usize> = text
        .match_indices(delimiter.as_str())
        .map(|(at, _)| at)
        .collect();
    let wanted = limited(times.saturating_abs());
    let part = match (times > 0, places.len().checked_sub(wanted)) {
        (_, None) => Some(text.as_str()),
        (true, Some(_)) => wanted
            .checked_sub(1)
            .and_then(|at| places.get(at))
            .and_then(|at| text.get(..*at)),
        (false, Some(at)) => places
            .get(at)
            .and_then(|at| text.get(at + delimiter.len()..)),
    };
    let part = part.unwrap_or_default();
    Ok(match is_binary {
        true => joined(call, &[&part.chars().collect::<Vec<char>>()]),
        false => Datum::text(part),
    })
}
