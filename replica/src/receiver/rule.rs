//! Which transactions a stream may bring.

use config::settings::GtidMode;
use gtid::{Gtid, MariaGtid, MariaPosition};

/// Which transactions of a source are taken.
#[derive(Debug, Clone)]
pub enum Rule {
    /// Of a MySQL source those that `gtid_mode` lets through.
    MySql(GtidMode),
    /// Of a MariaDB source those behind the last ones of their domains, as with `gtid_strict_mode`:
    /// what is executed is known by the last number of a domain, so that one out of order would be
    /// passed over as executed.
    MariaDb {
        /// The last transactions that were received or applied.
        last: MariaPosition,
        /// Whether the stream goes on by GTIDs, so that a transaction without one would come again.
        by_gtid: bool,
    },
}

/// Why a transaction is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refused {
    /// `gtid_mode` is against transactions of this kind.
    GtidMode { found: &'static str, mode: GtidMode },
    /// One of its domain with this or a higher number came before.
    OutOfOrder { gtid: MariaGtid, last: MariaGtid },
    /// It has no GTID.
    NoGtid,
}

impl Rule {
    /// Whether the source is a MariaDB server.
    pub(super) const fn is_mariadb(&self) -> bool {
        matches!(self, Self::MariaDb { .. })
    }

    /// Whether a transaction is taken that one of MySQL's GTID events begins. ON takes no anonymous
    /// one, OFF none with a GTID, as in MySQL.
    pub(super) const fn admit_mysql(&self, gtid: Option<Gtid>) -> Result<(), Refused> {
        match (self, gtid) {
            (Self::MySql(mode @ GtidMode::On), None) => Err(Refused::GtidMode {
                found: "anonymous transaction",
                mode: *mode,
            }),
            (Self::MySql(mode @ GtidMode::Off), Some(_)) => Err(Refused::GtidMode {
                found: "GTID-transaction",
                mode: *mode,
            }),
            (Self::MySql(_) | Self::MariaDb { .. }, _) => Ok(()),
        }
    }

    /// Whether a transaction is taken that MariaDB's GTID event begins.
    pub(super) fn admit_mariadb(&self, gtid: MariaGtid) -> Result<(), Refused> {
        match self {
            Self::MySql(_) => Ok(()),
            Self::MariaDb { last, .. } => match last.get(gtid.domain) {
                Some(last) if gtid.sequence <= last.sequence => {
                    Err(Refused::OutOfOrder { gtid, last })
                }
                _ => Ok(()),
            },
        }
    }

    /// Takes note of the end of a transaction; `None`: it has no GTID of MariaDB's.
    pub(super) fn end(&mut self, gtid: Option<MariaGtid>) -> Result<(), Refused> {
        match (self, gtid) {
            (Self::MariaDb { last, .. }, Some(gtid)) => {
                last.set(gtid);
                Ok(())
            }
            (Self::MariaDb { by_gtid: true, .. }, None) => Err(Refused::NoGtid),
            (Self::MariaDb { by_gtid: false, .. } | Self::MySql(_), _) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gtid(text: &str) -> MariaGtid {
        text.parse().unwrap()
    }

    #[test]
    fn a_domain_only_goes_forward() {
        let mut rule = Rule::MariaDb {
            last: "0-1-5,7-1-9".parse().unwrap(),
            by_gtid: true,
        };
        for (next, is_admitted) in [
            ("0-1-5", false),
            ("0-2-4", false),
            ("0-2-6", true),
            ("7-1-8", false),
            ("3-1-1", true),
        ] {
            let found = rule.admit_mariadb(gtid(next)).is_ok();
            assert_eq!(found, is_admitted, "{next}");
        }
        rule.end(Some(gtid("0-2-6"))).unwrap();
        let refused = rule.admit_mariadb(gtid("0-1-6"));
        let (gtid, last) = (gtid("0-1-6"), gtid("0-2-6"));
        assert_eq!(refused, Err(Refused::OutOfOrder { gtid, last }));
    }

    #[test]
    fn by_gtid_every_transaction_has_one() {
        let last = MariaPosition::default;
        let ends = |by_gtid| {
            let last = last();
            Rule::MariaDb { last, by_gtid }.end(None)
        };
        assert_eq!(ends(true), Err(Refused::NoGtid));
        assert_eq!(ends(false), Ok(()));
        assert_eq!(Rule::MySql(GtidMode::On).end(None), Ok(()));
    }
}
