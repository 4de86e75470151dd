//! Seeds that no corpus has: events that no server here writes, packets, texts, documents.

mod event;
mod row;
mod text;
mod wire;

pub use event::{events, follows_table_map};
pub use row::row_images;
pub use text::{
    gtid_texts, json_diffs, json_documents, json_texts, key_files, option_files, schemas,
};
pub use wire::packets;
