//! The compressed protocol: stretches of the packet stream, each in a packet of its own.
//!
//! | offset | size | field                                                           |
//! |-------:|-----:|-----------------------------------------------------------------|
//! |      0 |    3 | length of what follows the header                               |
//! |      3 |    1 | sequence number, apart from that of the packets inside          |
//! |      4 |    3 | length when uncompressed; 0: it is not compressed               |
//! |      7 | rest | stretch of the stream                                           |
//!
//! It begins after the OK of the login. This module knows no socket; what it unpacks is never more
//! than the header announced, which is at most 16 MiB.
//!
//! Spec: mysql-server 8.4, "Compressed Packet".

use std::io;

use bytes::{Buf as _, BytesMut};
use codec::Write as _;
use flate2::{Compress, Decompress, FlushCompress, FlushDecompress, Status};

use crate::{Capabilities, packet::PART_MAX};

const HEADER_LEN: usize = 7;
/// Stretches that are not worth it, as in MySQL.
const LEAST: usize = 50;
/// Most bytes of the stream in one packet that is written.
const CHUNK: usize = 1 << 20;

/// How stretches are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Zlib,
    /// With the level that the client asked for.
    Zstd(i32),
}

impl Algorithm {
    /// zstd with a level as a client names it; MySQL's default where it names none.
    pub(crate) fn zstd(level: Option<u8>) -> Self {
        const DEFAULT: i32 = 3;
        let level = level.map_or(DEFAULT, i32::from);
        Self::Zstd(if (1..=22).contains(&level) {
            level
        } else {
            DEFAULT
        })
    }
}

/// The ways of compressing that a client permits, as MySQL's `source_compression_algorithms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompressionPermits {
    /// zlib, which is taken first.
    pub zlib: bool,
    /// zstd, which is taken where zlib is not.
    pub zstd: bool,
    /// None, where neither is.
    pub uncompressed: bool,
    /// Level that zstd is asked for, 1 to 22; the server uses it too.
    pub zstd_level: u8,
}

impl Default for CompressionPermits {
    fn default() -> Self {
        Self {
            zlib: false,
            zstd: false,
            uncompressed: true,
            zstd_level: 3,
        }
    }
}

impl CompressionPermits {
    /// What to use with a server that offers this; `None` when nothing permitted is offered.
    pub(crate) fn chosen(self, offered: Capabilities) -> Option<Option<Algorithm>> {
        if self.zlib && offered.has(Capabilities::COMPRESS) {
            return Some(Some(Algorithm::Zlib));
        }
        if self.zstd && offered.has(Capabilities::ZSTD_COMPRESSION) {
            return Some(Some(Algorithm::zstd(Some(self.zstd_level))));
        }
        self.uncompressed.then_some(None)
    }

    /// The words for it, for people.
    #[must_use]
    pub fn words(self) -> String {
        let words = [
            (self.zlib, "zlib"),
            (self.zstd, "zstd"),
            (self.uncompressed, "uncompressed"),
        ];
        let words: Vec<_> = words
            .iter()
            .filter_map(|(is_permitted, word)| is_permitted.then_some(*word))
            .collect();
        words.join(",")
    }
}

/// One side of a compressed connection.
#[derive(Debug)]
pub(crate) struct Compression {
    algorithm: Algorithm,
    received: BytesMut,
    /// Number of the next packet, whoever sends it.
    sequence: u8,
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn length(a: u8, b: u8, c: u8) -> usize {
    usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16
}

impl Compression {
    /// `received` was read already.
    pub(crate) const fn new(algorithm: Algorithm, received: BytesMut) -> Self {
        Self {
            algorithm,
            received,
            sequence: 0,
        }
    }

    /// The next packet begins a command.
    pub(crate) const fn reset_sequence(&mut self) {
        self.sequence = 0;
    }

    /// Where received bytes are appended.
    pub(crate) const fn buffer(&mut self) -> &mut BytesMut {
        &mut self.received
    }

    /// Whether no byte of a next packet was received.
    pub(crate) fn is_idle(&self) -> bool {
        self.received.is_empty()
    }

    /// Bytes that the next stretch takes until it is unpacked, as far as they are announced.
    pub(crate) fn announced(&self) -> usize {
        match self.received.first_chunk::<HEADER_LEN>() {
            // It is there twice while it is appended.
            Some(&[a, b, c, _, x, y, z]) => length(a, b, c) + 2 * length(x, y, z),
            None => 0,
        }
    }

    /// Appends the next stretch to `out`; false when it is not complete.
    pub(crate) fn decode(&mut self, out: &mut BytesMut) -> io::Result<bool> {
        let Some(&[a, b, c, sequence, x, y, z]) = self.received.first_chunk::<HEADER_LEN>() else {
            return Ok(false);
        };
        if sequence != self.sequence {
            return Err(invalid("a compressed packet is out of order"));
        }
        let (held, unpacked) = (length(a, b, c), length(x, y, z));
        if self.received.len() < HEADER_LEN + held {
            return Ok(false);
        }
        self.received.advance(HEADER_LEN);
        let body = self.received.split_to(held);
        self.sequence = sequence.wrapping_add(1);
        match (unpacked, self.algorithm) {
            (0, _) => out.extend_from_slice(&body),
            (_, Algorithm::Zlib) => out.extend_from_slice(&unzip(&body, unpacked)?),
            (_, Algorithm::Zstd(_)) => {
                let plain = zstd::bulk::decompress(&body, unpacked);
                let plain = plain.map_err(|_| invalid("a packet cannot be uncompressed"))?;
                if plain.len() != unpacked {
                    return Err(invalid("a packet is shorter than it says"));
                }
                out.extend_from_slice(&plain);
            }
        }
        Ok(true)
    }

    /// `stream` as packets.
    pub(crate) fn encode(&mut self, stream: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::with_capacity(stream.len() / 2);
        for chunk in stream.chunks(CHUNK.min(PART_MAX)) {
            let packed = match self.algorithm {
                _ if chunk.len() < LEAST => None,
                Algorithm::Zlib => Some(zip(chunk)?),
                Algorithm::Zstd(level) => Some(zstd::bulk::compress(chunk, level)?),
            };
            let packed = packed.filter(|packed| packed.len() < chunk.len());
            let body = packed.as_deref().unwrap_or(chunk);
            put_length(&mut out, body.len());
            out.put_u8(self.sequence);
            put_length(&mut out, if packed.is_some() { chunk.len() } else { 0 });
            out.put(body);
            self.sequence = self.sequence.wrapping_add(1);
        }
        Ok(out)
    }
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    let [a, b, c, ..] = length.to_le_bytes();
    out.put(&[a, b, c]);
}

fn zip(chunk: &[u8]) -> io::Result<Vec<u8>> {
    let mut packed = Vec::with_capacity(chunk.len());
    let mut compress = Compress::new(flate2::Compression::default(), true);
    let status = compress.compress_vec(chunk, &mut packed, FlushCompress::Finish)?;
    // What does not fit would not be sent.
    if status != Status::StreamEnd {
        packed.resize(chunk.len(), 0);
    }
    Ok(packed)
}

fn unzip(body: &[u8], unpacked: usize) -> io::Result<Vec<u8>> {
    let mut plain = Vec::with_capacity(unpacked);
    let mut decompress = Decompress::new(true);
    let status = decompress.decompress_vec(body, &mut plain, FlushDecompress::Finish);
    let status = status.map_err(|_| invalid("a packet cannot be uncompressed"))?;
    match status == Status::StreamEnd && plain.len() == unpacked {
        true => Ok(plain),
        false => Err(invalid("a packet has another length than it says")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn round_trip(algorithm: Algorithm, stream: &[u8], cut: usize) {
        let mut writer = Compression::new(algorithm, BytesMut::new());
        let mut reader = Compression::new(algorithm, BytesMut::new());
        let packets = writer.encode(stream).unwrap();
        let mut plain = BytesMut::new();
        for bytes in packets.chunks(cut) {
            reader.buffer().extend_from_slice(bytes);
            while reader.decode(&mut plain).unwrap() {}
        }
        assert!(plain == stream && reader.is_idle());
        assert_eq!(reader.sequence, writer.sequence);
    }

    #[test]
    fn a_packet_that_lies_about_its_length_is_refused() {
        for algorithm in [Algorithm::Zlib, Algorithm::zstd(None)] {
            for length in [99_u8, 101] {
                let mut packets = Compression::new(algorithm, BytesMut::new())
                    .encode(&[7; 100])
                    .unwrap();
                packets[4] = length;
                let mut reader = Compression::new(algorithm, BytesMut::from(&packets[..]));
                assert!(reader.decode(&mut BytesMut::new()).is_err(), "{length}");
            }
        }
    }

    proptest! {
        #[test]
        fn streams_round_trip_whatever_the_reads(
            stream in prop::collection::vec(0u8..4, 0..3000), cut in 1usize..500, level: u8,
        ) {
            round_trip(Algorithm::Zlib, &stream, cut);
            round_trip(Algorithm::zstd(Some(level)), &stream, cut);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>, is_zlib: bool) {
            let algorithm = if is_zlib { Algorithm::Zlib } else { Algorithm::zstd(None) };
            let mut reader = Compression::new(algorithm, BytesMut::from(&bytes[..]));
            let mut plain = BytesMut::new();
            while let Ok(true) = reader.decode(&mut plain) {}
        }
    }

    #[test]
    fn a_long_stream_takes_several_packets() {
        let stream: Vec<u8> = (0..=250).cycle().take(3 * CHUNK).collect();
        round_trip(Algorithm::Zlib, &stream, 1 << 20);
        round_trip(Algorithm::zstd(Some(1)), &stream, 1 << 20);
    }
}
