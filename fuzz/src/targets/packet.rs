//! Packets of the wire protocol, each kind from the side that receives it.
//!
//! | size | field                                                     |
//! |-----:|-----------------------------------------------------------|
//! |    1 | kind, modulo the number of kinds                          |
//! |    4 | capabilities, or another parameter of the kind            |
//! | rest | one payload, or several, each behind its length in 2 bytes |

use std::sync::Arc;

use protocol::auth::{AuthPlugin, Nonce, Sha2Cache};
use protocol::client::{self, ClientOptions, Endpoint};
use protocol::packet::{Decoder, Encoder};
use protocol::server::{self, AccountAuth, Authenticator, Peer, ServerIdentity};
use protocol::{Capabilities, Greeting, Login, fuzzing};

use super::Verdict;
use crate::made;
use crate::seeds::Seed;

/// Takes the parameter and what follows it; true if that decoded.
type Kind = fn(u32, &[u8]) -> bool;

/// Kinds of input: name and function.
const KINDS: [(&str, Kind); 14] = [
    ("commands", |flags, rest| {
        fuzzing::commands(
            &split(rest),
            flags,
            usize::from(flags.to_le_bytes()[3] >> 4),
        )
    }),
    ("register replica", |_, rest| {
        fuzzing::register_replica(rest)
    }),
    ("binlog dump", |_, rest| fuzzing::binlog_dump(rest)),
    ("binlog dump gtid", |_, rest| {
        fuzzing::binlog_dump_gtid(rest)
    }),
    ("text row", |columns, rest| {
        fuzzing::text_row(rest, usize::try_from(columns).unwrap_or_default())
    }),
    ("result end", |flags, rest| fuzzing::result_end(rest, flags)),
    ("ok", |_, rest| fuzzing::ok(rest)),
    ("err", |flags, rest| fuzzing::err(rest, flags)),
    ("column", |_, rest| fuzzing::column(rest)),
    ("greeting", |_, rest| greeting(rest)),
    ("login", login),
    ("framing", framing),
    ("client handshake", |_, rest| client_handshake(rest)),
    ("server handshake", server_handshake),
];

/// Takes a payload or a conversation.
pub fn run(input: &[u8]) -> Verdict {
    let Some((&kind, rest)) = input.split_first() else {
        return Verdict::Refused;
    };
    let Some((parameter, rest)) = rest.split_first_chunk::<4>() else {
        return Verdict::Refused;
    };
    let parameter = u32::from_le_bytes(*parameter);
    let kind = KINDS.get(usize::from(kind) % KINDS.len());
    Verdict::from_bool(kind.is_some_and(|(_, function)| function(parameter, rest)))
}

fn split(mut rest: &[u8]) -> Vec<&[u8]> {
    let mut payloads = Vec::new();
    while let Some((len, behind)) = rest.split_first_chunk::<2>() {
        let len = usize::from(u16::from_le_bytes(*len)).min(behind.len());
        let (payload, behind) = behind.split_at_checked(len).unwrap_or((behind, &[]));
        payloads.push(payload);
        rest = behind;
    }
    payloads
}

fn greeting(payload: &[u8]) -> bool {
    let Ok(greeting) = Greeting::decode(payload) else {
        return false;
    };
    let mut out = Vec::new();
    greeting.encode(&mut out);
    assert_eq!(Greeting::decode(&out), Ok(greeting));
    true
}

fn login(offered: u32, payload: &[u8]) -> bool {
    let offered = Capabilities(offered);
    let Ok(Some(login)) = Login::decode(payload, offered) else {
        return false;
    };
    let mut out = Vec::new();
    login.encode(&mut out);
    if let Ok(Some(again)) = Login::decode(&out, offered) {
        // Empty texts that were there and texts that were not are the same on the wire.
        assert_eq!((&again.user, again.charset), (&login.user, login.charset));
    }
    true
}

fn framing(limit: u32, bytes: &[u8]) -> bool {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut decoder = Decoder::new(limit);
    let mut sequence = bytes.get(3).copied().unwrap_or_default();
    let first = sequence;
    let mut payloads = Vec::new();
    for piece in bytes.chunks(1 + limit % 97) {
        decoder.buffer().extend_from_slice(piece);
        let _ = decoder.missing();
        loop {
            match decoder.next(&mut sequence) {
                Ok(Some(payload)) => payloads.push(payload),
                Ok(None) => break,
                Err(_) => return false,
            }
        }
    }
    let mut encoder = Encoder::default();
    let mut sequence = first;
    for payload in &payloads {
        encoder.packet(&mut sequence, |out| out.extend_from_slice(payload));
    }
    assert!(
        bytes.starts_with(encoder.pending()),
        "packets are framed as they were"
    );
    decoder.is_idle()
}

fn client_handshake(rest: &[u8]) -> bool {
    let options = ClientOptions::new(Endpoint::Unix("/nowhere".into()), "u", "secret");
    let mut handshake = client::Handshake::new(&options, false);
    split(rest)
        .iter()
        .all(|payload| handshake.handle(payload).is_ok())
}

struct Accounts;

impl Authenticator for Accounts {
    fn lookup(&self, user: &str, _: &str) -> Option<AccountAuth> {
        Some(AccountAuth {
            plugin: AuthPlugin::by_name(user)?,
            // The stored form of no password at all: nothing logs in.
            auth_string: "*0000000000000000000000000000000000000000".into(),
        })
    }
}

fn server_handshake(flags: u32, rest: &[u8]) -> bool {
    let identity = ServerIdentity {
        version: "8.4.6-weir".into(),
        default_auth: AuthPlugin::CachingSha2,
        charset: 255,
        tls: None,
        rsa: None,
        sha2_cache: Sha2Cache::default(),
        authenticator: Arc::new(Accounts),
        max_allowed_packet: 1 << 20,
    };
    let peer = Peer {
        connection_id: 7,
        host: "192.0.2.1".into(),
        is_local_socket: flags & 1 != 0,
    };
    let nonces = [Nonce([1; Nonce::LEN]), Nonce([2; Nonce::LEN])];
    let mut handshake = server::Handshake::new(Arc::new(identity), peer, nonces);
    split(rest)
        .iter()
        .all(|payload| match handshake.handle(payload) {
            Ok(step) => {
                let is_in = matches!(step.next, server::Next::Accepted(_));
                assert!(!is_in, "a login without the password was accepted");
                true
            }
            Err(_) => false,
        })
}

/// One seed of each kind, and of each command.
#[must_use]
pub fn seeds() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for (kind, parameter, payloads) in made::packets() {
        let Some(number) = KINDS.iter().position(|(name, _)| *name == kind) else {
            continue;
        };
        let mut input = vec![u8::try_from(number).unwrap_or_default()];
        input.extend_from_slice(&parameter.to_le_bytes());
        let is_conversation = kind == "commands" || kind.ends_with("handshake");
        for payload in &payloads {
            if is_conversation {
                let len = u16::try_from(payload.len()).unwrap_or(u16::MAX);
                input.extend_from_slice(&len.to_le_bytes());
            }
            input.extend_from_slice(payload);
        }
        seeds.push(Seed::bytes(kind, input));
    }
    seeds
}
