//! The face both roles show to MySQL clients: sessions, accounts, statements, dump sessions.

pub mod accounts;
pub mod control;
pub mod dump;
pub mod executor;
pub mod feed;
pub mod registry;
pub mod role;
pub mod tls;
pub mod variables;

pub use control::Control;
