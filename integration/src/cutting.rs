//! A way to a server that ends at a COMMIT: what a client sees of a connection that is lost there.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::chance::Chance;
use crate::failure::Result;

/// A COMMIT as a client sends it.
const COMMIT: &[u8] = b"\x07\x00\x00\x00\x03COMMIT";

/// Listens for clients of a server, and ends some of their connections at a COMMIT.
pub struct CuttingWay {
    /// Where it listens.
    pub port: u16,
    cuts: Arc<AtomicU64>,
    wanted: u64,
}

impl CuttingWay {
    /// A way to `port` that ends about one in `one_in` connections' COMMITs, `wanted` of them in all;
    /// by turns the server is told of the COMMIT or is not.
    ///
    /// # Errors
    /// When it cannot listen.
    pub fn open(port: u16, wanted: u64, one_in: u64, chance: &mut Chance) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let own = listener.local_addr()?.port();
        let cuts = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&cuts);
        let mut seed = chance.below(u64::MAX);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) =
                    (client, TcpStream::connect((Ipv4Addr::LOCALHOST, port)))
                else {
                    continue;
                };
                seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
                carry(client, server, &seen, wanted, one_in, seed);
            }
        });
        Ok(Self {
            port: own,
            cuts,
            wanted,
        })
    }

    /// Connections that were ended.
    #[must_use]
    pub fn cuts(&self) -> u64 {
        self.cuts.load(Ordering::Relaxed).min(self.wanted)
    }
}

fn carry(
    client: TcpStream,
    server: TcpStream,
    cuts: &Arc<AtomicU64>,
    wanted: u64,
    one_in: u64,
    mut seed: u64,
) {
    let (Ok(mut from_server), Ok(mut to_client)) = (server.try_clone(), client.try_clone()) else {
        return;
    };
    let (mut from_client, mut to_server) = (client, server);
    std::thread::spawn(move || {
        drop(std::io::copy(&mut from_server, &mut to_client));
        drop(to_client.shutdown(Shutdown::Both));
    });
    let cuts = Arc::clone(cuts);
    std::thread::spawn(move || {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(read @ 1..) = from_client.read(&mut buffer) {
            let sent = buffer.get(..read).unwrap_or_default();
            if sent.ends_with(COMMIT) {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                if seed.is_multiple_of(one_in) && cuts.fetch_add(1, Ordering::Relaxed) < wanted {
                    if seed & 0x1_0000 != 0 {
                        drop(to_server.write_all(sent));
                    }
                    break;
                }
            }
            if to_server.write_all(sent).is_err() {
                break;
            }
        }
        drop(to_server.shutdown(Shutdown::Write));
        drop(from_client.shutdown(Shutdown::Both));
    });
}
