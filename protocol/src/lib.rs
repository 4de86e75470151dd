//! The MySQL wire protocol, both sides of it.
//!
//! [`server`] and [`client`] hold a state machine each for the login, which knows no socket, clock
//! or random number, and a thin tokio shell around it. Below them lie packets, commands and
//! responses, each in a file that states its layout. An event of the binlog is opaque bytes here,
//! a cell of a row is bytes or one of protocol's own kinds: what they mean is for other crates.
//!
//! Every byte from a peer is checked before it is used, and every size before it is allocated.

#![forbid(unsafe_code)]

pub mod auth;
mod capabilities;
pub mod client;
mod column;
mod command;
mod compression;
pub mod error;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod greeting;
mod login;
pub mod packet;
mod response;
mod room;
mod row;
pub mod server;
mod stream;
pub mod tls;

pub use capabilities::Capabilities;
pub use column::{ColumnDefinition, column_flag, column_type};
pub use command::{
    BinlogDump, BinlogDumpGtid, Command, Param, QueryAttribute, RegisterReplica, dump_flag,
};
pub use error::Error;
pub use greeting::Greeting;
pub use login::Login;
pub use response::{ErrPacket, OkPacket, status};
pub use row::{BinaryCell, DateTimeParts, TimeParts};
pub use stream::Transport;

#[cfg(test)]
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
