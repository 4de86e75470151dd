//! Status variables: what a statement needs to know of the session that ran it.
//!
//! They have codes but no lengths, so behind an unknown one nothing can be found: the rest is kept as
//! bytes. Their order is kept too.

use std::borrow::Cow;

use codec::{DecodeError, Reader, Write};

/// The status variables of a statement, in the order written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StatusVariables<'a>(
    /// The variables.
    pub Vec<StatusVariable<'a>>,
);

/// Bits of [`StatusVariable::Flags2`].
pub mod session_flag {
    /// `sql_auto_is_null` is on.
    pub const AUTO_IS_NULL: u32 = 1 << 14;
    /// `autocommit` is off.
    pub const NOT_AUTOCOMMIT: u32 = 1 << 19;
    /// `foreign_key_checks` is off.
    pub const NO_FOREIGN_KEY_CHECKS: u32 = 1 << 26;
    /// `unique_checks` is off.
    pub const RELAXED_UNIQUE_CHECKS: u32 = 1 << 27;
    /// MariaDB since 10.10: `explicit_defaults_for_timestamp`.
    pub const EXPLICIT_DEFAULTS_FOR_TIMESTAMP: u32 = 1 << 24;
}

/// Collation ids of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charset {
    /// `character_set_client`, as the id of its default collation.
    pub client: u16,
    /// `collation_connection`.
    pub connection: u16,
    /// `collation_server`.
    pub server: u16,
}

/// One status variable.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatusVariable<'a> {
    /// 0: session options; 0x04000000 no foreign key checks, 0x08000000 relaxed unique checks.
    Flags2(u32),
    /// 1: sql_mode bits.
    SqlMode(u64),
    /// 2: catalog with a NUL, old servers.
    CatalogOld(Cow<'a, [u8]>),
    /// 3: auto_increment_increment, auto_increment_offset.
    AutoIncrement {
        /// Step.
        increment: u16,
        /// First value.
        offset: u16,
    },
    /// 4: the session's charsets.
    Charset(Charset),
    /// 5: time_zone.
    TimeZone(Cow<'a, [u8]>),
    /// 6: catalog, always `std`.
    Catalog(Cow<'a, [u8]>),
    /// 7: lc_time_names.
    LcTimeNames(u16),
    /// 8: collation of the default schema.
    CollationDatabase(u16),
    /// 9: bits of the tables that a multi-table update changes.
    TableMapForUpdate(u64),
    /// 10: length of the event on the source, old relay logs.
    SourceDataWritten(u32),
    /// 11: who ran the statement.
    Invoker {
        /// User name.
        user: Cow<'a, [u8]>,
        /// Host name.
        host: Cow<'a, [u8]>,
    },
    /// 12: schemas that the statement changes; `None` for too many to name.
    UpdatedSchemas(Option<Vec<Cow<'a, [u8]>>>),
    /// 13: microseconds of the event's timestamp.
    Microseconds(u32),
    /// 16: explicit_defaults_for_timestamp.
    ExplicitDefaultsForTimestamp(u8),
    /// 17: number that ties a DDL statement to the storage engine's log.
    DdlXid(u64),
    /// 18: default_collation_for_utf8mb4.
    DefaultCollationForUtf8mb4(u16),
    /// 19: sql_require_primary_key.
    RequirePrimaryKey(u8),
    /// 20: default_table_encryption.
    DefaultTableEncryption(u8),
    /// 21: enable_cascade_triggers (9.7).
    EnableCascadeTriggers(u8),
    /// 128 (MariaDB): microseconds of the event's timestamp.
    MariaMicroseconds(u32),
    /// 129 (MariaDB): number for the recovery of DDL.
    MariaXid(u64),
    /// 130 (MariaDB): two-phase ALTER: flags, and the sequence number of its start.
    MariaAlter {
        /// 2 start, 4 commit, 8 rollback.
        flags: u8,
        /// Present for commit and rollback.
        start_sequence: Option<u64>,
    },
    /// 131 (MariaDB): default collation per charset, as pairs of ids.
    MariaCharsetCollations(Vec<(u16, u16)>),
    /// A code this build does not know and everything behind it.
    Unknown {
        /// The code.
        code: u8,
        /// All bytes after the code.
        rest: Cow<'a, [u8]>,
    },
}

/// Count that stands for "too many schemas to name".
const TOO_MANY_SCHEMAS: u8 = 254;

impl<'a> StatusVariables<'a> {
    /// Decodes the whole block.
    pub(super) fn decode(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut variables = Vec::new();
        while !reader.is_empty() {
            variables.push(StatusVariable::decode(&mut reader)?);
        }
        Ok(Self(variables))
    }

    /// Appends the block.
    pub fn encode(&self, out: &mut Vec<u8>) {
        for variable in &self.0 {
            variable.encode(out);
        }
    }

    /// The same variables with bytes of their own.
    #[must_use]
    pub fn into_owned(self) -> StatusVariables<'static> {
        let variables = self.0.into_iter();
        StatusVariables(variables.map(StatusVariable::into_owned).collect())
    }

    /// The session options.
    #[must_use]
    pub fn flags2(&self) -> Option<u32> {
        self.0.iter().find_map(|variable| match variable {
            StatusVariable::Flags2(flags) => Some(*flags),
            _ => None,
        })
    }

    /// The sql_mode bits.
    #[must_use]
    pub fn sql_mode(&self) -> Option<u64> {
        self.0.iter().find_map(|variable| match variable {
            StatusVariable::SqlMode(mode) => Some(*mode),
            _ => None,
        })
    }

    /// The session's charsets.
    #[must_use]
    pub fn charset(&self) -> Option<Charset> {
        self.0.iter().find_map(|variable| match variable {
            StatusVariable::Charset(charset) => Some(*charset),
            _ => None,
        })
    }

    /// Collation of the default schema.
    #[must_use]
    pub fn collation_database(&self) -> Option<u16> {
        self.0.iter().find_map(|variable| match variable {
            StatusVariable::CollationDatabase(collation) => Some(*collation),
            _ => None,
        })
    }

    /// What plain `utf8mb4` means.
    #[must_use]
    pub fn default_collation_for_utf8mb4(&self) -> Option<u16> {
        self.0.iter().find_map(|variable| match variable {
            StatusVariable::DefaultCollationForUtf8mb4(collation) => Some(*collation),
            _ => None,
        })
    }

    /// What a character set of MariaDB means without a collation, as pairs of ids of the collation that
    /// it means by itself and the one it means there.
    #[must_use]
    pub fn charset_collations(&self) -> &[(u16, u16)] {
        let found = self.0.iter().find_map(|variable| match variable {
            StatusVariable::MariaCharsetCollations(pairs) => Some(pairs.as_slice()),
            _ => None,
        });
        found.unwrap_or_default()
    }

    /// The session's time zone.
    #[must_use]
    pub fn time_zone(&self) -> Option<&[u8]> {
        self.0.iter().find_map(|variable| match variable {
            StatusVariable::TimeZone(zone) => Some(zone.as_ref()),
            _ => None,
        })
    }

    /// auto_increment_increment and auto_increment_offset.
    #[must_use]
    pub fn auto_increment(&self) -> Option<(u16, u16)> {
        self.0.iter().find_map(|variable| match variable {
            StatusVariable::AutoIncrement { increment, offset } => Some((*increment, *offset)),
            _ => None,
        })
    }

    /// Microseconds of the statement's start.
    #[must_use]
    pub fn microseconds(&self) -> Option<u32> {
        self.0.iter().find_map(|variable| match variable {
            StatusVariable::Microseconds(micros) | StatusVariable::MariaMicroseconds(micros) => {
                Some(*micros)
            }
            _ => None,
        })
    }

    /// explicit_defaults_for_timestamp.
    #[must_use]
    pub fn explicit_defaults_for_timestamp(&self) -> Option<bool> {
        self.0.iter().find_map(|variable| match variable {
            StatusVariable::ExplicitDefaultsForTimestamp(on) => Some(*on != 0),
            _ => None,
        })
    }
}

impl<'a> StatusVariable<'a> {
    /// The variable's code.
    #[must_use]
    pub const fn code(&self) -> u8 {
        match self {
            Self::Flags2(_) => 0,
            Self::SqlMode(_) => 1,
            Self::CatalogOld(_) => 2,
            Self::AutoIncrement { .. } => 3,
            Self::Charset(_) => 4,
            Self::TimeZone(_) => 5,
            Self::Catalog(_) => 6,
            Self::LcTimeNames(_) => 7,
            Self::CollationDatabase(_) => 8,
            Self::TableMapForUpdate(_) => 9,
            Self::SourceDataWritten(_) => 10,
            Self::Invoker { .. } => 11,
            Self::UpdatedSchemas(_) => 12,
            Self::Microseconds(_) => 13,
            Self::ExplicitDefaultsForTimestamp(_) => 16,
            Self::DdlXid(_) => 17,
            Self::DefaultCollationForUtf8mb4(_) => 18,
            Self::RequirePrimaryKey(_) => 19,
            Self::DefaultTableEncryption(_) => 20,
            Self::EnableCascadeTriggers(_) => 21,
            Self::MariaMicroseconds(_) => 128,
            Self::MariaXid(_) => 129,
            Self::MariaAlter { .. } => 130,
            Self::MariaCharsetCollations(_) => 131,
            Self::Unknown { code, .. } => *code,
        }
    }

    /// The same variable with bytes of its own.
    #[must_use]
    pub fn into_owned(self) -> StatusVariable<'static> {
        use StatusVariable as To;
        let own = |bytes: Cow<'a, [u8]>| Cow::Owned(bytes.into_owned());
        match self {
            Self::Flags2(value) => To::Flags2(value),
            Self::SqlMode(value) => To::SqlMode(value),
            Self::CatalogOld(text) => To::CatalogOld(own(text)),
            Self::AutoIncrement { increment, offset } => To::AutoIncrement { increment, offset },
            Self::Charset(charset) => To::Charset(charset),
            Self::TimeZone(text) => To::TimeZone(own(text)),
            Self::Catalog(text) => To::Catalog(own(text)),
            Self::LcTimeNames(value) => To::LcTimeNames(value),
            Self::CollationDatabase(value) => To::CollationDatabase(value),
            Self::TableMapForUpdate(value) => To::TableMapForUpdate(value),
            Self::SourceDataWritten(value) => To::SourceDataWritten(value),
            Self::Invoker { user, host } => To::Invoker {
                user: own(user),
                host: own(host),
            },
            Self::UpdatedSchemas(schemas) => {
                To::UpdatedSchemas(schemas.map(|names| names.into_iter().map(own).collect()))
            }
            Self::Microseconds(value) => To::Microseconds(value),
            Self::ExplicitDefaultsForTimestamp(value) => To::ExplicitDefaultsForTimestamp(value),
            Self::DdlXid(value) => To::DdlXid(value),
            Self::DefaultCollationForUtf8mb4(value) => To::DefaultCollationForUtf8mb4(value),
            Self::RequirePrimaryKey(value) => To::RequirePrimaryKey(value),
            Self::DefaultTableEncryption(value) => To::DefaultTableEncryption(value),
            Self::EnableCascadeTriggers(value) => To::EnableCascadeTriggers(value),
            Self::MariaMicroseconds(value) => To::MariaMicroseconds(value),
            Self::MariaXid(value) => To::MariaXid(value),
            Self::MariaAlter {
                flags,
                start_sequence,
            } => To::MariaAlter {
                flags,
                start_sequence,
            },
            Self::MariaCharsetCollations(pairs) => To::MariaCharsetCollations(pairs),
            Self::Unknown { code, rest } => To::Unknown {
                code,
                rest: own(rest),
            },
        }
    }

    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(match reader.u8("status variable code")? {
            0 => Self::Flags2(reader.u32("flags2")?),
            1 => Self::SqlMode(reader.u64("sql_mode")?),
            2 => {
                let text = short_text(reader, "catalog")?;
                reader.u8("catalog end")?;
                Self::CatalogOld(text)
            }
            3 => Self::AutoIncrement {
                increment: reader.u16("auto_increment_increment")?,
                offset: reader.u16("auto_increment_offset")?,
            },
            4 => Self::Charset(Charset {
                client: reader.u16("character_set_client")?,
                connection: reader.u16("collation_connection")?,
                server: reader.u16("collation_server")?,
            }),
            5 => Self::TimeZone(short_text(reader, "time zone")?),
            6 => Self::Catalog(short_text(reader, "catalog")?),
            7 => Self::LcTimeNames(reader.u16("lc_time_names")?),
            8 => Self::CollationDatabase(reader.u16("collation_database")?),
            9 => Self::TableMapForUpdate(reader.u64("table map for update")?),
            10 => Self::SourceDataWritten(reader.u32("source data written")?),
            11 => Self::Invoker {
                user: short_text(reader, "invoker user")?,
                host: short_text(reader, "invoker host")?,
            },
            12 => Self::UpdatedSchemas(updated_schemas(reader)?),
            13 => Self::Microseconds(reader.u24("microseconds")?),
            16 => Self::ExplicitDefaultsForTimestamp(reader.u8("explicit defaults")?),
            17 => Self::DdlXid(reader.u64("DDL xid")?),
            18 => Self::DefaultCollationForUtf8mb4(reader.u16("collation for utf8mb4")?),
            19 => Self::RequirePrimaryKey(reader.u8("sql_require_primary_key")?),
            20 => Self::DefaultTableEncryption(reader.u8("default_table_encryption")?),
            21 => Self::EnableCascadeTriggers(reader.u8("enable_cascade_triggers")?),
            128 => Self::MariaMicroseconds(reader.u24("microseconds")?),
            129 => Self::MariaXid(reader.u64("DDL xid")?),
            130 => maria_alter(reader)?,
            131 => maria_collations(reader)?,
            code => Self::Unknown {
                code,
                rest: Cow::Borrowed(reader.rest()),
            },
        })
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(self.code());
        match self {
            Self::Flags2(value) | Self::SourceDataWritten(value) => out.put_u32(*value),
            Self::SqlMode(value)
            | Self::TableMapForUpdate(value)
            | Self::DdlXid(value)
            | Self::MariaXid(value) => out.put_u64(*value),
            Self::CatalogOld(text) => {
                put_short_text(out, text);
                out.put_u8(0);
            }
            Self::AutoIncrement { increment, offset } => {
                out.put_u16(*increment);
                out.put_u16(*offset);
            }
            Self::Charset(charset) => {
                out.put_u16(charset.client);
                out.put_u16(charset.connection);
                out.put_u16(charset.server);
            }
            Self::TimeZone(text) | Self::Catalog(text) => put_short_text(out, text),
            Self::LcTimeNames(value)
            | Self::CollationDatabase(value)
            | Self::DefaultCollationForUtf8mb4(value) => out.put_u16(*value),
            Self::Invoker { user, host } => {
                put_short_text(out, user);
                put_short_text(out, host);
            }
            Self::UpdatedSchemas(schemas) => put_schemas(out, schemas.as_deref()),
            Self::Microseconds(value) | Self::MariaMicroseconds(value) => out.put_u24(*value),
            Self::ExplicitDefaultsForTimestamp(value)
            | Self::RequirePrimaryKey(value)
            | Self::DefaultTableEncryption(value)
            | Self::EnableCascadeTriggers(value) => out.put_u8(*value),
            Self::MariaAlter {
                flags,
                start_sequence,
            } => {
                out.put_u8(*flags);
                if let Some(sequence) = start_sequence {
                    out.put_u64(*sequence);
                }
            }
            Self::MariaCharsetCollations(pairs) => {
                out.put_u8(u8::try_from(pairs.len()).unwrap_or(u8::MAX));
                for (charset, collation) in pairs.iter().take(usize::from(u8::MAX)) {
                    out.put_u16(*charset);
                    out.put_u16(*collation);
                }
            }
            Self::Unknown { rest, .. } => out.put(rest),
        }
    }
}

fn short_text<'a>(
    reader: &mut Reader<'a>,
    what: &'static str,
) -> Result<Cow<'a, [u8]>, DecodeError> {
    let len = reader.u8(what)?;
    Ok(Cow::Borrowed(reader.bytes(usize::from(len), what)?))
}

fn updated_schemas<'a>(reader: &mut Reader<'a>) -> Result<Option<Vec<Cow<'a, [u8]>>>, DecodeError> {
    let count = reader.u8("updated schema count")?;
    if count == TOO_MANY_SCHEMAS {
        return Ok(None);
    }
    let mut schemas = Vec::new();
    for _ in 0..count {
        schemas.push(Cow::Borrowed(reader.nul_terminated("updated schema")?));
    }
    Ok(Some(schemas))
}

fn maria_alter<'a>(reader: &mut Reader<'_>) -> Result<StatusVariable<'a>, DecodeError> {
    let flags = reader.u8("ALTER flags")?;
    let start_sequence = match flags & 0x0c {
        0 => None,
        _ => Some(reader.u64("sequence number of START ALTER")?),
    };
    Ok(StatusVariable::MariaAlter {
        flags,
        start_sequence,
    })
}

fn maria_collations<'a>(reader: &mut Reader<'_>) -> Result<StatusVariable<'a>, DecodeError> {
    let count = reader.u8("charset collation count")?;
    let mut pairs = Vec::new();
    for _ in 0..count {
        let charset = reader.u16("charset of collation")?;
        pairs.push((charset, reader.u16("collation of charset")?));
    }
    Ok(StatusVariable::MariaCharsetCollations(pairs))
}

/// Appends a text of at most 255 bytes behind its length; a longer one is cut.
fn put_short_text(out: &mut Vec<u8>, text: &[u8]) {
    let len = u8::try_from(text.len()).unwrap_or(u8::MAX);
    out.put_u8(len);
    out.put(text.get(..usize::from(len)).unwrap_or(&[]));
}

fn put_schemas(out: &mut Vec<u8>, schemas: Option<&[Cow<'_, [u8]>]>) {
    let named = schemas.and_then(|schemas| {
        let count = u8::try_from(schemas.len()).ok();
        count
            .filter(|&count| count != TOO_MANY_SCHEMAS)
            .zip(Some(schemas))
    });
    match named {
        None => out.put_u8(TOO_MANY_SCHEMAS),
        Some((count, schemas)) => {
            out.put_u8(count);
            for schema in schemas {
                out.put_nul_terminated(schema);
            }
        }
    }
}
