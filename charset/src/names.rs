//! Every charset of MySQL 9.7 and MariaDB 11.8 by its name.

use super::multi_byte::{Layout, MultiByte};
use super::{Charset, Kind, differences, single_byte};

pub(super) const ARMSCII8: Charset = Charset {
    name: "armscii8",
    len_max: 1,
    kind: Kind::SingleByte(single_byte::ARMSCII8),
};
pub(super) const ASCII: Charset = Charset {
    name: "ascii",
    len_max: 1,
    kind: Kind::Ascii,
};
pub(super) const BIG5: Charset = Charset {
    name: "big5",
    len_max: 2,
    kind: Kind::MultiByte(&MultiByte {
        layout: Layout::DoubleByte,
        base: &encoding_rs::BIG5_INIT,
        runs: differences::BIG5,
        spare: differences::SPARE_BIG5,
        long: &[],
        slot: 0,
    }),
};
pub(super) const BINARY: Charset = Charset {
    name: "binary",
    len_max: 1,
    kind: Kind::Binary,
};
pub(super) const CP1250: Charset = Charset {
    name: "cp1250",
    len_max: 1,
    kind: Kind::SingleByte(single_byte::CP1250),
};
pub(super) const CP1251: Charset = Charset {
    name: "cp1251",
    len_max: 1,
    kind: Kind::SingleByte(single_byte::CP1251),
};
pub(super) const CP1256: Charset = Charset {
    name: "cp1256",
    len_max: 1,
    kind: Kind::SingleByte(single_byte::CP1256),
};
pub(super) const CP1257: Charset = Charset {
    name: "cp1257",
    len_max: 1,
    kind: Kind::SingleByte(single_byte::CP1257),
};
pub(super) const CP850: Charset = Charset {
    name: "cp850",
    len_max: 1,
    kind: Kind::SingleByte(single_byte::CP850),
};
pub(super) const CP852: Charset = Charset {
    name: "cp852",
    len_max: 1,
    kind: Kind::SingleByte(single_byte::CP852),
};
pub(super) const CP866: Charset = Charset {
    name: "cp866",
    len_max: 1,
    kind: Kind::SingleByte(single_byte::CP866),
};
pub(super) const CP932: Charset = Charset {
    name: "cp932",
    len_max: 2,
    kind: Kind::MultiByte(&MultiByte {
        layout: Layout::ShiftJis,
        base: &encoding_rs::SHIFT_JIS_INIT,
        runs: differences::CP932,
        spare: differences::SPARE_CP932,
        long: &[],
        slot: 1,
    }),
};
pub(super) const DEC8: Charset = Charset {
    name: "dec8",
    len_max: 1,
    kind: Kind::SingleByte(single_byte::DEC8),
};
pub(super) const EUCJPMS: Charset = Charset {
    name: "eucjpms",
    len_max: 3,
    kind: Kind::MultiByte(&MultiByte {
        layout: Layout::EucJp,
        base: &encoding_rs::EUC_JP_INIT,
        runs: differences::EUCJPMS,
        spare: differences::SPARE_EUCJPMS,
        long: &[],
        slot: 2,
    }),
};
pub(super) const EUCKR: Charset = Charset {
    name: "euckr",
    len_max: 2,
    kind: Kind::MultiByte(&MultiByte {
        layout: Layout::DoubleByte,
        base: &encoding_rs::EUC_KR_INIT,
        runs: differences::EUCKR,
        spare: &[],
        long: &[],
        slot: 3,
    }),
};
pub(super) const GB18030: Charset = Charset {
    name: "gb18030",
    len_max: 4,
    kind: Kind::MultiByte(&MultiByte {
        layout: Layout::Gb18030,
        base: &encoding_rs::GB18030_INIT,
        runs: differences::GB18030,
        spare: &[],
        long: differences::LONG_GB18030,
        slot: 4,
    }),
};
pub(super) const GB2312: Charset = Charset {
    name: "gb2312",
    len_max: 2,
    kind: Kind::MultiByte(&MultiByte {
        layout: Layout::DoubleByte,
        base: &encoding_rs::GBK_INIT,
        runs: differences::GB2312,
        spare: &[],
        long: &[],
        slot: 5,
    }),
};
pub(super) const GBK: Charset = Charset {
    name: "gbk",
    len_max: 2,
    kind: Kind::MultiByte(&MultiByte {
        layout: Layout::DoubleByte,
        base: &encoding_rs::GBK_INIT,
        runs: differences::GBK,
        spare: &[],
        long: &[],
        slot: 6,
    }),
};
pub(super) const GEOSTD8: Charset = Charset {
    name: "geostd8",
    len_max: 1,
    kind: Kind::SingleByte(single_byte::GEOSTD8),
};
pub(super) const GREEK: Charset = Charset {
    name: "greek",
    len_max: 1,
    kind: Kind::SingleByte(single_byte::GREEK),
};
pub(super) const HEBREW: Charset = Charset {
    name: "hebrew",
    len_max: 1,
    kind: Kind::SingleByte(single_byte::HEBREW),
};
pub(super) const HP8: Charset = Charset {
    name: "hp8",
    len_max: 1,
    kind: Kind::SingleByte(single_byte::HP8),
};
pub(super) const KEYBCS2: Charset = Charset {
    name: "keybcs2",
    len_max: 1,
    kind: Kind::SingleByte(single_byte::KEYBCS2),
};
pub(super) const KOI8R: Charset = Charset {
    name: "koi8r",
    len_max: 1,
    kind: Kind::SingleByte(single_byte::KOI8R),
};
pub(super) const KOI8U: Charset = Charset {
    name: "koi8u",
    len_max: 1,
    kind: Kind::SingleByte(single_byte::KOI8U),
};
pub(super) const LATIN1: Charset = Charset {
    name: "latin1",
    len_max: 1,
    kind: Kind::SingleByte(single_byte::LATIN1),
};
pub(super) const LATIN2: Charset = Charset {
    name: "latin2",
    len_max: 1,
    kind: Kind::SingleByte(single_byte::LATIN2),
};
pub(super) const LATIN5: Charset = Charset {
    name: "latin5",
    len_max: 1,
    kind: Kind::SingleByte(single_byte::LATIN5),
};
pub(super) const LATIN7: Charset = Charset {
    name: "latin7",
    len_max: 1,
    kind: Kind::SingleByte(single_byte::LATIN7),
};
pub(super) const MACCE: Charset = Charset {
    name: "macce",
    len_max: 1,
    kind: Kind::SingleByte(single_byte::MACCE),
};
pub(super) const MACROMAN: Charset = Charset {
    name: "macroman",
    len_max: 1,
    kind: Kind::SingleByte(single_byte::MACROMAN),
};
pub(super) const SJIS: Charset = Charset {
    name: "sjis",
    len_max: 2,
    kind: Kind::MultiByte(&MultiByte {
        layout: Layout::ShiftJis,
        base: &encoding_rs::SHIFT_JIS_INIT,
        runs: differences::SJIS,
        spare: &[],
        long: &[],
        slot: 7,
    }),
};
pub(super) const SWE7: Charset = Charset {
    name: "swe7",
    len_max: 1,
    kind: Kind::Swe7,
};
pub(super) const TIS620: Charset = Charset {
    name: "tis620",
    len_max: 1,
    kind: Kind::SingleByte(single_byte::TIS620),
};
pub(super) const UCS2: Charset = Charset {
    name: "ucs2",
    len_max: 2,
    kind: Kind::Ucs2,
};
pub(super) const UJIS: Charset = Charset {
    name: "ujis",
    len_max: 3,
    kind: Kind::MultiByte(&MultiByte {
        layout: Layout::EucJp,
        base: &encoding_rs::EUC_JP_INIT,
        runs: differences::UJIS,
        spare: differences::SPARE_UJIS,
        long: &[],
        slot: 8,
    }),
};
pub(super) const UTF16: Charset = Charset {
    name: "utf16",
    len_max: 4,
    kind: Kind::Utf16,
};
pub(super) const UTF16LE: Charset = Charset {
    name: "utf16le",
    len_max: 4,
    kind: Kind::Utf16Le,
};
pub(super) const UTF32: Charset = Charset {
    name: "utf32",
    len_max: 4,
    kind: Kind::Utf32,
};
pub(super) const UTF8MB3: Charset = Charset {
    name: "utf8mb3",
    len_max: 3,
    kind: Kind::Utf8,
};
pub(super) const UTF8MB4: Charset = Charset {
    name: "utf8mb4",
    len_max: 4,
    kind: Kind::Utf8,
};

/// All of them, sorted by name.
pub(super) const ALL: &[&Charset] = &[
    &ARMSCII8, &ASCII, &BIG5, &BINARY, &CP1250, &CP1251, &CP1256, &CP1257, &CP850, &CP852, &CP866,
    &CP932, &DEC8, &EUCJPMS, &EUCKR, &GB18030, &GB2312, &GBK, &GEOSTD8, &GREEK, &HEBREW, &HP8,
    &KEYBCS2, &KOI8R, &KOI8U, &LATIN1, &LATIN2, &LATIN5, &LATIN7, &MACCE, &MACROMAN, &SJIS, &SWE7,
    &TIS620, &UCS2, &UJIS, &UTF16, &UTF16LE, &UTF32, &UTF8MB3, &UTF8MB4,
];
