//! MySQL binary log events, row images and log files.
//!
//! Two halves: the format (`value`, `event`, `row`, `stream`, `transaction`), which is pure and knows no file,
//! and the log files, which touch the disk only behind their storage seam. Nothing here knows a
//! socket, a session or an engine. Bytes are never trusted: sizes are checked before they are used
//! and before anything is allocated.

pub mod limits;

pub mod value;

pub mod event;

pub mod row;

pub mod schema;

pub mod stream;

pub mod transaction;

pub mod log;
