//! (being written)

use crate::expr::function::Function;

pub(super) static FUNCTIONS: &[Function] = &[];
