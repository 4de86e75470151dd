//! Every collation of MySQL 9.7 and MariaDB 11.8, from their names.
//!
//! Where the order is known it is the server's. For the others, most of them those of a language,
//! strings compare by what they are kept as: no two that the server holds apart are the same here.
//!
//! Source: information_schema.COLLATIONS of MySQL 9.7 and COLLATION_CHARACTER_SET_APPLICABILITY of
//! MariaDB 11.8, `names.txt`: an id, a name, and whether it is the default of its character set.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::bytes;
use super::rule::{Levels, Rule};
use super::{BUILT_IN, Charset, Collation, Pad};

/// Collations by id and by name.
pub(super) struct List {
    by_id: HashMap<u16, &'static Collation>,
    by_name: HashMap<&'static str, &'static Collation>,
    /// Those that clients may name, by name.
    pub(super) served: Vec<&'static Collation>,
    /// All of them, by id.
    pub(super) all: Vec<&'static Collation>,
}

pub(super) static LIST: LazyLock<List> = LazyLock::new(List::read);

/// The character sets of MariaDB's `uca1400` collations, in the order of their ids.
const UCA1400_CHARSETS: [&str; 5] = ["utf8mb3", "utf8mb4", "ucs2", "utf16", "utf32"];

/// Their first id, and how many ids each character set has.
const UCA1400_FIRST: u16 = 2048;
const UCA1400_EACH: u16 = 256;

/// The languages of MariaDB's `uca1400` collations by number; the first is none. Eight ids each.
const UCA1400_LANGUAGES: [(u16, &str); 23] = [
    (0, ""),
    (1, "icelandic_"),
    (2, "latvian_"),
    (3, "romanian_"),
    (4, "slovenian_"),
    (5, "polish_"),
    (6, "estonian_"),
    (7, "spanish_"),
    (8, "swedish_"),
    (9, "turkish_"),
    (10, "czech_"),
    (11, "danish_"),
    (12, "lithuanian_"),
    (13, "slovak_"),
    (14, "spanish2_"),
    (15, "roman_"),
    (16, "persian_"),
    (17, "esperanto_"),
    (18, "hungarian_"),
    (19, "sinhala_"),
    (20, "german2_"),
    (23, "vietnamese_"),
    (24, "croatian_"),
];

/// Their kinds, in the order of their ids.
const UCA1400_ENDINGS: [&str; 8] = [
    "ai_ci",
    "ai_cs",
    "as_ci",
    "as_cs",
    "nopad_ai_ci",
    "nopad_ai_cs",
    "nopad_as_ci",
    "nopad_as_cs",
];

/// Ids of MariaDB's `*_croatian_ci`, and of the collation of that name that MySQL has. Either is kept
/// by what strings are, so one stands for both.
const CROATIAN: [(u16, u16); 5] = [(576, 213), (608, 245), (640, 149), (672, 122), (736, 181)];

/// What MariaDB calls the collation that MySQL calls `*_croatian_ci`.
const CROATIAN_NAME: &str = "_croatian_mysql561_ci";

impl List {
    fn read() -> Self {
        let named = include_str!("names.txt").lines().filter_map(|line| {
            let mut words = line.split(' ');
            let id = words.next()?.parse().ok()?;
            let name = words.next()?;
            Some((id, name, words.next().is_some()))
        });
        let mut made: Vec<Collation> = named
            .chain(uca1400())
            .filter_map(|(id, name, is_default)| collation(id, name, is_default))
            .collect();
        made.retain(|made| BUILT_IN.iter().all(|known| known.id != made.id));
        let made: &'static [Collation] = Vec::leak(made);
        let mut all: Vec<_> = BUILT_IN.into_iter().chain(made).collect();
        all.sort_by_key(|collation| collation.id);
        let mut by_id: HashMap<_, _> = all.iter().map(|known| (known.id, *known)).collect();
        for (alias, id) in CROATIAN {
            if let Some(known) = by_id.get(&id).copied() {
                by_id.insert(alias, known);
            }
        }
        let mut served: Vec<_> = all
            .iter()
            .copied()
            .filter(|known| known.is_served)
            .collect();
        served.sort_by_key(|collation| collation.name);
        Self {
            by_id,
            by_name: all.iter().map(|known| (known.name, *known)).collect(),
            served,
            all,
        }
    }

    /// The collation with an id of either vendor.
    pub(super) fn with_id(&self, id: u16) -> Option<&'static Collation> {
        self.by_id.get(&id).copied()
    }

    /// The collation that a character set means when none is named.
    pub(super) fn default_of(&self, charset: Charset) -> &'static Collation {
        let mut all = self.all.iter().copied();
        let found = all.find(|known| known.is_default && known.charset == charset);
        // Every character set has one, as a test finds.
        found.unwrap_or(&super::BINARY)
    }

    /// The collation of a name in lower case.
    pub(super) fn named(&self, name: &str) -> Option<&'static Collation> {
        let known = self.by_name.get(name).copied();
        known.or_else(|| {
            let charset = name.strip_suffix(CROATIAN_NAME)?;
            self.by_name
                .get(format!("{charset}_croatian_ci").as_str())
                .copied()
        })
    }
}

/// MariaDB's collations of Unicode 14.
fn uca1400() -> impl Iterator<Item = (u16, &'static str, bool)> {
    (UCA1400_FIRST..)
        .step_by(UCA1400_EACH.into())
        .zip(UCA1400_CHARSETS)
        .flat_map(|(first, charset)| {
            UCA1400_LANGUAGES
                .into_iter()
                .flat_map(move |(number, language)| {
                    (0..).zip(UCA1400_ENDINGS).map(move |(kind, ending)| {
                        let id = first + number * 8 + kind;
                        let name = format!("{charset}_uca1400_{language}{ending}");
                        (id, &*name.leak(), false)
                    })
                })
        })
}

fn collation(id: u16, name: &'static str, is_default: bool) -> Option<Collation> {
    let of_mysql = charset::Charset::of_mysql_collation(id);
    let table = of_mysql.or_else(|| charset::Charset::of_mariadb_collation(id))?;
    let charset = Charset::of_table(table);
    let has_pad = !name.contains("_nopad_") && !name.contains("_0900_");
    let rule = rule(id, name, charset);
    let is_kept = rule.is_some() && !name.starts_with("big5_chinese_");
    Some(Collation {
        id,
        name,
        charset,
        is_default,
        pad: if has_pad { Pad::Space } else { Pad::None },
        rule: rule.unwrap_or(Rule::Binary),
        not_kept: (!is_kept).then(|| &*format!("order of {name}").leak()),
        is_served: is_kept && of_mysql.is_some() && Charset::ALL.contains(&charset),
    })
}

/// The server's rule, where it is known. That of `big5_chinese_ci` is the one by which it compares;
/// it sorts by strokes.
fn rule(id: u16, name: &str, charset: Charset) -> Option<Rule> {
    // What pads and what does not weigh the same.
    let padding = name.replace("_nopad_", "_");
    let (_, kind) = padding.split_once('_')?;
    let has_unicode = charset.has_unicode();
    if kind == "bin" || kind == "0900_bin" {
        return Some(match has_unicode {
            true => Rule::Binary,
            false => Rule::Codes(charset.table()),
        });
    }
    let of_bytes = bytes::table(id).or_else(|| bytes::table(id & !NOPAD));
    if let Some(weights) = of_bytes.filter(|_| !has_unicode) {
        return Some(Rule::Bytes(weights));
    }
    let is_unicode = has_unicode || charset.name() == "gb18030";
    match kind {
        _ if !is_unicode => None,
        "general_ci" => Some(Rule::General),
        "general_mysql500_ci" => Some(Rule::GeneralSharp),
        "general1400_as_ci" => Some(Rule::General1400),
        "unicode_ci" => Some(Rule::Unicode400),
        "unicode_520_ci" => Some(Rule::Unicode520),
        other => match other.split_once('_')? {
            ("0900", ending) => Levels::of_ending(ending).map(Rule::Unicode900),
            ("uca1400", ending) => Levels::of_ending(ending).map(Rule::Unicode1400),
            _ => None,
        },
    }
}

/// The bit of an id that MariaDB's collations without padding have.
const NOPAD: u16 = 1024;
