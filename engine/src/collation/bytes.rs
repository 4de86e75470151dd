//! Collations that weigh the bytes of their character set: a table of 256 weights each.
//!
//! The tables are those of WEIGHT_STRING() of MySQL 9.7 for every single byte, by the collation's id;
//! MariaDB 11.8 has the same. They are part of the file format. Codes of several bytes weigh their
//! bytes, but in gbk, which has a table for its 23 940 codes of two.

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use charset::Charset;

/// The weights of a collation.
pub struct ByteWeights {
    charset: &'static Charset,
    weights: [u8; 256],
    kind: Kind,
}

/// What else than bytes weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Nothing.
    Plain,
    /// Umlauts weigh two letters: `latin1_german2_ci`.
    German,
    /// Codes of two bytes have weights of their own: `gbk_chinese_ci`.
    Gbk,
}

/// The id of `latin1_german2_ci`.
const GERMAN2: u16 = 31;

/// The id of `gbk_chinese_ci`.
const GBK_CHINESE: u16 = 28;

static TABLES: LazyLock<HashMap<u16, ByteWeights>> = LazyLock::new(|| {
    let (records, _) = include_bytes!("weights/bytes.bin").as_chunks::<258>();
    let tables = records.iter().filter_map(|record| {
        let (id, weights) = record.split_first_chunk::<2>()?;
        let id = u16::from_le_bytes(*id);
        let table = ByteWeights {
            charset: Charset::of_mysql_collation(id)?,
            weights: weights.try_into().ok()?,
            kind: match id {
                GERMAN2 => Kind::German,
                GBK_CHINESE => Kind::Gbk,
                _ => Kind::Plain,
            },
        };
        Some((id, table))
    });
    tables.collect()
});

/// The weights of the codes of gbk, from 0x8140 on; the second byte is 0x40 to 0x7e or 0x80 to 0xfe.
static GBK: &[u8] = include_bytes!("weights/gbk.bin");

/// Second bytes of gbk.
const GBK_SECOND: u32 = 190;

/// The weights of a collation, if it has such a table.
pub(super) fn table(id: u16) -> Option<&'static ByteWeights> {
    TABLES.get(&id)
}

impl fmt::Debug for ByteWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "weights of {}", self.charset)
    }
}

impl ByteWeights {
    /// The weights of one character; `None` for one that the character set lacks.
    pub(super) fn of_char(&self, c: char) -> Option<[Option<u16>; 3]> {
        let code = self.charset.code_of(c)?;
        if let Ok(byte) = u8::try_from(code) {
            let weight = self.weights.get(usize::from(byte)).copied().map(u16::from);
            let second = match (self.kind, byte) {
                (Kind::German, 0xc4 | 0xd6 | 0xdc | 0xe4 | 0xf6 | 0xfc) => Some(b'E'.into()),
                (Kind::German, 0xdf) => Some(b'S'.into()),
                _ => None,
            };
            return Some([weight, second, None]);
        }
        if self.kind == Kind::Gbk {
            return Some([gbk(code), None, None]);
        }
        let [_, bytes @ ..] = code.to_be_bytes();
        let has_three = bytes.first() != Some(&0);
        let mut weights = bytes.map(|byte| Some(u16::from(byte)));
        if !has_three {
            weights.rotate_left(1);
            if let Some(last) = weights.last_mut() {
                *last = None;
            }
        }
        Some(weights)
    }
}

/// The weight of a code of two bytes.
fn gbk(code: u32) -> Option<u16> {
    let (first, second) = (code >> 8, code & 0xff);
    let second = second.checked_sub(if second > 0x7f { 0x41 } else { 0x40 })?;
    let at = first.checked_sub(0x81)? * GBK_SECOND + second;
    let (weights, _) = GBK.as_chunks::<2>();
    let weight = weights.get(usize::try_from(at).ok()?)?;
    Some(u16::from_le_bytes(*weight))
}
