//! The face both roles show to MySQL clients: sessions, accounts, statements, dump sessions.
