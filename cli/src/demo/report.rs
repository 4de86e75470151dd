//! What the demo found, for people and for programs.

use std::time::Duration;

use serde_json::{Value, json};

use super::cluster::NodeName;
use super::lag::LagSamples;
use super::proof::{Comparison, Copy};
use super::workload::Written;
use crate::exit::Failure;
use crate::output;

pub(super) struct Report {
    pub(super) comparison: Comparison,
    pub(super) written: Written,
    pub(super) kills: u32,
    pub(super) lag: LagSamples,
    pub(super) took: Duration,
}

impl Report {
    /// Writes the report to standard output; with `as_json` the JSON object is the last line.
    pub(super) fn tell(&self, as_json: bool) -> Result<(), Failure> {
        for line in self.lines() {
            output::line(line)?;
        }
        if as_json {
            output::line(self.json())?;
        }
        Ok(())
    }

    fn lines(&self) -> Vec<String> {
        let [one, two, three] = NodeName::ALL;
        let mut lines = vec![format!(
            "{:<22} {:>9}  {one:<16}  {two:<16}  {three:<16}",
            "table", "rows"
        )];
        for (table, copies) in &self.comparison.tables {
            let rows = copies
                .iter()
                .flatten()
                .map(|copy| copy.rows)
                .next()
                .unwrap_or_default();
            let [one, two, three] = copies.each_ref().map(checksum);
            lines.push(format!(
                "{table:<22} {rows:>9}  {one:<16}  {two:<16}  {three:<16}"
            ));
        }
        let acknowledged = self.written.acknowledged.len();
        let missing = self.comparison.missing.len();
        lines.push(format!(
            "{acknowledged} acknowledged transactions, {missing} missing; {} without an answer \
             because of a kill, {} tried again after a lock",
            self.written.unknown, self.written.retried
        ));
        let [p50, p99, max] = self.lag_millis();
        lines.push(format!(
            "lag from commit to visible: p50 {p50:.1} ms, p99 {p99:.1} ms, max {max:.1} ms \
             ({} samples, kills included)",
            self.lag.count()
        ));
        let verdict = if self.comparison.is_identical() {
            "identical"
        } else {
            "DIFFERENT"
        };
        lines.push(format!(
            "after {} kills and {:.1} s: the three copies are {verdict}",
            self.kills,
            self.took.as_secs_f64()
        ));
        lines
    }

    fn json(&self) -> Value {
        let [p50, p99, max] = self.lag_millis();
        let tables: serde_json::Map<String, Value> = self
            .comparison
            .tables
            .iter()
            .map(|(table, copies)| {
                let rows = copies
                    .each_ref()
                    .map(|copy| copy.as_ref().map(|copy| copy.rows));
                let checksums = copies.each_ref().map(checksum);
                (table.clone(), json!({"rows": rows, "checksums": checksums}))
            })
            .collect();
        json!({
            "identical": self.comparison.is_identical(),
            "transactions": self.written.acknowledged.len(),
            "missing": self.comparison.missing.len(),
            "unknown": self.written.unknown,
            "kills": self.kills,
            "lag_ms": {"p50": p50, "p99": p99, "max": max, "samples": self.lag.count()},
            "seconds": rounded(self.took.as_secs_f64()),
            "tables": tables,
        })
    }

    fn lag_millis(&self) -> [f64; 3] {
        [500, 990, 1000].map(|permille| rounded(self.lag.permille(permille).as_secs_f64() * 1e3))
    }
}

fn checksum(copy: &Option<Copy>) -> String {
    copy.as_ref()
        .map_or("-".to_owned(), |copy| format!("{:016x}", copy.checksum))
}

/// To a thousandth.
fn rounded(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}
