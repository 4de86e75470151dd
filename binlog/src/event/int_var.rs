//! `INTVAR_EVENT`: an integer that the next statement needs, in statement format.
//!
//! Spec: mysql-server 9.7, libs/mysql/binlog/event/statement_events.h, `Intvar_event`.

use codec::{DecodeError, Reader, Write};

/// | offset | size | field   |
/// |-------:|-----:|---------|
/// |      0 |    1 | `kind`  |
/// |      1 |    8 | `value` |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntVar {
    /// Which variable.
    pub kind: IntVarKind,
    /// Its value.
    pub value: u64,
}

/// Which variable an [`IntVar`] sets. Unknown codes are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IntVarKind(
    /// The code as written.
    pub u8,
);

impl IntVarKind {
    /// What LAST_INSERT_ID() returns in the statement.
    pub const LAST_INSERT_ID: Self = Self(1);
    /// The first AUTO_INCREMENT value that the statement assigns.
    pub const INSERT_ID: Self = Self(2);

    /// The variable's name in SET, unless the code is unknown.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::LAST_INSERT_ID => Some("LAST_INSERT_ID"),
            Self::INSERT_ID => Some("INSERT_ID"),
            _ => None,
        }
    }
}

impl IntVar {
    /// Decodes the body.
    pub fn decode(mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let kind = IntVarKind(reader.u8("integer variable kind")?);
        let value = reader.u64("integer variable value")?;
        reader.finish("integer variable event")?;
        Ok(Self { kind, value })
    }

    /// Appends the body.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(self.kind.0);
        out.put_u64(self.value);
    }
}
