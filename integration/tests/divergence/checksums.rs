//! Sources without checksums, damaged databases, logs that cannot grow.
