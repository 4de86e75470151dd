//! `VIEW_CHANGE_EVENT`: the members of a group changed; up to MySQL 8.2 in binary logs too.
//!
//! Spec: mysql-server 8.0, libbinlogevents/include/control_events.h, `View_change_event`.

use codec::{DecodeError, Reader, Write};

/// | offset | size | field                                            |
/// |-------:|-----:|--------------------------------------------------|
/// |      0 |   40 | `view_id`, NUL-padded                            |
/// |     40 |    8 | `sequence_number`                                |
/// |     48 |    4 | number of entries in `certification`             |
/// |     52 | rest | `certification`: u16 length, key, u32 length, value |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ViewChange<'a> {
    /// Name of the view, with its padding.
    pub view_id: [u8; 40],
    /// Number of the view.
    pub sequence_number: u64,
    /// What a joining member needs to certify transactions.
    pub certification: CertificationInfo<'a>,
}

/// The entries of a [`ViewChange`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CertificationInfo<'a> {
    count: u32,
    bytes: &'a [u8],
}

impl<'a> ViewChange<'a> {
    /// Decodes the body.
    pub fn decode(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let view_id = reader.array("view id")?;
        let sequence_number = reader.u64("view sequence number")?;
        let count = reader.u32("view certification count")?;
        let certification = CertificationInfo::decode(&mut reader, count)?;
        reader.finish("view change")?;
        Ok(Self {
            view_id,
            sequence_number,
            certification,
        })
    }

    /// Appends the body.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put(&self.view_id);
        out.put_u64(self.sequence_number);
        out.put_u32(self.certification.count);
        out.put(self.certification.bytes);
    }

    /// Name of the view without its padding.
    #[must_use]
    pub fn view_name(&self) -> &[u8] {
        let mut parts = self.view_id.split(|&byte| byte == 0);
        parts.next().unwrap_or(&[])
    }
}

impl<'a> CertificationInfo<'a> {
    /// Takes `count` entries that fill `bytes`.
    pub fn new(count: u32, bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let entries = Self::decode(&mut reader, count)?;
        reader.finish("view certification")?;
        Ok(entries)
    }

    /// How many entries there are.
    #[must_use]
    pub const fn len(&self) -> u32 {
        self.count
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Key and value of each entry, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let mut reader = Reader::new(self.bytes);
        (0..self.count).map_while(move |_| entry(&mut reader).ok())
    }

    fn decode(reader: &mut Reader<'a>, count: u32) -> Result<Self, DecodeError> {
        let start = reader.clone();
        for _ in 0..count {
            entry(reader)?;
        }
        let len = start.remaining() - reader.remaining();
        let bytes = start.clone().bytes(len, "view certification")?;
        Ok(Self { count, bytes })
    }
}

fn entry<'a>(reader: &mut Reader<'a>) -> Result<(&'a [u8], &'a [u8]), DecodeError> {
    let len = reader.u16("view certification key length")?;
    let key = reader.bytes(usize::from(len), "view certification key")?;
    let len = reader.u32("view certification value length")?;
    let value = reader.bytes_u64(u64::from(len), "view certification value")?;
    Ok((key, value))
}
