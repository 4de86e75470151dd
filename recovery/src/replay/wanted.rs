//! What is wanted of a log, for whoever writes it into files of its own.

use binlog::transaction::{Executed, Step};
use inspect::cut::Chooser;
use inspect::filter::Verdict;

use super::selection::{Judgement, Selection, Stopped};

/// Chooses whole transactions as the other passes do, up to where the survey ended.
#[derive(Debug)]
pub struct Wanted {
    selection: Selection,
    end: Stopped,
    judgement: Judgement,
    is_at_end: bool,
    /// The transactions that were chosen.
    pub chosen: Executed,
}

impl Wanted {
    /// Begins in front of the first file; `end` is where the survey stopped.
    #[must_use]
    pub fn new(selection: Selection, end: Stopped) -> Self {
        Self {
            selection,
            end,
            judgement: Judgement::Before,
            is_at_end: false,
            chosen: Executed::default(),
        }
    }
}

impl Chooser for Wanted {
    fn judge(&mut self, step: &Step<'_>) -> Verdict {
        let Some(transaction) = step.transaction else {
            return Verdict::Show;
        };
        if transaction.start == step.place {
            self.judgement = self.selection.judge(step.file, transaction);
            if self.judgement == Judgement::Take {
                self.chosen.add(transaction.gtid);
            }
        }
        if self.judgement == Judgement::Stop {
            return Verdict::Stop;
        }
        // What lies behind may be damaged, and is not read.
        let is_in_last = step.file.as_str() == self.end.file;
        self.is_at_end |= is_in_last && step.place.end >= self.end.offset;
        match self.judgement {
            Judgement::Take => Verdict::Show,
            Judgement::Before | Judgement::Executed | Judgement::Excluded | Judgement::Stop => {
                Verdict::Skip
            }
        }
    }

    fn is_transaction_chosen(&self) -> bool {
        self.judgement == Judgement::Take
    }

    fn is_at_end(&self) -> bool {
        self.is_at_end
    }
}
