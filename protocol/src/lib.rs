//! MySQL client/server protocol as state machines, with thin tokio shells.
