//! What mysqlbinlog and mariadb-binlog print about events, as data.
//!
//! Both print `# at OFFSET` and a line with the event's header; MariaDB's prints the offsets of a
//! statement's events together, in front of their headers. So the two are two lists here.

use std::path::PathBuf;
use std::process::Command;

use crate::binlog_tools;
use crate::failure::{Failure, Result};
use crate::peers::Peer;

/// One line `#260101 12:00:00 server id 1  end_log_pos 123 CRC32 0x0123abcd  Type ...`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderLine {
    /// `YYMMDD HH:MM:SS` in UTC.
    pub time: String,
    /// Server id.
    pub server_id: u32,
    /// The event's own word about its end.
    pub end_log_pos: u64,
    /// What the reader calls the event and says of it.
    pub text: String,
}

/// Everything that is compared.
#[derive(Debug, Default)]
pub struct Listing {
    /// Offsets, one per event.
    pub offsets: Vec<u64>,
    /// Headers, one per event.
    pub headers: Vec<HeaderLine>,
    /// GTIDs of transactions.
    pub gtids: Vec<String>,
    /// Changed rows that were printed: inserts, updates, deletes.
    pub rows: [u64; 3],
    /// Whether the reader ended with success.
    pub is_ok: bool,
    /// Its words on stderr.
    pub complaints: String,
}

/// Runs the peer's reader over `files`, rows decoded.
///
/// # Errors
/// When it cannot be started.
pub fn list(peer: Peer, files: &[PathBuf]) -> Result<Listing> {
    let mut command: Command = binlog_tools::reader(peer)?;
    command
        .env("TZ", "UTC")
        .args(["-vv", "--base64-output=decode-rows"])
        .args(files);
    let output = command
        .output()
        .map_err(|error| Failure::from(error).during(format!("{command:?}")))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut listing = parse(&text);
    listing.is_ok = output.status.success();
    listing.complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok(listing)
}

fn parse(text: &str) -> Listing {
    let mut listing = Listing::default();
    for line in text.lines() {
        if let Some(offset) = line.strip_prefix("# at ") {
            listing.offsets.extend(offset.parse::<u64>());
        } else if let Some(header) = header(line) {
            let mut words = header.text.split_whitespace();
            if let (Some("GTID"), Some(gtid)) = (words.next(), words.next())
                && !gtid.contains('=')
            {
                listing.gtids.push(gtid.to_owned());
            }
            listing.headers.push(header);
        } else if let Some(rest) = line.strip_prefix("SET @@SESSION.GTID_NEXT= '") {
            let gtid = rest.split('\'').next().unwrap_or_default();
            let is_one = gtid.contains(':');
            listing.gtids.extend(is_one.then(|| gtid.to_owned()));
        }
        for (count, start) in
            listing
                .rows
                .iter_mut()
                .zip(["### INSERT INTO ", "### UPDATE ", "### DELETE FROM "])
        {
            *count += u64::from(line.starts_with(start));
        }
    }
    listing
}

fn header(line: &str) -> Option<HeaderLine> {
    let (date, rest) = line.strip_prefix('#')?.split_at_checked(6)?;
    if !date.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (time, rest) = rest.split_once(" server id ")?;
    let (server_id, rest) = rest.split_once("  end_log_pos ")?;
    let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
    let (end, rest) = rest.split_at_checked(digits)?;
    let rest = rest.trim_start();
    let text = match rest.strip_prefix("CRC32 0x") {
        Some(rest) => rest.get(8..).unwrap_or_default().trim(),
        None => rest,
    };
    // Hours below ten have a space in front.
    let time = time.trim_start();
    let zero = if time.len() == 7 { "0" } else { "" };
    Some(HeaderLine {
        time: format!("{date} {zero}{time}"),
        server_id: server_id.parse().ok()?,
        end_log_pos: end.parse().ok()?,
        text: text.to_owned(),
    })
}

/// Seconds since 1970 as the readers print them: `YYMMDD HH:MM:SS` in UTC.
pub fn time_text(timestamp: u32) -> String {
    use binlog::value::Timestamp;
    let moment = Timestamp {
        seconds: timestamp,
        micros: 0,
    };
    // `YYYY-MM-DD HH:MM:SS`; 0 is a moment here.
    let text = if timestamp == 0 {
        "1970-01-01 00:00:00".to_owned()
    } else {
        moment.text_utc(0)
    };
    let digits: String = text.chars().filter(|&letter| letter != '-').collect();
    digits.get(2..).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{HeaderLine, parse, time_text};

    #[test]
    fn both_readers_lines_are_understood() {
        let listing = parse(concat!(
            "# at 4\n",
            "#261120 19:31:32 server id 1  end_log_pos 256 CRC32 0x05b828a7 \tStart: binlog v 4\n",
            "# at 325\n",
            "#261120  9:31:34 server id 1  end_log_pos 367 CRC32 0xdfaf4481 \tGTID 0-1-1 ddl\n",
            "#261120 19:32:17 server id 1  end_log_pos 0 \tXid = 28\n",
            "SET @@SESSION.GTID_NEXT= '97979797-0000-11f0-8000-000000000001:1'/*!*/;\n",
            "SET @@SESSION.GTID_NEXT= 'AUTOMATIC' /* added by mysqlbinlog */ /*!*/;\n",
            "### INSERT INTO `d1`.`x`\n",
        ));
        assert_eq!(listing.offsets, [4, 325]);
        assert_eq!(
            listing.gtids,
            ["0-1-1", "97979797-0000-11f0-8000-000000000001:1"]
        );
        assert_eq!(listing.rows, [1, 0, 0]);
        assert_eq!(
            listing.headers.get(1),
            Some(&HeaderLine {
                time: "261120 09:31:34".to_owned(),
                server_id: 1,
                end_log_pos: 367,
                text: "GTID 0-1-1 ddl".to_owned(),
            })
        );
        assert_eq!(
            listing.headers.get(2).map(|line| line.text.as_str()),
            Some("Xid = 28")
        );
        assert_eq!(time_text(1_795_203_137), "261120 19:32:17");
    }
}
