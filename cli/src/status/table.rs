//! Looks as a table for people. `-` is unknown.

use super::judge;
use super::look::{LagVector, Look};

const HEADER: [&str; 8] = [
    "SERVER",
    "ROLE",
    "STATE",
    "GTIDS",
    "BINLOG",
    "LAG receive/queue/apply",
    "BEHIND",
    "NOTE",
];

/// The table, without a line end behind it.
pub(super) fn render(looks: &[Look]) -> String {
    let mut rows = vec![HEADER.map(str::to_owned)];
    rows.extend(looks.iter().map(row));
    let mut widths = [0; HEADER.len()];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let lines: Vec<String> = rows
        .iter()
        .map(|row| {
            let cells: Vec<String> = row
                .iter()
                .zip(widths)
                .map(|(cell, width)| padded(cell, width))
                .collect();
            cells.join("  ").trim_end().to_owned()
        })
        .collect();
    lines.join("\n")
}

/// A cell with blanks behind it, by hand: the widths of format! end at 65535.
fn padded(cell: &str, width: usize) -> String {
    let blanks = width.saturating_sub(cell.chars().count());
    format!("{cell}{}", " ".repeat(blanks))
}

fn row(look: &Look) -> [String; HEADER.len()] {
    let number = |number: Option<u64>| number.map_or("-".to_owned(), |number| number.to_string());
    let position = look
        .binlog
        .as_ref()
        .or_else(|| look.replica.as_ref()?.applied.as_ref());
    let binlog = position.map_or("-".to_owned(), |at| format!("{}:{}", at.file, at.position));
    let missing = look.missing_privilege.as_ref();
    let missing = missing.map(|privilege| judge::missing(look, privilege));
    let channels = look.replica.as_ref().map_or(0, |replica| replica.channels);
    let channels = (channels > 1).then(|| format!("1 of {channels} channels shown"));
    let replica = look
        .replica
        .as_ref()
        .and_then(|replica| replica.error.clone());
    let not_kept = look
        .replica
        .as_ref()
        .and_then(|replica| replica.not_kept.as_ref());
    let not_kept = not_kept.map(|kinds| format!("not kept: {kinds}"));
    let notes = [look.error.clone(), missing, replica, channels, not_kept];
    let notes: Vec<String> = notes.into_iter().flatten().collect();
    [
        look.server.clone(),
        look.role.unwrap_or("-").to_owned(),
        state(look),
        number(look.gtid_count),
        binlog,
        look.replica
            .as_ref()
            .map_or("-".to_owned(), |replica| lag(&replica.lag)),
        number(look.behind_transactions),
        notes.join("; ").replace('\n', " "),
    ]
}

fn state(look: &Look) -> String {
    match (&look.error, &look.replica) {
        (Some(_), _) if !look.is_reached => "unreachable".to_owned(),
        (Some(_), _) => "refused".to_owned(),
        (None, Some(replica)) => match (replica.receiver.as_str(), replica.applier.as_str()) {
            ("Yes", "Yes") => "running".to_owned(),
            ("No", "No") => "stopped".to_owned(),
            (receiver, "Yes") => format!("receiver {}", receiver.to_lowercase()),
            (_, _) => "applier stopped".to_owned(),
        },
        (None, None) if look.role.is_none() => "unknown".to_owned(),
        (None, None) => match look.read_only {
            Some(true) => "read-only".to_owned(),
            Some(false) => "read-write".to_owned(),
            None => "-".to_owned(),
        },
    }
}

fn lag(lag: &LagVector) -> String {
    let part = |seconds: Option<f64>| seconds.map_or("-".to_owned(), seconds_text);
    format!(
        "{} / {} / {}",
        part(lag.receive.seconds),
        part(lag.queue.seconds),
        part(lag.apply.seconds)
    )
}

/// Three digits that matter, with the unit.
pub(super) fn seconds_text(seconds: f64) -> String {
    match seconds {
        s if s < 0.001 => format!("{:.0}us", s * 1e6),
        s if s < 1.0 => format!("{:.1}ms", s * 1e3),
        s if s < 100.0 => format!("{s:.1}s"),
        s => format!("{s:.0}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::{padded, render};
    use crate::status::look::{LagPart, LagVector, Look, Position, ReplicaLook};

    #[test]
    fn a_cell_of_any_width_is_padded() {
        assert_eq!(padded("\u{e9}", 3), "\u{e9}  ");
        assert_eq!(padded("a", 100_000).len(), 100_000);
        assert_eq!(padded("abc", 1), "abc");
    }

    #[test]
    fn the_table_lines_up_and_says_what_is_unknown() {
        let seconds = |seconds| LagPart {
            seconds: Some(seconds),
            ..LagPart::default()
        };
        let looks = [
            Look {
                server: "a:3306".to_owned(),
                role: Some("primary"),
                read_only: Some(false),
                gtid_count: Some(1200),
                binlog: Some(Position {
                    file: "binlog.000003".to_owned(),
                    position: 157,
                }),
                ..Look::default()
            },
            Look {
                server: "replica.example:3307".to_owned(),
                role: Some("replica"),
                gtid_count: Some(1100),
                behind_transactions: Some(100),
                replica: Some(ReplicaLook {
                    receiver: "Connecting".to_owned(),
                    applier: "Yes".to_owned(),
                    lag: LagVector {
                        receive: LagPart::default(),
                        queue: seconds(0.0123),
                        apply: seconds(12.34),
                    },
                    error: Some("error connecting\nretry 1".to_owned()),
                    ..ReplicaLook::default()
                }),
                ..Look::default()
            },
            Look {
                server: "gone:1".to_owned(),
                error: Some("no answer within 3s".to_owned()),
                ..Look::default()
            },
            Look {
                server: "shut:2".to_owned(),
                read_only: Some(false),
                missing_privilege: Some("REPLICATION CLIENT".to_owned()),
                is_reached: true,
                ..Look::default()
            },
        ];
        insta::assert_snapshot!(render(&looks), @r"
        SERVER                ROLE     STATE                GTIDS  BINLOG             LAG receive/queue/apply  BEHIND  NOTE
        a:3306                primary  read-write           1200   binlog.000003:157  -                        -
        replica.example:3307  replica  receiver connecting  1100   -                  - / 12.3ms / 12.3s       100     error connecting retry 1
        gone:1                -        unreachable          -      -                  -                        -       no answer within 3s
        shut:2                -        unknown              -      -                  -                        -       role unknown: the account needs the privilege REPLICATION CLIENT to see it
        ");
    }
}
