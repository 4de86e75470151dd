//! Tests of the grammar and of the reader.

mod grammar;
mod reader;
