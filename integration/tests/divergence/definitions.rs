//! DDL replayed elsewhere gives the same tables and the same rows.
