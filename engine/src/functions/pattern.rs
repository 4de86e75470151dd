//! LIKE and the regular expressions.
//!
//! Differs from MySQL: patterns are those of the `regex` crate; of ICU's syntax, look-around and
//! back-references are refused as errors.

use std::borrow::Cow;

use regex::{Regex, RegexBuilder};

use crate::collation::Collation;
use crate::collation::compare::same_char;
use crate::expr::function::{Call, Function, Signature};
use crate::expr::types::Type;
use crate::interrupt::Interrupt;
use crate::value::datum::Datum;
use crate::value::memory;
use sql::error::SqlError;

pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "like",
        min: 2,
        max: 3,
        strict: true,
        volatile: false,
        result: truth,
        eval: like,
    },
    Function {
        name: "regexp_like",
        min: 2,
        max: 3,
        strict: true,
        volatile: false,
        result: truth,
        eval: regexp_like,
    },
    Function {
        name: "regexp_instr",
        min: 2,
        max: 6,
        strict: true,
        volatile: false,
        result: |s| Ok(Type::integer(21).with_null(s.any_null())),
        eval: regexp_instr,
    },
    Function {
        name: "regexp_substr",
        min: 2,
        max: 5,
        strict: true,
        volatile: false,
        result: |s| {
            Ok(s.text_of(0, u64::from(s.ty(0).text_length()))?
                .with_null(true))
        },
        eval: regexp_substr,
    },
    Function {
        name: "regexp_replace",
        min: 3,
        max: 6,
        strict: true,
        volatile: false,
        result: |s| {
            let ty = s.text_of(0, 16_777_216)?.with_null(true);
            Ok(Type {
                wire: Some(251),
                ..ty
            })
        },
        eval: regexp_replace,
    },
];

fn truth(signature: &Signature<'_>) -> Result<Type, SqlError> {
    signature.text_of(0, 1)?;
    Ok(Type::boolean().with_null(signature.any_null()))
}

fn like(call: &Call<'_>) -> Result<Datum, SqlError> {
    let escape = match call.count() {
        2 => Some('\\'),
        _ => {
            let text = call.text(2);
            let mut characters = text.chars();
            let first = characters.next();
            if characters.next().is_some() {
                return Err(SqlError::wrong_arguments("ESCAPE"));
            }
            first
        }
    };
    let no_backslash = call.count() == 2
        && call
            .env
            .sql_mode
            .contains(sql::SqlMode::NO_BACKSLASH_ESCAPES);
    let escape = escape.filter(|_| !no_backslash);
    let collation = call.collation();
    let mut held = call.env.memory.hold();
    // Both become lists of characters.
    for argument in [0, 1] {
        held.add_bytes(memory::size(call.arg(argument)).saturating_mul(size_of::<char>()))?;
    }
    let characters = |index: usize| -> String {
        match collation.is_binary() {
            // Each byte as the character of its number.
            true => call.bytes(index).iter().copied().map(char::from).collect(),
            false => call.text(index).into_owned(),
        }
    };
    let text: Vec<char> = characters(0).chars().collect();
    let pattern = tokens(&characters(1), escape);
    matches(collation, &text, &pattern, &call.env.interrupt).map(Datum::truth)
}

/// One element of a LIKE pattern.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Token {
    Any,
    One,
    Char(char),
}

fn tokens(pattern: &str, escape: Option<char>) -> Vec<Token> {
    let mut out = Vec::new();
    let mut characters = pattern.chars();
    while let Some(c) = characters.next() {
        out.push(match c {
            c if Some(c) == escape => Token::Char(characters.next().unwrap_or(c)),
            '%' => Token::Any,
            '_' => Token::One,
            c => Token::Char(c),
        });
    }
    out
}

/// Steps of a match after which it is asked whether it is to go on.
const STEPS: u32 = 1 << 16;

/// Greedy matching with one point to return to: linear for patterns without many `%`.
fn matches(
    collation: &Collation,
    text: &[char],
    pattern: &[Token],
    interrupt: &Interrupt,
) -> Result<bool, SqlError> {
    let (mut at, mut token) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    let mut steps = 0_u32;
    loop {
        steps = steps.wrapping_add(1);
        if steps.is_multiple_of(STEPS) {
            interrupt.check()?;
        }
        let step = match (pattern.get(token), text.get(at)) {
            (Some(Token::Any), _) => {
                retry = Some((at, token + 1));
                token += 1;
                continue;
            }
            (None, None) => return Ok(true),
            (Some(Token::One), Some(_)) => true,
            (Some(Token::Char(wanted)), Some(found)) => same_char(collation, *wanted, *found),
            _ => false,
        };
        if step {
            at += 1;
            token += 1;
            continue;
        }
        match retry {
            Some((from, next)) if from < text.len() => {
                retry = Some((from + 1, next));
                at = from + 1;
                token = next;
            }
            _ => return Ok(false),
        }
    }
}

fn compile(call: &Call<'_>, pattern: &str, options: &str) -> Result<Regex, SqlError> {
    let caseless = !call.collation().rule.is_exact();
    let mut builder = RegexBuilder::new(pattern);
    builder.case_insensitive(caseless);
    for option in options.chars() {
        match option {
            'c' => builder.case_insensitive(false),
            'i' => builder.case_insensitive(true),
            'm' => builder.multi_line(true),
            'n' => builder.dot_matches_new_line(true),
            'u' => builder.crlf(false),
            _ => return Err(SqlError::wrong_arguments("regexp_like")),
        };
    }
    builder
        .build()
        .map_err(|_| SqlError::new(3685, "HY000", "Illegal argument to a regular expression."))
}

fn options(call: &Call<'_>, index: usize) -> String {
    if call.count() > index {
        call.text(index).into_owned()
    } else {
        String::new()
    }
}

/// Error 3995 where a byte string meets a text. Of byte strings alone the bytes are characters, as
/// in MySQL.
fn subject<'c>(call: &Call<'c>) -> Result<Cow<'c, str>, SqlError> {
    match (call.is_binary(0), call.is_binary(1)) {
        (false, false) => Ok(call.text(0)),
        (true, true) => Ok(call.bytes(0).iter().copied().map(char::from).collect()),
        (first, _) => {
            let text = call.nodes.get(usize::from(first));
            let text = text.map_or("", |node| node.ty.collation.name);
            let name = call.name();
            Err(SqlError::new(
                3995,
                "HY000",
                format!(
                    "Character set 'binary' cannot be used in conjunction with '{text}' in call to {name}."
                ),
            ))
        }
    }
}

fn regexp_like(call: &Call<'_>) -> Result<Datum, SqlError> {
    let regex = compile(call, &call.text(1), &options(call, 2))?;
    Ok(Datum::truth(regex.is_match(&subject(call)?)))
}

/// The byte offset of a position in characters from 1, and the occurrence asked for.
fn start(call: &Call<'_>, text: &str, position: usize) -> Result<(usize, usize), SqlError> {
    let at = if call.count() > position {
        call.int(position)?
    } else {
        1
    };
    let occurrence = if call.count() > position + 1 {
        call.int(position + 1)?
    } else {
        1
    };
    let wrong = || {
        SqlError::new(
            3686,
            "HY000",
            "Index out of bounds in regular expression search.",
        )
    };
    let skip = usize::try_from(at)
        .ok()
        .and_then(|at| at.checked_sub(1))
        .ok_or_else(wrong)?;
    let offset = text
        .char_indices()
        .map(|(at, _)| at)
        .chain([text.len()])
        .nth(skip)
        .ok_or_else(wrong)?;
    Ok((offset, usize::try_from(occurrence.max(1)).unwrap_or(1)))
}

fn regexp_instr(call: &Call<'_>) -> Result<Datum, SqlError> {
    let text = subject(call)?;
    let regex = compile(call, &call.text(1), &options(call, 5))?;
    let (offset, occurrence) = start(call, &text, 2)?;
    let end = call.count() > 4 && call.int(4)? == 1;
    let rest = text.get(offset..).unwrap_or_default();
    let found = regex.find_iter(rest).nth(occurrence - 1);
    let place = found.map(|found| offset + if end { found.end() } else { found.start() });
    let before = place
        .and_then(|place| text.get(..place))
        .map(|head| head.chars().count() + 1);
    Ok(Datum::Int(
        before.and_then(|at| i64::try_from(at).ok()).unwrap_or(0),
    ))
}

fn regexp_substr(call: &Call<'_>) -> Result<Datum, SqlError> {
    let text = subject(call)?;
    let regex = compile(call, &call.text(1), &options(call, 4))?;
    let (offset, occurrence) = start(call, &text, 2)?;
    let rest = text.get(offset..).unwrap_or_default();
    let found = regex.find_iter(rest).nth(occurrence - 1);
    Ok(Datum::from_option(
        found.map(|found| Datum::text(found.as_str())),
    ))
}

fn regexp_replace(call: &Call<'_>) -> Result<Datum, SqlError> {
    let text = subject(call)?;
    let regex = compile(call, &call.text(1), &options(call, 5))?;
    let at = if call.count() > 3 {
        start(call, &text, 3)?.0
    } else {
        0
    };
    let occurrence = if call.count() > 4 { call.int(4)? } else { 0 };
    let (head, rest) = text.split_at_checked(at).unwrap_or(("", &text));
    let with = call.text(2);
    let mut out = String::from(head);
    let mut last = 0;
    for (index, found) in regex.captures_iter(rest).enumerate() {
        call.env.interrupt.check()?;
        let Some(whole) = found.get(0) else { continue };
        let number = i64::try_from(index + 1).unwrap_or(i64::MAX);
        if occurrence == 0 || occurrence == number {
            out.push_str(rest.get(last..whole.start()).unwrap_or_default());
            let mut expanded = String::new();
            found.expand(&with.replace("\\$", "$$"), &mut expanded);
            out.push_str(&expanded);
            last = whole.end();
        }
    }
    out.push_str(rest.get(last..).unwrap_or_default());
    Ok(Datum::text(out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collation::UTF8MB4_0900_AI_CI;

    #[test]
    fn a_long_match_ends_when_the_statement_is_to_stop() {
        let text = vec!['a'; 200_000];
        let pattern = tokens(&format!("%{}b", "a".repeat(1000)), None);
        let interrupt = Interrupt::default();
        let matched = |text: &[char], interrupt: &Interrupt| {
            matches(&UTF8MB4_0900_AI_CI, text, &pattern, interrupt)
        };
        interrupt.set();
        assert_eq!(matched(&text, &interrupt).unwrap_err().code, 1317);
        interrupt.clear();
        let text: Vec<char> = "a".repeat(1002).chars().chain(['b']).collect();
        assert!(matched(&text, &interrupt).unwrap());
    }
}
