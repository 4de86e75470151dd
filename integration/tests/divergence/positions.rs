//! Relay log, positions and the applier over crashes.
