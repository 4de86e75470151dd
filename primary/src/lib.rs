//! The writable node: commit pipeline, GTID assignment, dependencies, crash recovery.
