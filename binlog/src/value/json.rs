//! MySQL's binary JSON, both directions, and its text form.
