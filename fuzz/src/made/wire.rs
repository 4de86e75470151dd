//! Payloads of the wire protocol, most of them as real clients and servers sent them.

/// Capabilities that a client of today asks for, query attributes included.
const CLIENT: u32 = 0x19ff_a685;

/// Kind, parameter and payloads; see [`crate::targets::packet`].
#[must_use]
pub fn packets() -> Vec<(&'static str, u32, Vec<Vec<u8>>)> {
    let mut packets: Vec<(&'static str, u32, Vec<Vec<u8>>)> = Vec::new();
    for payload in commands() {
        packets.push((
            "commands",
            CLIENT & 0x00ff_ffff | 0x2000_0000,
            vec![payload.clone()],
        ));
        packets.push(("commands", 0x28ff_a685, vec![payload]));
    }
    packets.push(("commands", 0x28ff_a685, commands()));
    let register = b"\x07\0\0\0\x04host\x04user\x08password\xea\x0c\0\0\0\0\0\0\0\0";
    packets.push(("register replica", 0, vec![register.to_vec()]));
    packets.push((
        "binlog dump",
        0,
        vec![b"\x04\0\0\0\x02\0\x07\0\0\0binlog.000001".to_vec()],
    ));
    let mut dump = b"\x02\0\x07\0\0\0\x0d\0\0\0binlog.000001\x04\0\0\0\0\0\0\0\x08\0\0\0".to_vec();
    dump.extend([0; 8]);
    packets.push(("binlog dump gtid", 0, vec![dump]));
    packets.push((
        "text row",
        4,
        vec![b"\x01a\xfb\x00\xfc\x03\x00abc".to_vec()],
    ));
    packets.push(("result end", 1 << 24, vec![b"\xfe\0\0\x02\0\0\0".to_vec()]));
    packets.push(("result end", 0, vec![b"\xfe\0\0\x02\0".to_vec()]));
    packets.push((
        "ok",
        0,
        vec![b"\0\x01\xfc\x10\x27\x02\0\0\0\x0eRows matched: ".to_vec()],
    ));
    packets.push((
        "err",
        0x200,
        vec![b"\xff\xd4\x04#HY000Could not find first log".to_vec()],
    ));
    let column = b"\x03def\x04shop\x01t\x01t\x02id\x02id\x0c\x3f\0\x0b\0\0\0\x03\x03\x42\0\0\0\xfb";
    packets.push(("column", 0, vec![column.to_vec()]));
    packets.push(("greeting", 0, vec![greeting("caching_sha2_password")]));
    packets.push(("login", u32::MAX, vec![login("mysql_native_password")]));
    packets.push((
        "login",
        CLIENT & !(1 << 21),
        vec![login("caching_sha2_password")],
    ));
    let framed = b"\x03\0\0\0abc\0\0\0\x01\x02\0\0\x02de".to_vec();
    packets.push(("framing", 1 << 20, vec![framed]));
    packets.extend(handshakes());
    packets
}

/// Both sides of a login, by every way that it may go.
fn handshakes() -> Vec<(&'static str, u32, Vec<Vec<u8>>)> {
    let mut packets: Vec<(&'static str, u32, Vec<Vec<u8>>)> = Vec::new();
    for plugin in ["caching_sha2_password", "mysql_native_password"] {
        let switch = [b"\xfe", plugin.as_bytes(), b"\0", &[9; 20], b"\0"].concat();
        for reply in [
            b"\x01\x03".to_vec(),
            b"\x01\x04".to_vec(),
            switch,
            b"\0\0\0\x02\0\0\0".to_vec(),
        ] {
            packets.push((
                "client handshake",
                0,
                vec![greeting(plugin), reply, b"\0\0\0\x02\0\0\0".to_vec()],
            ));
        }
        packets.push((
            "server handshake",
            0,
            vec![login(plugin), vec![7; 20], b"pw\0".to_vec()],
        ));
        packets.push((
            "server handshake",
            1,
            vec![login(plugin), b"\x02".to_vec(), b"pw\0".to_vec()],
        ));
    }
    packets
}

/// One of each command.
fn commands() -> Vec<Vec<u8>> {
    let fixed: [&[u8]; 23] = [
        b"\x01",
        b"\x02shop",
        b"\x03\0\x01SELECT 1",
        b"\x03\x01\x01\0\x01\xfe\0\x04name\x05valueSELECT 1",
        b"\x04t\0%",
        b"\x07\x01",
        b"\x08",
        b"\x09",
        b"\x0c\x07\0\0\0",
        b"\x0d",
        b"\x0e",
        b"\x11user\0\x03abcshop\0\xff\0caching_sha2_password\0\x06\x01a\x02bb\0\0",
        b"\x12\x04\0\0\0\0\0\x07\0\0\0binlog.000001",
        b"\x15\x07\0\0\0\x01h\x01u\x01p\xea\x0c\0\0\0\0\0\0\0\0",
        b"\x16SELECT ?, ?",
        b"\x18\x01\0\0\0\0\0long data",
        b"\x19\x01\0\0\0",
        b"\x1a\x01\0\0\0",
        b"\x1b\0\0",
        b"\x1c\x01\0\0\0\x0a\0\0\0",
        b"\x1e\0\0\x07\0\0\0\0\0\0\0\x04\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0",
        b"\x1f",
        b"\x20",
    ];
    let mut commands: Vec<Vec<u8>> = fixed.iter().map(|bytes| bytes.to_vec()).collect();
    // Executions with two parameters of every type that has a form of its own.
    let values: [(u8, &[u8]); 10] = [
        (1, b"\x01"),
        (2, b"\x01\x02"),
        (3, b"\x01\x02\x03\x04"),
        (4, b"\0\0\x80\x3f"),
        (5, b"\0\0\0\0\0\0\xf0\x3f"),
        (8, b"\x01\0\0\0\0\0\0\x80"),
        (10, b"\x04\xea\x07\x0b\x15"),
        (11, b"\x0c\x01\x02\0\0\0\x03\x04\x05\x06\0\0\0"),
        (12, b"\x0b\xea\x07\x0b\x15\x01\x02\x03\x04\0\0\0"),
        (253, b"\x04text"),
    ];
    for (code, value) in values {
        for null in [0, 2] {
            let mut execute = b"\x17\x01\0\0\0\x08\x01\0\0\0\x02".to_vec();
            execute.extend([null, 1, code, 0x80, 0, 253, 0, 0]);
            execute.extend_from_slice(value);
            execute.extend_from_slice(b"\x01x");
            commands.push(execute);
            let mut unnamed = b"\x17\x01\0\0\0\0\x01\0\0\0".to_vec();
            unnamed.extend([null, 1, code, 0, 253, 0]);
            unnamed.extend_from_slice(value);
            unnamed.extend_from_slice(b"\x01x");
            commands.push(unnamed);
        }
    }
    commands
}

fn greeting(plugin: &str) -> Vec<u8> {
    let mut greeting =
        b"\x0a9.7.4\0\x0f\0\0\0\x35nj\x42\x01\x7f%7\0\xff\xff\xff\x02\0\xff\xdf\x15".to_vec();
    greeting.extend([0; 10]);
    greeting.extend_from_slice(b"abcdefghijkl\0");
    greeting.extend_from_slice(plugin.as_bytes());
    greeting.push(0);
    greeting
}

fn login(plugin: &str) -> Vec<u8> {
    let mut login = (CLIENT & !0x800).to_le_bytes().to_vec();
    login.extend_from_slice(b"\0\0\0\x40\xff");
    login.extend([0; 23]);
    // The account is called like its plugin; see the server's side of the target.
    login.extend_from_slice(plugin.as_bytes());
    login.extend_from_slice(b"\0\x14");
    login.extend([7; 20]);
    login.extend_from_slice(plugin.as_bytes());
    login.extend_from_slice(b"\0\x12\x04_pid\x0212\x03_os\x05Linux\x00");
    login
}
