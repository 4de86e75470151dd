//! Tests of transactions as events.
