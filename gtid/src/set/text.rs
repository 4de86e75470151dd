//! MySQL's text form: `uuid:1-5:7:tag:1-3,` and the next UUID on a new line.
//!
//! Spec: MySQL 9.7 Reference Manual, "GTID Sets"; the printed form is that of `@@gtid_executed`.

use std::fmt;
use std::str::FromStr;

use super::{GnoInterval, GtidSet};
use crate::identifier::{parse_number, parse_uuid};
use crate::{Gno, ParseError, Tag, Tsid};

impl fmt::Display for GtidSet {
    /// Prints as MySQL does: intervals of all tags of a UUID together, `,\n` between UUIDs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut previous = None;
        for (tsid, intervals) in &self.tsids {
            if previous != Some(tsid.uuid) {
                let separator = if previous.is_some() { ",\n" } else { "" };
                write!(f, "{separator}{}", tsid.uuid)?;
                previous = Some(tsid.uuid);
            }
            if !tsid.tag.is_none() {
                write!(f, ":{}", tsid.tag)?;
            }
            for interval in intervals {
                write!(f, ":{}", interval.start)?;
                if interval.end != interval.start {
                    write!(f, "-{}", interval.end)?;
                }
            }
        }
        Ok(())
    }
}

impl FromStr for GtidSet {
    type Err = ParseError;

    /// Reads what MySQL reads: any order, spaces and line ends around every part, empty members
    /// between commas, upper case, overlapping intervals; a backward interval (`5-3`) is empty.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut set = Self::new();
        for member in text.split(',') {
            let mut parts = member.split(':').map(str::trim);
            let uuid = match parts.next() {
                None | Some("") if parts.next().is_none() => continue,
                uuid => parse_uuid(uuid.unwrap_or(""))?,
            };
            let mut tsid = Tsid::untagged(uuid);
            let mut tag_is_open = false;
            for part in parts {
                if part.starts_with(|first: char| first.is_ascii_digit()) {
                    add_interval(&mut set, tsid, part)?;
                    tag_is_open = false;
                } else if tag_is_open {
                    return Err(ParseError::new(
                        "GTID interval",
                        part,
                        "a number after a tag",
                    ));
                } else {
                    tsid.tag = part.parse::<Tag>()?;
                    tag_is_open = true;
                }
            }
            if tag_is_open {
                return Err(ParseError::new(
                    "GTID set",
                    member.trim(),
                    "an interval after a tag",
                ));
            }
        }
        set.settle();
        Ok(set)
    }
}

fn add_interval(set: &mut GtidSet, tsid: Tsid, text: &str) -> Result<(), ParseError> {
    let error = || {
        ParseError::new(
            "GTID interval",
            text,
            "FIRST or FIRST-LAST, from 1 to 2^63-2",
        )
    };
    let (start, end) = match text.split_once('-') {
        Some((start, end)) => (start.trim_end(), Some(end.trim_start())),
        None => (text, None),
    };
    let start = parse_number(start).and_then(Gno::new).ok_or_else(error)?;
    let end = match end {
        None => start,
        // 0 is a number here, though no transaction's: the interval is then empty.
        Some("0") => return Ok(()),
        Some("") => return Err(error()),
        Some(end) => parse_number(end).and_then(Gno::new).ok_or_else(error)?,
    };
    if start <= end {
        let (start, end) = (start.get(), end.get());
        set.push(tsid, GnoInterval { start, end }, 1);
    }
    Ok(())
}
