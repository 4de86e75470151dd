//! What is fed: one function per way in for bytes from outside.
//!
//! A target returns whether its input decoded, and panics when a rule is broken: what decodes must
//! encode, and the encoding must decode to what encodes the same.

#![allow(
    clippy::expect_used,
    reason = "a broken rule must end the call; the runner catches it"
)]

pub mod config;
pub mod gtid;
pub mod json;
pub mod log_file;
pub mod packet;
pub mod rows;
pub mod side_file;
pub mod stream;
pub mod text;

use crate::corpus::Corpus;
use crate::made;
use crate::seeds::{self, Seed};

/// What became of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// All of it, or its first unit, decoded.
    Decoded,
    /// It was refused.
    Refused,
}

impl Verdict {
    /// `Decoded` for true.
    #[must_use]
    pub const fn from_bool(is_decoded: bool) -> Self {
        if is_decoded {
            Self::Decoded
        } else {
            Self::Refused
        }
    }
}

/// One way in.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, as the runner and cargo-fuzz call it.
    pub name: &'static str,
    /// Takes one input.
    pub run: fn(&[u8]) -> Verdict,
    /// What its inputs are made of.
    pub seeds: fn(&Corpus) -> Vec<Seed>,
    /// Its share of a run's inputs.
    pub weight: usize,
}

/// Every target.
pub const ALL: &[Target] = &[
    Target {
        name: "event",
        run: stream::run,
        seeds: seeds::events,
        weight: 60,
    },
    Target {
        name: "file",
        run: log_file::run,
        seeds: log_file::seeds,
        weight: 8,
    },
    Target {
        name: "rows",
        run: rows::run,
        seeds: rows::seeds,
        weight: 12,
    },
    Target {
        name: "gtid_text",
        run: gtid::text,
        seeds: |_| made::gtid_texts(),
        weight: 2,
    },
    Target {
        name: "gtid_binary",
        run: gtid::binary,
        seeds: |_| gtid::binary_seeds(),
        weight: 2,
    },
    Target {
        name: "json_binary",
        run: json::binary,
        seeds: |_| json::binary_seeds(),
        weight: 5,
    },
    Target {
        name: "json_diffs",
        run: json::diffs,
        seeds: |_| made::json_diffs(),
        weight: 3,
    },
    Target {
        name: "charset",
        run: text::charset,
        seeds: |_| text::charset_seeds(),
        weight: 3,
    },
    Target {
        name: "json_text",
        run: json::text,
        seeds: |_| made::json_texts(),
        weight: 3,
    },
    Target {
        name: "packet",
        run: packet::run,
        seeds: |_| packet::seeds(),
        weight: 6,
    },
    Target {
        name: "option_file",
        run: config::run,
        seeds: |_| made::option_files(),
        weight: 2,
    },
    Target {
        name: "keys",
        run: side_file::keys,
        seeds: side_file::key_seeds,
        weight: 1,
    },
    Target {
        name: "schema",
        run: side_file::schema,
        seeds: |_| made::schemas(),
        weight: 1,
    },
];

/// Targets that break each rule on some of their inputs, for the tests of the runner.
pub const BROKEN: &[Target] = &[
    broken("broken_panic", |input| {
        assert!(!input.ends_with(&[7]), "an input that ends in 7");
        Verdict::Decoded
    }),
    broken("broken_memory", |input| {
        let len = if input.ends_with(&[7]) { 80 << 20 } else { 0 };
        Verdict::from_bool(Vec::<u8>::with_capacity(len).is_empty())
    }),
    broken("broken_abort", |input| {
        if input.ends_with(&[7]) {
            std::process::abort();
        }
        Verdict::Decoded
    }),
];

const fn broken(name: &'static str, run: fn(&[u8]) -> Verdict) -> Target {
    Target {
        name,
        run,
        seeds: |_| vec![Seed::bytes("numbers", [1, 2, 3, 4, 5, 6, 7, 8])],
        weight: 1,
    }
}

/// The target called `name`.
#[must_use]
pub fn find(name: &str) -> Option<&'static Target> {
    let all = ALL.iter().chain(BROKEN);
    all.into_iter().find(|target| target.name == name)
}

/// Runs one input on the target called `name`, for entry points outside this crate.
pub fn run(name: &str, input: &[u8]) {
    if let Some(target) = find(name) {
        let _ = (target.run)(input);
    }
}
