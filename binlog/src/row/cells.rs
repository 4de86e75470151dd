//! Single columns of a row image, as bytes.

use codec::{DecodeError, Reader};

use super::plan::RowPlan;
use super::table_map::bit;

impl RowPlan {
    /// Hands out the bytes of the columns `wanted`, which ascend, of an image that has `columns`. A
    /// value of NULL and a column that the image does not have are empty.
    ///
    /// The image is one of [`super::RowImages`], without changes of JSON values in it.
    ///
    /// # Errors
    /// When the image ends too early, or the table has no such column.
    pub fn each_cell<'i>(
        &self,
        image: &'i [u8],
        columns: &[u8],
        wanted: &[usize],
        mut take: impl FnMut(&'i [u8]),
    ) -> Result<(), DecodeError> {
        let mut reader = Reader::new(image);
        let present = (0..self.column_count())
            .filter(|&index| bit(columns, index))
            .count();
        let nulls = reader.bytes(present.div_ceil(8), "NULL bitmap")?;
        let mut wanted = wanted.iter().copied().peekable();
        let mut position = 0;
        for (index, cell) in self.cells.iter().enumerate() {
            let Some(&next) = wanted.peek() else {
                break;
            };
            let is_wanted = next == index;
            if is_wanted {
                wanted.next();
            }
            let start = reader.peek();
            if bit(columns, index) {
                if !bit(nulls, position) {
                    cell.skip(&mut reader)?;
                }
                position += 1;
            }
            if is_wanted {
                let len = start.len().saturating_sub(reader.remaining());
                take(start.get(..len).unwrap_or_default());
            }
        }
        match wanted.next() {
            None => Ok(()),
            Some(column) => Err(DecodeError::invalid(
                "column",
                reader.offset(),
                u64::try_from(column).unwrap_or(u64::MAX),
                "one of the table's",
            )),
        }
    }
}
