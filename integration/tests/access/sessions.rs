//! Limits, timeouts, KILL and connections of one client that must not stop the others.
