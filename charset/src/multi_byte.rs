//! East Asian charsets: a library's tables, corrected where MySQL's are others.

use encoding_rs::Encoding;

use super::differences::{NONE, Runs};

/// How codes of several bytes are told apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Two bytes from 0x81 on.
    DoubleByte,
    /// Two bytes, but katakana of one.
    ShiftJis,
    /// Two bytes, three behind 0x8f.
    EucJp,
    /// Two bytes, or four when the second is a digit.
    Gb18030,
}

/// One such charset.
pub(super) struct MultiByte {
    pub(super) layout: Layout,
    /// The library's charset that is most like it.
    pub(super) base: &'static Encoding,
    /// Where it is not.
    pub(super) runs: Runs,
}

impl MultiByte {
    pub(super) fn decode(&self, bytes: &[u8]) -> Option<String> {
        let mut text = String::with_capacity(bytes.len());
        let mut rest = bytes;
        // What the library reads as MySQL does goes to it in one piece.
        let mut same = 0;
        while let Some(len) = self.next_len(rest, same) {
            let code = rest.get(same..same.saturating_add(len))?;
            match self.difference(code) {
                None => same = same.saturating_add(len),
                Some(NONE) => return None,
                Some(char) => {
                    self.push_same(&mut text, rest.get(..same)?)?;
                    text.push(char::from_u32(char)?);
                    rest = rest.get(same.saturating_add(len)..)?;
                    same = 0;
                }
            }
        }
        self.push_same(&mut text, rest)?;
        Some(text)
    }

    /// Bytes of the code at `at`; `None` at the end.
    fn next_len(&self, bytes: &[u8], at: usize) -> Option<usize> {
        let first = *bytes.get(at)?;
        let second = bytes.get(at.saturating_add(1)).copied().unwrap_or(0);
        Some(match (self.layout, first) {
            (_, 0..=0x80 | 0xff) | (Layout::ShiftJis, 0xa0..=0xdf | 0xfd..) => 1,
            (Layout::EucJp, 0x8f) => 3,
            (Layout::EucJp, 0x81..=0x8d | 0x90..=0xa0) => 1,
            (Layout::Gb18030, _) if second.is_ascii_digit() => 4,
            _ => 2,
        })
    }

    /// What MySQL reads in place of the library's character, if it does.
    fn difference(&self, code: &[u8]) -> Option<u32> {
        if code.first().is_some_and(u8::is_ascii) {
            return None;
        }
        let code = code
            .iter()
            .fold(0, |code: u32, &byte| code << 8 | u32::from(byte));
        let after = self.runs.partition_point(|&(first, ..)| first <= code);
        let &(first, last, char) = self.runs.get(after.checked_sub(1)?)?;
        (code <= last).then(|| match char {
            NONE => NONE,
            char => char.saturating_add(code - first),
        })
    }

    fn push_same(&self, text: &mut String, bytes: &[u8]) -> Option<()> {
        let same = self
            .base
            .decode_without_bom_handling_and_without_replacement(bytes)?;
        text.push_str(&same);
        Some(())
    }
}
