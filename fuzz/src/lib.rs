//! Hostile input for every decoder: targets, seeds, mutations, and a runner that counts memory.
//!
//! A [`targets::Target`] is a plain function over bytes that must neither panic nor allocate beyond
//! [`allocation::limit`] nor take a second, and that checks what it decoded by encoding it again. The
//! `fuzz` binary of this crate feeds all of them from a seed; the entry points of cargo-fuzz in
//! `fuzz/libfuzzer` share them. Nothing here is part of the product.

pub mod allocation;
pub mod targets;

pub mod corpus;
pub mod made;
pub mod mutate;
pub mod random;
pub mod seeds;

pub mod report;
pub mod runner;
