//! Bytes by address, close together: each behind its length, on a multiple of four bytes.

/// Bytes of a chunk. What is longer takes as many chunks as it needs.
const CHUNK: usize = 1 << 20;

/// Bytes of the first chunk.
const FIRST: usize = 4 << 10;

/// Bytes of an address' unit.
const UNIT: usize = 4;

/// Units of a chunk.
const UNITS: usize = CHUNK / UNIT;

/// Where something lies, in units: 16 GiB can be told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Address(u32);

/// What lies at addresses.
#[derive(Debug, Default)]
pub(super) struct Images {
    chunks: Vec<Vec<u8>>,
    bytes: usize,
}

impl Images {
    fn place(&self, address: Address) -> (usize, usize) {
        let unit = usize::try_from(address.0).unwrap_or(usize::MAX);
        (unit / UNITS, unit % UNITS * UNIT)
    }

    fn len_at(&self, address: Address) -> usize {
        let (chunk, start) = self.place(address);
        let chunk = self.chunks.get(chunk).map(Vec::as_slice);
        let head = chunk.and_then(|chunk| chunk.get(start..)?.first_chunk());
        let len = head.copied().map_or(0, u32::from_le_bytes);
        usize::try_from(len).unwrap_or(usize::MAX)
    }

    /// What lies at an address.
    pub(super) fn get(&self, address: Address) -> &[u8] {
        let (chunk, start) = self.place(address);
        let from = start.saturating_add(UNIT);
        let to = from.saturating_add(self.len_at(address));
        let chunk = self.chunks.get(chunk);
        chunk
            .and_then(|chunk| chunk.get(from..to))
            .unwrap_or_default()
    }

    /// Puts something behind everything; `None` when there are no more addresses.
    pub(super) fn push(&mut self, image: &[u8]) -> Option<Address> {
        let len = u32::try_from(image.len()).ok()?;
        let size = image.len().checked_add(UNIT)?.next_multiple_of(UNIT);
        let fits = |chunk: &Vec<u8>| chunk.capacity().saturating_sub(chunk.len()) >= size;
        if !self.chunks.last().is_some_and(fits) {
            // A table of few rows takes little.
            let next = self.bytes.clamp(FIRST, CHUNK);
            let capacity = next.max(size);
            self.bytes = self.bytes.saturating_add(capacity);
            self.chunks.push(Vec::with_capacity(capacity));
        }
        let at = self.chunks.len().checked_sub(1)?;
        let chunk = self.chunks.last_mut()?;
        let unit = at.checked_mul(UNITS)?.checked_add(chunk.len() / UNIT)?;
        let address = Address(u32::try_from(unit).ok()?);
        let end = chunk.len().checked_add(size)?;
        chunk.extend_from_slice(&len.to_le_bytes());
        chunk.extend_from_slice(image);
        chunk.resize(end, 0);
        // The addresses inside what is longer than a chunk are taken.
        for _ in 1..size.div_ceil(CHUNK) {
            self.chunks.push(Vec::new());
        }
        Some(address)
    }

    /// Puts something in the place of another, or behind everything if it is longer.
    pub(super) fn replace(&mut self, address: Address, image: &[u8]) -> Option<Address> {
        if image.len() > self.len_at(address) {
            return self.push(image);
        }
        let len = u32::try_from(image.len()).ok()?;
        let (chunk, start) = self.place(address);
        let place = self.chunks.get_mut(chunk)?.get_mut(start..)?;
        let (head, rest) = place.split_first_chunk_mut()?;
        *head = len.to_le_bytes();
        rest.get_mut(..image.len())?.copy_from_slice(image);
        Some(address)
    }

    /// Bytes that are taken from the system.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_found_whatever_its_length() {
        let mut images = Images::default();
        let lengths = [0, 1, 3, 4, 1000, CHUNK - 4, CHUNK, 3 * CHUNK + 1, 7, 2];
        let of = |number: usize, len: usize| vec![u8::try_from(number).unwrap(); len];
        let addresses: Vec<_> = lengths
            .iter()
            .enumerate()
            .map(|(number, len)| images.push(&of(number, *len)).unwrap())
            .collect();
        for (number, (len, address)) in lengths.iter().zip(&addresses).enumerate() {
            assert_eq!(images.get(*address), of(number, *len), "{number}");
        }
        let shorter = images.replace(addresses[4], b"short").unwrap();
        assert_eq!(shorter, addresses[4]);
        let longer = images.replace(addresses[1], b"longer").unwrap();
        assert_ne!(longer, addresses[1]);
        assert_eq!(images.get(shorter), b"short");
        assert_eq!(images.get(longer), b"longer");
        assert_eq!(images.get(addresses[5]), of(5, CHUNK - 4));
    }
}
