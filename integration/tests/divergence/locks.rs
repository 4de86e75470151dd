//! Statements that lock do lock, or are refused.
