//! Hostile statements: deep, long, nested, growing.
