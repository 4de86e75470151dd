//! The steps of a partial JSON update, one by one.
//!
//! Spec: mysql-server 9.7, sql-common/json_diff.cc, `Json_diff::write_binary`.

use codec::Reader;

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::inspect) enum Operation {
    /// The value at the path is replaced.
    Replace,
    /// A member or element is added at the path.
    Insert,
    /// The value at the path is removed.
    Remove,
}

impl Operation {
    /// In small letters.
    pub(in crate::inspect) const fn name(self) -> &'static str {
        match self {
            Self::Replace => "replace",
            Self::Insert => "insert",
            Self::Remove => "remove",
        }
    }
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::inspect) struct Diff<'a> {
    pub(in crate::inspect) operation: Operation,
    /// The path, for instance `$.a[0]`.
    pub(in crate::inspect) path: &'a [u8],
    /// The new value in binary form; a Remove has none.
    pub(in crate::inspect) value: Option<&'a [u8]>,
}

/// The steps in order, up to the first that cannot be read.
pub(in crate::inspect) fn diffs(bytes: &[u8]) -> impl Iterator<Item = Diff<'_>> {
    let mut reader = Reader::new(bytes);
    std::iter::from_fn(move || {
        let operation = match reader.u8("JSON diff operation").ok()? {
            0 => Operation::Replace,
            1 => Operation::Insert,
            2 => Operation::Remove,
            _ => return None,
        };
        let path = reader.lenenc_bytes("JSON diff path").ok()?;
        let value = match operation {
            Operation::Remove => None,
            _ => Some(reader.lenenc_bytes("JSON diff value").ok()?),
        };
        Some(Diff {
            operation,
            path,
            value,
        })
    })
}
