//! Files that lie beside log files: keys, and snapshots of schemas.

use std::path::Path;

use binlog::log::encryption::Keys;
use binlog::schema::SchemaSnapshots;

use super::Verdict;
use crate::corpus::Corpus;
use crate::made;
use crate::seeds::Seed;

/// Takes bytes as a keyring and as a key file.
pub fn keys(input: &[u8]) -> Verdict {
    let path = Path::new("keys");
    let keyring = Keys::parse_keyring(path, input);
    let numbered = Keys::parse_file_keys(path, input);
    for error in [keyring.as_ref().err(), numbered.as_ref().err()] {
        assert!(error.is_none_or(|error| !error.to_string().is_empty()));
    }
    Verdict::from_bool(keyring.is_ok() || numbered.is_ok())
}

/// Takes bytes as schema snapshots.
pub fn schema(input: &[u8]) -> Verdict {
    Verdict::from_bool(SchemaSnapshots::parse("binlog.000001.schema", input).is_ok())
}

/// The keyrings and key files of the corpora.
#[must_use]
pub fn key_seeds(corpus: &Corpus) -> Vec<Seed> {
    let files = corpus.keys.iter();
    let seeds = files.map(|file| {
        let name = file.path.file_name().unwrap_or_default();
        Seed::bytes(name.to_string_lossy(), file.bytes.clone())
    });
    seeds.chain(made::key_files()).collect()
}
