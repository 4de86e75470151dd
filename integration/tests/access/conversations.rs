//! Conversations that no client holds: what is kept from one packet to the next, more and more of it.

use integration::chance::Chance;
use integration::wire::Wire;
use integration::{Result, Weir};

/// Statements that a session may have prepared, by default.
const PREPARED_MAX: u64 = 16_382;

/// What the conversations take from the node.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    /// A format description of its log.
    description: Vec<u8>,
}

impl Known {
    /// Reads the beginning of the node's first log.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn of(node: &Weir) -> Result<Self> {
        let logs = node.binlogs()?;
        let log = logs.first().map(std::fs::read).transpose()?;
        let log = log.unwrap_or_default();
        let event = log.get(4..).unwrap_or_default();
        let length = match event.get(9..13) {
            Some([a, b, c, d]) => u32::from_le_bytes([*a, *b, *c, *d]),
            _ => 0,
        };
        let length = usize::try_from(length).unwrap_or(0);
        Ok(Self {
            description: event.get(..length).unwrap_or_default().to_vec(),
        })
    }
}

/// One conversation; whatever it comes to is fine, if the node lets root in.
pub(crate) fn hold(port: u16, chance: &mut Chance, known: &Known) -> Result {
    let mut wire = Wire::login(port, "root", None)?;
    let went = match chance.below(5) {
        0 => replay(&mut wire, chance, known),
        1 => load(&mut wire, chance),
        2 => prepare(&mut wire, chance),
        3 => change_user(&mut wire, chance),
        _ => grow(&mut wire, chance),
    };
    // A node that ends a conversation is right to.
    drop(went);
    let _ = wire.end();
    let _ = wire.drained();
    Ok(())
}

fn number(chance: &mut Chance, most: u64) -> usize {
    usize::try_from(chance.below(most)).unwrap_or(0)
}

fn noise(chance: &mut Chance, most: u64) -> Vec<u8> {
    let count = chance.below(most);
    let byte = |chance: &mut Chance| u8::try_from(chance.below(256)).unwrap_or(0);
    (0..count).map(|_| byte(chance)).collect()
}

/// BINLOG with events that are true, cut, damaged or made up.
fn replay(wire: &mut Wire, chance: &mut Chance, known: &Known) -> Result {
    for _ in 0..=chance.below(6) {
        let mut events = match chance.below(4) {
            0 => Vec::new(),
            _ => known.description.clone(),
        };
        for _ in 0..chance.below(4) {
            events.extend(event(chance));
        }
        match chance.below(5) {
            0 => events.truncate(number(chance, 200)),
            1 => {
                for _ in 0..4 {
                    let at = number(chance, events.len().max(1) as u64);
                    if let Some(byte) = events.get_mut(at) {
                        *byte = u8::try_from(chance.below(256)).unwrap_or(0);
                    }
                }
            }
            _ => {}
        }
        let mut text = base64(&events);
        if chance.below(8) == 0 {
            text.insert(number(chance, text.len().max(1) as u64), '=');
        }
        if chance.below(100) == 0 {
            text = text.repeat(2000);
        }
        wire.query(&format!("BINLOG '{text}'"))?;
    }
    Ok(())
}

/// An event of a kind that BINLOG takes, or of any, with a body that is noise.
fn event(chance: &mut Chance) -> Vec<u8> {
    let kinds = [15, 19, 19, 30, 31, 32, 39, 2, 40];
    let kind = match chance.below(6) {
        0 => u8::try_from(chance.below(256)).unwrap_or(0),
        _ => kinds.get(number(chance, 9)).copied().unwrap_or(19),
    };
    let mut body = match kind {
        // The map of a table of columns that say they are long.
        19 => {
            let mut map = vec![1, 0, 0, 0, 0, 0, 1, 0, 4];
            map.extend(b"mine\0\x01t\0");
            map.push(u8::try_from(chance.below(251)).unwrap_or(1));
            map
        }
        30..=32 => vec![1, 0, 0, 0, 0, 0, 1, 0, 2, 0, 1, 0xff],
        _ => Vec::new(),
    };
    body.extend(noise(chance, 300));
    let length = match chance.below(8) {
        0 => u32::MAX,
        1 => 0,
        _ => u32::try_from(19 + body.len()).unwrap_or(0),
    };
    let mut event = vec![0, 0, 0, 0, kind, 1, 0, 0, 0];
    event.extend(length.to_le_bytes());
    event.extend([0; 6]);
    event.extend(body);
    event
}

fn base64(bytes: &[u8]) -> String {
    const SYMBOLS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let mut bits = 0_usize;
        for at in 0..3 {
            bits = bits << 8 | usize::from(group.get(at).copied().unwrap_or(0));
        }
        for at in 0..4 {
            let symbol = SYMBOLS.get(bits >> (18 - 6 * at) & 63).copied();
            text.push(match at <= group.len() {
                true => char::from(symbol.unwrap_or(b'A')),
                false => '=',
            });
        }
    }
    text
}

/// LOAD DATA LOCAL, and the file whether it was asked for or not.
fn load(wire: &mut Wire, chance: &mut Chance) -> Result {
    let kinds = ["LOCAL", "LOCAL", "", "CONCURRENT LOCAL"];
    let kind = kinds.get(number(chance, 4)).copied().unwrap_or_default();
    let sql = format!("LOAD DATA {kind} INFILE '/etc/passwd' INTO TABLE mine.t");
    wire.query(&sql)?;
    for _ in 0..chance.below(20) {
        let piece = noise(chance, 4000);
        wire.send(&piece)?;
    }
    wire.send(&[])
}

/// Statements that are prepared and never closed; now and then as many as there may be.
fn prepare(wire: &mut Wire, chance: &mut Chance) -> Result {
    let count = match chance.below(200) {
        0 => PREPARED_MAX + 100,
        1..=20 => 500,
        _ => chance.below(40),
    };
    let lists = match chance.below(3) {
        0 => 1,
        _ => 1 + number(chance, 60),
    };
    let sql = format!("SELECT 1{}", ", ?".repeat(lists));
    for _ in 0..count {
        wire.command(&[&[0x16], sql.as_bytes()].concat())?;
        // What is answered is read, so that the node goes on: an OK, parameters and columns.
        if wire.read()?.first() == Some(&0xff) {
            return Ok(());
        }
        for _ in 0..lists + 1 + lists + 1 + 1 {
            wire.read()?;
        }
    }
    for _ in 0..chance.below(20) {
        let id = u32::try_from(chance.below(count.max(1)) + 1).unwrap_or(1);
        let mut execute = vec![0x17];
        execute.extend(id.to_le_bytes());
        execute.extend([0, 1, 0, 0, 0]);
        execute.extend(noise(chance, 200));
        wire.command(&execute)?;
    }
    Ok(())
}

/// COM_CHANGE_USER, one after the other, with and without what it asks for.
fn change_user(wire: &mut Wire, chance: &mut Chance) -> Result {
    for _ in 0..chance.below(60) {
        let name = match chance.below(4) {
            0 => noise(chance, 90),
            1 => b"nobody".to_vec(),
            _ => b"root".to_vec(),
        };
        let mut payload = vec![0x11];
        payload.extend(name);
        payload.push(0);
        let reply = match chance.below(3) {
            0 => noise(chance, 255),
            _ => Vec::new(),
        };
        payload.push(u8::try_from(reply.len()).unwrap_or(0));
        payload.extend(reply);
        payload.extend(match chance.below(3) {
            0 => noise(chance, 60),
            _ => b"\0".to_vec(),
        });
        payload.extend([45, 0]);
        payload.extend(b"caching_sha2_password\0");
        wire.command(&payload)?;
        if wire.read()?.first() == Some(&0xff) {
            return Ok(());
        }
        if chance.below(3) == 0 {
            let _ = wire.query("SET @v = REPEAT('v', 100000)")?;
        }
    }
    Ok(())
}

/// COM_STMT_SEND_LONG_DATA, more and more of it, for parameters that are there and others.
fn grow(wire: &mut Wire, chance: &mut Chance) -> Result {
    let count = 1 + chance.below(4);
    for _ in 0..count {
        wire.command(&[&[0x16], &b"SELECT LENGTH(?), LENGTH(?)"[..]].concat())?;
    }
    let (pieces, most) = match chance.below(100) {
        0 => (80, 1_000_000),
        1..=9 => (60, 60_000),
        _ => (chance.below(30), 2_000),
    };
    for _ in 0..pieces {
        let mut payload = vec![0x18];
        let id = u32::try_from(1 + chance.below(count + 1)).unwrap_or(1);
        payload.extend(id.to_le_bytes());
        payload.extend([u8::try_from(chance.below(3)).unwrap_or(0), 0]);
        payload.resize(payload.len() + number(chance, most), b'y');
        wire.command(&payload)?;
    }
    for id in 1..=u32::try_from(count).unwrap_or(1) {
        let mut execute = vec![0x17];
        execute.extend(id.to_le_bytes());
        execute.extend([0, 1, 0, 0, 0, 0, 1, 0xfc, 0, 0xfc, 0, 1, b'a', 1, b'b']);
        wire.command(&execute)?;
    }
    Ok(())
}
