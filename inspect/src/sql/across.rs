//! What session variables in the log of one vendor's server mean to a server of the other.
//!
//! Spec: the bits of `sql_mode` are those that MySQL 9.7 and MariaDB 11.8 show for them; ids of
//! collations are those of their information_schema.

use binlog::event::Flavour;

/// A server that statements go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Destination {
    /// Whose server it is.
    pub flavour: Flavour,
    /// Its version as version comments count, for example 110800.
    pub version: u32,
}

/// Sets what MySQL does by itself: seconds are rounded. MariaDB cuts them.
const TIME_TRUNCATE_FRACTIONAL: u64 = 1 << 32;
const TIME_ROUND_FRACTIONAL: u64 = 1 << 34;

/// Modes that both have under the same bit.
const COMMON: u64 = 0xeff8_00ff & !UNUSED;
/// `NOT_USED` of MySQL; a mode of MariaDB that concerns options of other engines.
const UNUSED: u64 = 1 << 4;
/// `ANSI`, which stands for others that are set beside it.
const ANSI: u64 = 1 << 18;
/// The mode that makes `to` do what `from` does under `mode`. What has no like there and changes no
/// statement's meaning is left out: combinations stand beside the modes they stand for, and what SHOW
/// CREATE TABLE prints does not matter.
pub(super) fn sql_mode(mode: u64, to: Destination) -> u64 {
    let common = mode & (COMMON | ANSI);
    match to.flavour {
        Flavour::MySql if mode & TIME_ROUND_FRACTIONAL == 0 && to.version >= 80_000 => {
            common | TIME_TRUNCATE_FRACTIONAL
        }
        Flavour::MariaDb if mode & TIME_TRUNCATE_FRACTIONAL == 0 => common | TIME_ROUND_FRACTIONAL,
        Flavour::MySql | Flavour::MariaDb => common,
    }
}

/// The collation of `to` that is nearest to that of the other vendor with this id, and takes no two texts
/// for equal that it tells apart, but for what later versions of Unicode changed.
pub(super) fn collation(id: u16, to: Destination) -> u16 {
    match to.flavour {
        // MariaDB 11.4.5 and later know MySQL's ids.
        Flavour::MariaDb if to.version >= 110_405 => id,
        Flavour::MariaDb => match id {
            255..=323 if to.version < 101_001 => 46,
            // utf8mb4_0900_bin is utf8mb4_nopad_bin there.
            309 => 1070,
            278 | 279..=303 | 319 | 321 | 323 => 2311,
            305 => 2310,
            255..=323 => 2308,
            id => id,
        },
        Flavour::MySql => match id {
            2304..=2559 if to.version < 80_000 => 46,
            // The same without padding; MySQL pads.
            1025..=1271 => id - 1024,
            // uca1400: 256 ids for each of utf8mb3, utf8mb4, ucs2, utf16 and utf32, whose lowest bits say
            // that case, accents and padding matter.
            2048..=3327 => match (id / 256, id & 3) {
                (8, 0) => 192,
                (8, _) => 83,
                (9, 0) => 255,
                (9, 2) => 305,
                (9, _) => 278,
                (10, 0) => 128,
                (10, _) => 90,
                (11, 0) => 101,
                (11, _) => 55,
                (_, 0) => 160,
                (_, _) => 61,
            },
            id => id,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_keep_their_meaning_on_the_other_vendors_server() {
        let to = |flavour, version| Destination { flavour, version };
        let mysql = to(Flavour::MySql, 90_704);
        let mariadb = to(Flavour::MariaDb, 110_806);
        // ANSI_QUOTES, STRICT_TRANS_TABLES, NO_AUTO_CREATE_USER, PAD_CHAR_TO_FULL_LENGTH
        let both = 1 << 2 | 1 << 21 | 1 << 31;
        let of_mariadb = both | 1 << 28 | 1 << 8 | 1 << 32;
        let truncates = both | TIME_TRUNCATE_FRACTIONAL;
        assert_eq!(sql_mode(of_mariadb, mysql), truncates);
        assert_eq!(sql_mode(both | TIME_ROUND_FRACTIONAL, mysql), both);
        assert_eq!(sql_mode(truncates, mariadb), both);
        assert_eq!(sql_mode(both, mariadb), both | TIME_ROUND_FRACTIONAL);
    }

    #[test]
    fn collations_become_the_nearest_ones() {
        let to = |flavour, version| Destination { flavour, version };
        let mysql = to(Flavour::MySql, 90_704);
        let mariadb = |version| to(Flavour::MariaDb, version);
        for (id, to, expected) in [
            (2304, mysql, 255),
            (2308, mysql, 255),
            (2307, mysql, 278),
            (2048, mysql, 192),
            (1070, mysql, 46),
            (45, mysql, 45),
            (255, mariadb(110_806), 255),
            (255, mariadb(101_114), 2308),
            (309, mariadb(101_114), 1070),
            (278, mariadb(101_114), 2311),
            (255, mariadb(100_500), 46),
            (8, mariadb(100_500), 8),
        ] {
            assert_eq!(collation(id, to), expected, "{id} {to:?}");
        }
    }
}
