//! `LOAD_EVENT`, `NEW_LOAD_EVENT` and `CREATE_FILE_EVENT`: LOAD DATA INFILE of MySQL 3.23 to 4.1.
//!
//! The first has one-byte delimiters, the others delimiters of any length. A CREATE_FILE is a
//! NEW_LOAD with a file number behind its fixed part and, behind the file name, the first block of
//! the file; EXEC_LOAD runs it. MySQL 5.0 and later write BEGIN_LOAD_QUERY instead.
//!
//! Spec: mysql-server 5.5, sql/log_event.h, `Load_log_event` and `sql_ex_info`.

use codec::{DecodeError, Reader, Write};

use super::EventType;

/// | size | field                                                     | only in     |
/// |-----:|-----------------------------------------------------------|-------------|
/// |    4 | `thread_id`                                               |             |
/// |    4 | `exec_time`                                               |             |
/// |    4 | `skip_lines`                                              |             |
/// |    1 | length of `table`                                         |             |
/// |    1 | length of `schema`                                        |             |
/// |    4 | number of `columns`                                       |             |
/// |    4 | `file_id`                                                 | CREATE_FILE |
/// |      | `delimiters`                                              |             |
/// |    n | length of each column name                                |             |
/// |      | `column_names`, each with a NUL                           |             |
/// |      | `table`, NUL, `schema`, NUL                               |             |
/// |      | `file_name`, to the end or, in CREATE_FILE, up to a NUL   |             |
/// | rest | `block`                                                   | CREATE_FILE |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load<'a> {
    /// Connection that ran the statement.
    pub thread_id: u32,
    /// Seconds it took.
    pub exec_time: u32,
    /// IGNORE n LINES.
    pub skip_lines: u32,
    /// How the file's fields and lines are told apart.
    pub delimiters: Delimiters<'a>,
    /// Length of each column name; empty when the statement names no columns.
    pub column_lengths: &'a [u8],
    /// The column names one behind the other, each with a NUL; see [`Load::columns`].
    pub column_names: &'a [u8],
    /// The table.
    pub table: &'a [u8],
    /// Its schema.
    pub schema: &'a [u8],
    /// The file, on the source.
    pub file_name: &'a [u8],
    /// Number and first block of the file, only in CREATE_FILE.
    pub file: Option<FirstBlock<'a>>,
}

/// What a CREATE_FILE says beyond a NEW_LOAD.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstBlock<'a> {
    /// Number that the other events of this file carry too.
    pub file_id: u32,
    /// First bytes of the file.
    pub block: &'a [u8],
}

/// Delimiters of fields and lines.
///
/// | field                                            | LOAD   | others             |
/// |--------------------------------------------------|-------:|-------------------:|
/// | `field_end`, `enclosed_by`, `line_end`, `line_start`, `escaped_by` | 1 byte each | u8 length, text |
/// | `options`                                        |      1 | 1                  |
/// | `empty_fields`: bits of the delimiters not given |      1 |                    |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delimiters<'a> {
    /// FIELDS TERMINATED BY.
    pub field_end: &'a [u8],
    /// FIELDS ENCLOSED BY.
    pub enclosed_by: &'a [u8],
    /// LINES TERMINATED BY.
    pub line_end: &'a [u8],
    /// LINES STARTING BY.
    pub line_start: &'a [u8],
    /// FIELDS ESCAPED BY.
    pub escaped_by: &'a [u8],
    /// 1 file from a dump, 2 OPTIONALLY ENCLOSED, 4 REPLACE, 8 IGNORE.
    pub options: u8,
    /// Only with one-byte delimiters: bits of those that were not given, from `field_end`.
    pub empty_fields: Option<u8>,
}

impl<'a> Load<'a> {
    /// Decodes the body of an event of `event_type`, one of the three.
    pub fn decode(event_type: EventType, mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let thread_id = reader.u32("load thread id")?;
        let exec_time = reader.u32("load execution time")?;
        let skip_lines = reader.u32("load lines to skip")?;
        let table_len = reader.u8("load table length")?;
        let schema_len = reader.u8("load schema length")?;
        let columns = u64::from(reader.u32("load column count")?);
        let is_file = event_type == EventType::CREATE_FILE;
        let file_id = is_file.then(|| reader.u32("load file id")).transpose()?;
        let delimiters = if event_type == EventType::LOAD {
            Delimiters::decode_short(&mut reader)?
        } else {
            Delimiters::decode(&mut reader)?
        };
        let column_lengths = reader.bytes_u64(columns, "load column name lengths")?;
        let names_len = column_lengths.iter().map(|&len| u64::from(len) + 1).sum();
        let column_names = reader.bytes_u64(names_len, "load column names")?;
        let table = reader.bytes(usize::from(table_len), "load table")?;
        reader.u8("load table end")?;
        let schema = reader.bytes(usize::from(schema_len), "load schema")?;
        reader.u8("load schema end")?;
        let (file_name, file) = match file_id {
            None => (reader.rest(), None),
            Some(file_id) => {
                let name = reader.nul_terminated("load file name")?;
                let block = reader.rest();
                (name, Some(FirstBlock { file_id, block }))
            }
        };
        Ok(Self {
            thread_id,
            exec_time,
            skip_lines,
            delimiters,
            column_lengths,
            column_names,
            table,
            schema,
            file_name,
            file,
        })
    }

    /// The event type that has this body.
    #[must_use]
    pub const fn event_type(&self) -> EventType {
        match (self.file, self.delimiters.empty_fields) {
            (Some(_), _) => EventType::CREATE_FILE,
            (None, Some(_)) => EventType::LOAD,
            (None, None) => EventType::NEW_LOAD,
        }
    }

    /// Appends the body. Names longer than 255 bytes, which servers cannot have, are cut.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_u32(self.thread_id);
        out.put_u32(self.exec_time);
        out.put_u32(self.skip_lines);
        let (table, schema) = (short(self.table), short(self.schema));
        out.put_u8(table.0);
        out.put_u8(schema.0);
        out.put_u32(u32::try_from(self.column_lengths.len()).unwrap_or(u32::MAX));
        if let Some(file) = self.file {
            out.put_u32(file.file_id);
        }
        self.delimiters
            .encode(out, self.event_type() == EventType::LOAD);
        out.put(self.column_lengths);
        out.put(self.column_names);
        out.put_nul_terminated(table.1);
        out.put_nul_terminated(schema.1);
        match self.file {
            None => out.put(self.file_name),
            Some(file) => {
                out.put_nul_terminated(self.file_name);
                out.put(file.block);
            }
        }
    }

    /// The names of the columns that the file fills.
    pub fn columns(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = self.column_names;
        self.column_lengths.iter().map_while(move |&len| {
            let (name, tail) = rest.split_at_checked(usize::from(len))?;
            rest = tail.get(1..)?;
            Some(name)
        })
    }
}

impl<'a> Delimiters<'a> {
    fn decode_short(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let what = "load delimiters";
        Ok(Self {
            field_end: reader.bytes(1, what)?,
            enclosed_by: reader.bytes(1, what)?,
            line_end: reader.bytes(1, what)?,
            line_start: reader.bytes(1, what)?,
            escaped_by: reader.bytes(1, what)?,
            options: reader.u8("load options")?,
            empty_fields: Some(reader.u8("load empty delimiters")?),
        })
    }

    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let mut text = || {
            let len = reader.u8("load delimiter length")?;
            reader.bytes(usize::from(len), "load delimiter")
        };
        Ok(Self {
            field_end: text()?,
            enclosed_by: text()?,
            line_end: text()?,
            line_start: text()?,
            escaped_by: text()?,
            options: reader.u8("load options")?,
            empty_fields: None,
        })
    }

    fn encode(&self, out: &mut Vec<u8>, is_short: bool) {
        for text in [
            self.field_end,
            self.enclosed_by,
            self.line_end,
            self.line_start,
            self.escaped_by,
        ] {
            if is_short {
                out.put_u8(text.first().copied().unwrap_or(0));
            } else {
                let (len, text) = short(text);
                out.put_u8(len);
                out.put(text);
            }
        }
        out.put_u8(self.options);
        if let Some(empty) = self.empty_fields.filter(|_| is_short) {
            out.put_u8(empty);
        }
    }
}

/// The first 255 bytes of a text and how many they are.
fn short(text: &[u8]) -> (u8, &[u8]) {
    let len = u8::try_from(text.len()).unwrap_or(u8::MAX);
    (len, text.get(..usize::from(len)).unwrap_or(text))
}
