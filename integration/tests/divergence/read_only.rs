//! Fences: read_only and super_read_only.
