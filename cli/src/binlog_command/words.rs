//! Numbers, sizes and times as people read them, in columns.

use std::fmt;

/// How the cells of a column stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// Rows whose columns stand under each other.
pub(super) struct Grid<const N: usize> {
    align: [Align; N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Grid<N> {
    pub(super) const fn new(align: [Align; N]) -> Self {
        Self {
            align,
            rows: Vec::new(),
        }
    }

    pub(super) fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells);
    }
}

impl<const N: usize> fmt::Display for Grid<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut widths = [0; N];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.trim_start_matches('\n').chars().count().max(*width);
            }
        }
        for row in &self.rows {
            let mut line = String::new();
            for ((cell, width), align) in row.iter().zip(widths).zip(self.align) {
                // A line feed in front of a row separates it from what stands above.
                let (feed, cell) = match cell.strip_prefix('\n') {
                    Some(cell) => ("\n", cell),
                    None => ("", cell.as_str()),
                };
                line.push_str(feed);
                if !line.trim_start_matches('\n').is_empty() {
                    line.push_str("  ");
                }
                // By hand: the widths of format! end at 65535.
                let blanks = " ".repeat(width.saturating_sub(cell.chars().count()));
                match align {
                    Align::Left => line.extend([cell, &blanks]),
                    Align::Right => line.extend([&blanks, cell]),
                }
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// 1234567 as `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A size with a unit, such as `1.5 MiB`.
pub(crate) fn bytes(size: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if size < 1024 {
        return format!("{size} B");
    }
    let mut tenths = u128::from(size) * 10 / 1024;
    let mut unit = "KiB";
    for larger in units.iter().skip(1) {
        if tenths < 10_240 {
            break;
        }
        tenths /= 1024;
        unit = larger;
    }
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

/// A time span, such as `3 min 12 s`, from microseconds.
pub(super) fn duration(micros: u64) -> String {
    let seconds = micros / 1_000_000;
    match seconds {
        // Most of a log is timed in whole seconds.
        0 => "< 1 s".to_owned(),
        1..60 => format!("{seconds}.{} s", micros % 1_000_000 / 100_000),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// A point in time in UTC, from seconds since 1970.
pub(crate) fn timestamp(seconds: u32) -> String {
    jiff::Timestamp::from_second(i64::from(seconds))
        .map_or_else(|_| seconds.to_string(), |moment| moment.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_at_a_glance() {
        assert_eq!(count(0), "0");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(5 << 30), "5.0 GiB");
        assert_eq!(bytes(u64::MAX), "15.9 EiB");
        assert_eq!(duration(400_000), "< 1 s");
        assert_eq!(duration(1_500_000), "1.5 s");
        assert_eq!(duration(192_000_000), "3 min 12 s");
        assert_eq!(timestamp(0), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn columns_stand_under_each_other() {
        let mut grid = Grid::new([Align::Left, Align::Right]);
        grid.row(["a".to_owned(), "10".to_owned()]);
        grid.row(["\nbcd".to_owned(), "1".to_owned()]);
        assert_eq!(grid.to_string(), "a    10\n\nbcd   1\n");
    }

    #[test]
    fn columns_may_be_as_wide_as_what_servers_send() {
        for align in [Align::Left, Align::Right] {
            let mut grid = Grid::new([align, Align::Right]);
            grid.row(["x".repeat(100_000), "1".to_owned()]);
            grid.row(["y".to_owned(), "2".to_owned()]);
            let text = grid.to_string();
            assert!(text.lines().all(|line| line.len() == 100_003));
        }
    }
}
