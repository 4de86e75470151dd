//! Generated columns on primary, replica and a MySQL replica.
