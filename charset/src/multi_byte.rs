//! East Asian charsets: a library's tables, corrected where MySQL's are others.

use std::sync::OnceLock;

use encoding_rs::Encoding;

use super::differences::{Codes, NONE, Runs};

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
    /// What is read and never written.
    pub(super) spare: Codes,
    /// Codes of four bytes that the library writes otherwise.
    pub(super) long: &'static [u32],
    /// Its place among those whose codes are looked up by character.
    pub(super) slot: usize,
}

/// Characters and their codes of two or three bytes, by character: made when first needed.
static CODES: [OnceLock<Vec<(char, u32)>>; 9] = [const { OnceLock::new() }; 9];

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

    /// Appends the code that a character is written as, if there is one.
    pub(super) fn put(&self, character: char, out: &mut Vec<u8>) -> Option<()> {
        let known = CODES.get(self.slot)?.get_or_init(|| self.codes());
        if let Ok(at) = known.binary_search_by_key(&character, |&(known, _)| known) {
            let (_, code) = known.get(at)?;
            out.extend(code.to_be_bytes().into_iter().skip_while(|&byte| byte == 0));
            return Some(());
        }
        if self.layout != Layout::Gb18030 {
            return None;
        }
        // Its codes of four bytes are too many to be listed.
        let mut buffer = [0; 4];
        let text = character.encode_utf8(&mut buffer);
        let (code, _, is_lossy) = self.base.encode(text);
        if is_lossy || self.decode(&code).as_deref() != Some(text) {
            return None;
        }
        out.extend_from_slice(&code);
        Some(())
    }

    /// The code at the start of `bytes`; one byte where they are no code.
    pub(super) fn first<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        let len = self.next_len(bytes, 0).unwrap_or(0);
        let is_whole = |code: &&[u8]| {
            let mut behind = code.iter().skip(1);
            self.layout != Layout::EucJp || behind.all(|&byte| byte >= 0xa1)
        };
        let code = bytes.get(..len).filter(is_whole);
        code.unwrap_or_else(|| bytes.get(..1).unwrap_or_default())
    }

    /// Every character beyond ASCII with the code that it is written as; of four bytes only the listed.
    fn codes(&self) -> Vec<(char, u32)> {
        let double = 0x8100..=0xffff_u32;
        let triple = 0x8f_a1a1..=0x8f_fefe_u32;
        let is_triple = self.layout == Layout::EucJp;
        let triple = triple.filter(|code| is_triple && code & 0x80 != 0);
        let mut known: Vec<_> = (0x80..=0xff)
            .chain(double)
            .chain(triple)
            .chain(self.long.iter().copied())
            .filter_map(|code| Some((self.written(code)?, code)))
            .collect();
        known.sort_unstable();
        known.dedup_by_key(|&mut (character, _)| character);
        known
    }

    /// The character that is written as this code.
    fn written(&self, code: u32) -> Option<char> {
        let after = self.spare.partition_point(|&(first, _)| first <= code);
        let spare = after.checked_sub(1).and_then(|at| self.spare.get(at));
        if spare.is_some_and(|&(_, last)| code <= last) {
            return None;
        }
        let bytes = code.to_be_bytes();
        let start = bytes.iter().position(|&byte| byte != 0)?;
        let bytes = bytes.get(start..)?;
        let text = self.decode(bytes)?;
        let mut characters = text.chars();
        let first = characters.next()?;
        // Two codes of one byte are no code.
        characters.next().is_none().then_some(first)
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
