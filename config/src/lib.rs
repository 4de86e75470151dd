//! Option files, typed settings and replication filter rules.
