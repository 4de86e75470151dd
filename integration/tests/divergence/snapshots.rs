//! What a transaction reads and what it may write.
