//! Functions on GTID sets.

use gtid::GtidSet;

use crate::expr::function::{Call, Function};
use crate::expr::types::Type;
use crate::value::datum::Datum;
use sql::error::SqlError;

pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "gtid_subset",
        min: 2,
        max: 2,
        strict: true,
        volatile: false,
        result: |s| Ok(Type::integer(21).with_null(s.any_null())),
        eval: |c| Ok(Datum::truth(set(c, 0)?.is_subset_of(&set(c, 1)?))),
    },
    Function {
        name: "gtid_subtract",
        min: 2,
        max: 2,
        strict: true,
        volatile: false,
        result: |s| s.text_of(0, u64::from(s.ty(0).text_length()) * 3),
        eval: |c| {
            let mut rest = set(c, 0)?;
            rest.subtract(&set(c, 1)?);
            Ok(Datum::text(rest.to_string()))
        },
    },
];

fn set(call: &Call<'_>, index: usize) -> Result<GtidSet, SqlError> {
    let text = call.text(index);
    text.parse().map_err(|_| SqlError::malformed_gtid_set(text))
}
