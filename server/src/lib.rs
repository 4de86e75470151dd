//! The face both roles show to MySQL clients: sessions, accounts, statements, dump sessions.

pub mod accounts;
pub mod tls;
