//! JSON paths and the functions that take them.

use crate::expr::function::Function;

pub(super) static FUNCTIONS: &[Function] = &[];
