//! Collation ids and the charsets they belong to.
//!
//! Taken from `information_schema.collations` of MySQL 9.7.4 and
//! `information_schema.collation_character_set_applicability` of MariaDB 11.8.6. No id means one charset
//! to the one and another to the other.

use super::Charset;
use super::names::*;

/// Whose id it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    Both,
    MySql,
    MariaDb,
}

use Owner::{Both, MariaDb, MySql};

/// First id, last id, their charset, and who has them; sorted.
#[rustfmt::skip]
pub(super) const COLLATIONS: &[(u16, u16, &Charset, Owner)] = &[
    (1, 1, &BIG5, Both), (2, 2, &LATIN2, Both), (3, 3, &DEC8, Both), (4, 4, &CP850, Both),
    (5, 5, &LATIN1, Both), (6, 6, &HP8, Both), (7, 7, &KOI8R, Both), (8, 8, &LATIN1, Both),
    (9, 9, &LATIN2, Both), (10, 10, &SWE7, Both), (11, 11, &ASCII, Both), (12, 12, &UJIS, Both),
    (13, 13, &SJIS, Both), (14, 14, &CP1251, Both), (15, 15, &LATIN1, Both),
    (16, 16, &HEBREW, Both), (18, 18, &TIS620, Both), (19, 19, &EUCKR, Both),
    (20, 20, &LATIN7, Both), (21, 21, &LATIN2, Both), (22, 22, &KOI8U, Both),
    (23, 23, &CP1251, Both), (24, 24, &GB2312, Both), (25, 25, &GREEK, Both),
    (26, 26, &CP1250, Both), (27, 27, &LATIN2, Both), (28, 28, &GBK, Both), (29, 29, &CP1257, Both),
    (30, 30, &LATIN5, Both), (31, 31, &LATIN1, Both), (32, 32, &ARMSCII8, Both),
    (33, 33, &UTF8MB3, Both), (34, 34, &CP1250, Both), (35, 35, &UCS2, Both),
    (36, 36, &CP866, Both), (37, 37, &KEYBCS2, Both), (38, 38, &MACCE, Both),
    (39, 39, &MACROMAN, Both), (40, 40, &CP852, Both), (41, 42, &LATIN7, Both),
    (43, 43, &MACCE, Both), (44, 44, &CP1250, Both), (45, 46, &UTF8MB4, Both),
    (47, 49, &LATIN1, Both), (50, 52, &CP1251, Both), (53, 53, &MACROMAN, Both),
    (54, 55, &UTF16, Both), (56, 56, &UTF16LE, Both), (57, 57, &CP1256, Both),
    (58, 59, &CP1257, Both), (60, 61, &UTF32, Both), (62, 62, &UTF16LE, Both),
    (63, 63, &BINARY, Both), (64, 64, &ARMSCII8, Both), (65, 65, &ASCII, Both),
    (66, 66, &CP1250, Both), (67, 67, &CP1256, Both), (68, 68, &CP866, Both), (69, 69, &DEC8, Both),
    (70, 70, &GREEK, Both), (71, 71, &HEBREW, Both), (72, 72, &HP8, Both), (73, 73, &KEYBCS2, Both),
    (74, 74, &KOI8R, Both), (75, 75, &KOI8U, Both), (76, 76, &UTF8MB3, MySql),
    (77, 77, &LATIN2, Both), (78, 78, &LATIN5, Both), (79, 79, &LATIN7, Both),
    (80, 80, &CP850, Both), (81, 81, &CP852, Both), (82, 82, &SWE7, Both), (83, 83, &UTF8MB3, Both),
    (84, 84, &BIG5, Both), (85, 85, &EUCKR, Both), (86, 86, &GB2312, Both), (87, 87, &GBK, Both),
    (88, 88, &SJIS, Both), (89, 89, &TIS620, Both), (90, 90, &UCS2, Both), (91, 91, &UJIS, Both),
    (92, 93, &GEOSTD8, Both), (94, 94, &LATIN1, Both), (95, 96, &CP932, Both),
    (97, 98, &EUCJPMS, Both), (99, 99, &CP1250, Both), (101, 124, &UTF16, Both),
    (128, 151, &UCS2, Both), (159, 159, &UCS2, Both), (160, 183, &UTF32, Both),
    (192, 215, &UTF8MB3, Both), (223, 223, &UTF8MB3, Both), (224, 247, &UTF8MB4, Both),
    (248, 250, &GB18030, MySql), (255, 271, &UTF8MB4, Both), (273, 275, &UTF8MB4, Both),
    (277, 294, &UTF8MB4, Both), (296, 298, &UTF8MB4, Both), (300, 300, &UTF8MB4, Both),
    (303, 304, &UTF8MB4, MySql), (305, 305, &UTF8MB4, Both), (306, 308, &UTF8MB4, MySql),
    (309, 309, &UTF8MB4, Both), (310, 323, &UTF8MB4, MySql), (576, 579, &UTF8MB3, MariaDb),
    (608, 611, &UTF8MB4, MariaDb), (640, 642, &UCS2, MariaDb), (672, 674, &UTF16, MariaDb),
    (736, 738, &UTF32, MariaDb), (1025, 1025, &BIG5, MariaDb), (1027, 1027, &DEC8, MariaDb),
    (1028, 1028, &CP850, MariaDb), (1030, 1030, &HP8, MariaDb), (1031, 1031, &KOI8R, MariaDb),
    (1032, 1032, &LATIN1, MariaDb), (1033, 1033, &LATIN2, MariaDb), (1034, 1034, &SWE7, MariaDb),
    (1035, 1035, &ASCII, MariaDb), (1036, 1036, &UJIS, MariaDb), (1037, 1037, &SJIS, MariaDb),
    (1040, 1040, &HEBREW, MariaDb), (1042, 1042, &TIS620, MariaDb), (1043, 1043, &EUCKR, MariaDb),
    (1046, 1046, &KOI8U, MariaDb), (1048, 1048, &GB2312, MariaDb), (1049, 1049, &GREEK, MariaDb),
    (1050, 1050, &CP1250, MariaDb), (1052, 1052, &GBK, MariaDb), (1054, 1054, &LATIN5, MariaDb),
    (1056, 1056, &ARMSCII8, MariaDb), (1057, 1057, &UTF8MB3, MariaDb), (1059, 1059, &UCS2, MariaDb),
    (1060, 1060, &CP866, MariaDb), (1061, 1061, &KEYBCS2, MariaDb), (1062, 1062, &MACCE, MariaDb),
    (1063, 1063, &MACROMAN, MariaDb), (1064, 1064, &CP852, MariaDb), (1065, 1065, &LATIN7, MariaDb),
    (1067, 1067, &MACCE, MariaDb), (1069, 1070, &UTF8MB4, MariaDb), (1071, 1071, &LATIN1, MariaDb),
    (1074, 1075, &CP1251, MariaDb), (1077, 1077, &MACROMAN, MariaDb), (1078, 1079, &UTF16, MariaDb),
    (1080, 1080, &UTF16LE, MariaDb), (1081, 1081, &CP1256, MariaDb), (1082, 1083, &CP1257, MariaDb),
    (1084, 1085, &UTF32, MariaDb), (1086, 1086, &UTF16LE, MariaDb),
    (1088, 1088, &ARMSCII8, MariaDb), (1089, 1089, &ASCII, MariaDb), (1090, 1090, &CP1250, MariaDb),
    (1091, 1091, &CP1256, MariaDb), (1092, 1092, &CP866, MariaDb), (1093, 1093, &DEC8, MariaDb),
    (1094, 1094, &GREEK, MariaDb), (1095, 1095, &HEBREW, MariaDb), (1096, 1096, &HP8, MariaDb),
    (1097, 1097, &KEYBCS2, MariaDb), (1098, 1098, &KOI8R, MariaDb), (1099, 1099, &KOI8U, MariaDb),
    (1101, 1101, &LATIN2, MariaDb), (1102, 1102, &LATIN5, MariaDb), (1103, 1103, &LATIN7, MariaDb),
    (1104, 1104, &CP850, MariaDb), (1105, 1105, &CP852, MariaDb), (1106, 1106, &SWE7, MariaDb),
    (1107, 1107, &UTF8MB3, MariaDb), (1108, 1108, &BIG5, MariaDb), (1109, 1109, &EUCKR, MariaDb),
    (1110, 1110, &GB2312, MariaDb), (1111, 1111, &GBK, MariaDb), (1112, 1112, &SJIS, MariaDb),
    (1113, 1113, &TIS620, MariaDb), (1114, 1114, &UCS2, MariaDb), (1115, 1115, &UJIS, MariaDb),
    (1116, 1117, &GEOSTD8, MariaDb), (1119, 1120, &CP932, MariaDb), (1121, 1122, &EUCJPMS, MariaDb),
    (1125, 1125, &UTF16, MariaDb), (1147, 1147, &UTF16, MariaDb), (1152, 1152, &UCS2, MariaDb),
    (1174, 1174, &UCS2, MariaDb), (1184, 1184, &UTF32, MariaDb), (1206, 1206, &UTF32, MariaDb),
    (1216, 1216, &UTF8MB3, MariaDb), (1238, 1238, &UTF8MB3, MariaDb),
    (1248, 1248, &UTF8MB4, MariaDb), (1270, 1270, &UTF8MB4, MariaDb),
    (2048, 2215, &UTF8MB3, MariaDb), (2232, 2247, &UTF8MB3, MariaDb),
    (2304, 2471, &UTF8MB4, MariaDb), (2488, 2503, &UTF8MB4, MariaDb), (2560, 2727, &UCS2, MariaDb),
    (2744, 2759, &UCS2, MariaDb), (2816, 2983, &UTF16, MariaDb), (3000, 3015, &UTF16, MariaDb),
    (3072, 3239, &UTF32, MariaDb), (3256, 3271, &UTF32, MariaDb),
];
