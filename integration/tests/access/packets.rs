//! Hostile packets before and after login.
