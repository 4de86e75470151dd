//! Power loss, checkpoints and the order of log and engine.
