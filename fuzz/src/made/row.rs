//! A table of one column of every type, and rows of it.

use crate::seeds::Seed;
use crate::targets::rows;

/// For each column type code: metadata in the table map, and the bytes of one value.
const COLUMNS: [(u8, &[u8], &[u8]); 37] = [
    (0, b"", b"1.5"),
    (1, b"", b"\x80"),
    (2, b"", b"\x01\x80"),
    (3, b"", b"\x01\0\0\x80"),
    (4, b"\x04", b"\0\0\x80\x3f"),
    (5, b"\x08", b"\0\0\0\0\0\0\xf0\x3f"),
    (6, b"", b""),
    (7, b"", b"\x01\0\0\x65"),
    (8, b"", b"\x01\0\0\0\0\0\0\x80"),
    (9, b"", b"\x01\0\x80"),
    (10, b"", b"\x75\xcd\x0f"),
    (11, b"", b"\x40\xe2\x01"),
    (12, b"", b"\x80\x64\xed\x68\x6d\x12\x00\x00"),
    (13, b"", b"\x7e"),
    (14, b"", b"\x75\xcd\x0f"),
    (15, b"\x14\0", b"\x02ab"),
    (15, b"\x2c\x01", b"\x02\0ab"),
    (16, b"\x03\x01", b"\x01\xff"),
    (17, b"\x06", b"\x65\0\0\0\x01\x02\x03"),
    (18, b"\x03", b"\x99\xb2\x19\0\0\x01\x02"),
    (19, b"\x02", b"\x80\x10\x20\x63"),
    (140, b"\x02", b"\x07\0\x89\x03\x4b\x4c\x4a\x06\0"),
    (141, b"\x14\0", b"\x03\0ab"),
    (242, b"\x04", b"\x08\0\0\0\0\0\x80\x3f\0\0\0\x40"),
    (245, b"\x04", b"\x05\0\0\0\x0c\x03abc"),
    (246, b"\x05\x02", b"\x80\x7b\x2d"),
    (246, b"\x41\x1e", &LONG_DECIMAL),
    (247, b"\xf7\x01", b"\x01"),
    (248, b"\xf8\x01", b"\x03"),
    (249, b"\x01", b"\x02ab"),
    (250, b"\x03", b"\x02\0\0ab"),
    (252, b"\x02", b"\x02\0ab"),
    (253, b"\x14\0", b"\x02ab"),
    (254, b"\xfe\x10", b"\x02ab"),
    (254, b"\xf7\x02", b"\x01\0"),
    (254, b"\xf8\x08", b"\x03\0\0\0\0\0\0\x80"),
    (255, b"\x04", b"\x08\0\0\0\0\0\0\0\x01\x01\0\0"),
];

/// A DECIMAL(65,30) of 0.
const LONG_DECIMAL: [u8; 30] = {
    let mut bytes = [0; 30];
    bytes[0] = 0x80;
    bytes
};

/// A write and an update of a table with an INT and a column of each type, with and without optional
/// metadata.
#[must_use]
pub fn row_images() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for (code, metadata, value) in COLUMNS {
        let mut map = b"\x07\0\0\0\0\0\x01\0\x04shop\0\x01t\0\x02\x03".to_vec();
        map.push(code);
        map.push(u8::try_from(metadata.len()).unwrap_or_default());
        map.extend_from_slice(metadata);
        map.push(3);
        let head = b"\x07\0\0\0\0\0\x01\0";
        let image = [b"\xfc\x01\0\0\0", value].concat();
        let null = b"\xfe\x01\0\0\0";
        let label = format!("column type {code}");
        for (event_type, extra) in [(30, &b"\x02\0"[..]), (23, b"")] {
            let at = |body: &[u8]| [&head[..], extra, b"\x02\x03", body].concat();
            let write = at(&[&image[..], null].concat());
            let update = at(&[b"\x03", &image[..], null].concat());
            for tail in [&b""[..], &optional_metadata(code, metadata)] {
                let map = [&map[..], tail].concat();
                let input = |event_type, rows: &[u8]| rows::input(event_type, &map, rows);
                seeds.push(Seed::bytes(label.clone(), input(event_type, &write)));
                seeds.push(Seed::bytes(label.clone(), input(event_type + 1, &update)));
                if event_type == 30 {
                    let partial = at(&[b"\x03", &image[..], b"\0", &image].concat());
                    seeds.push(Seed::bytes(label.clone(), input(39, &partial)));
                }
            }
        }
    }
    seeds
}

/// Signedness, names and primary key, and what columns of this type have besides.
fn optional_metadata(code: u8, metadata: &[u8]) -> Vec<u8> {
    let mut tail = b"\x01\x01\xc0\x04\x05\x01a\x02bb\x08\x01\0\x0c\x01\xc0".to_vec();
    let members = b"\x05\x02\x01x\x01y";
    match (code, metadata) {
        (254, [0xf7, _]) => {
            tail.push(6);
            tail.extend_from_slice(members);
        }
        (254, [0xf8, _]) => {
            tail.push(5);
            tail.extend_from_slice(members);
        }
        (15 | 252..=254, _) => tail.extend_from_slice(b"\x02\x01\x2d"),
        (255, _) => tail.extend_from_slice(b"\x07\x01\x01"),
        (242, _) => tail.extend_from_slice(b"\x0d\x01\x02"),
        _ => {}
    }
    tail
}
