//! `RAND_EVENT`: the seeds of RAND() in the next statement, in statement format.
//!
//! Spec: mysql-server 9.7, libs/mysql/binlog/event/statement_events.h, `Rand_event`.

use codec::{DecodeError, Reader, Write};

/// | offset | size | field   |
/// |-------:|-----:|---------|
/// |      0 |    8 | `seed1` |
/// |      8 |    8 | `seed2` |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rand {
    /// `@@rand_seed1`.
    pub seed1: u64,
    /// `@@rand_seed2`.
    pub seed2: u64,
}

impl Rand {
    /// Decodes the body.
    pub fn decode(mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let seed1 = reader.u64("first random seed")?;
        let seed2 = reader.u64("second random seed")?;
        reader.finish("random seed event")?;
        Ok(Self { seed1, seed2 })
    }

    /// Appends the body.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_u64(self.seed1);
        out.put_u64(self.seed2);
    }
}
