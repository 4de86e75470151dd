//! Commands: what a client asks of a server, read from a payload.
//!
//! [`CommandDecoder`] keeps what later commands of the connection refer to: parameter counts and
//! types of prepared statements, and long data sent ahead of an execution. It keeps no SQL.
//!
//! Spec: mysql-server 8.4, `include/my_command.h`, "Command Phase".

mod long_data;
mod params;
mod replication;

use std::collections::HashMap;

use codec::{DecodeError, Reader};

use long_data::LongData;
use params::ParamType;
pub use params::{Param, QueryAttribute};
pub use replication::{BinlogDump, BinlogDumpGtid, RegisterReplica, dump_flag};

use crate::{Capabilities, ErrPacket, greeting::text, login::ChangeUser};

/// Command byte of COM_QUIT.
pub(crate) const QUIT: u8 = 0x01;
/// Command byte of COM_QUERY.
pub(crate) const QUERY: u8 = 0x03;
/// Command byte of COM_PING.
pub(crate) const PING: u8 = 0x0e;

/// What a client asks for.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Command {
    /// COM_QUERY: run statements given as text.
    Query {
        /// The text, in the connection's charset.
        sql: Vec<u8>,
        /// What the client says about it.
        attributes: Vec<QueryAttribute>,
    },
    /// COM_STMT_PREPARE. Answered by `send_prepare_ok`.
    StmtPrepare {
        /// The text, in the connection's charset.
        sql: Vec<u8>,
    },
    /// COM_STMT_EXECUTE.
    StmtExecute {
        /// What `send_prepare_ok` named it.
        statement_id: u32,
        /// Cursor type asked for; 0 for none.
        cursor: u8,
        /// One for each parameter of the statement.
        params: Vec<Param>,
        /// What the client says about this execution.
        attributes: Vec<QueryAttribute>,
    },
    /// COM_STMT_CLOSE. Has no answer.
    StmtClose {
        /// What `send_prepare_ok` named it.
        statement_id: u32,
    },
    /// COM_STMT_RESET. Long data is dropped already; answered by OK.
    StmtReset {
        /// What `send_prepare_ok` named it.
        statement_id: u32,
    },
    /// COM_STMT_FETCH: rows of a cursor.
    StmtFetch {
        /// What `send_prepare_ok` named it.
        statement_id: u32,
        /// Rows wanted.
        rows: u32,
    },
    /// COM_INIT_DB: change the default database.
    InitDb {
        /// Its name.
        database: String,
    },
    /// COM_PING.
    Ping,
    /// COM_QUIT. Has no answer.
    Quit,
    /// COM_RESET_CONNECTION: forget session state; prepared statements are dropped already.
    ResetConnection,
    /// COM_CHANGE_USER that was authenticated: forget session state, then check `database` and
    /// answer OK. The connection's user is the new one already.
    ChangeUser {
        /// The new default database.
        database: Option<String>,
        /// The new collation, if the client says.
        charset: Option<u16>,
    },
    /// COM_FIELD_LIST: columns of a table, answered by `send_field_list`.
    FieldList {
        /// The table.
        table: String,
        /// LIKE pattern of column names; empty for all.
        pattern: String,
    },
    /// COM_STATISTICS, answered by `send_statistics`.
    Statistics,
    /// COM_SET_OPTION: multi-statements on or off. Acted on already; answered by EOF.
    SetOption {
        /// Whether multi-statements are on.
        multi_statements: bool,
    },
    /// COM_PROCESS_KILL: end a connection.
    ProcessKill {
        /// Its number.
        connection_id: u32,
    },
    /// COM_DEBUG.
    Debug,
    /// COM_REFRESH: FLUSH by flags.
    Refresh {
        /// What to flush.
        flags: u8,
    },
    /// COM_SHUTDOWN.
    Shutdown,
    /// COM_REGISTER_SLAVE.
    RegisterReplica(RegisterReplica),
    /// COM_BINLOG_DUMP.
    BinlogDump(BinlogDump),
    /// COM_BINLOG_DUMP_GTID.
    BinlogDumpGtid(BinlogDumpGtid),
    /// A command that this build does not know. To be refused with 1047.
    Unknown(u8),
}

/// What a payload came to.
#[derive(Debug, PartialEq)]
pub(crate) enum Decoded {
    Command(Command),
    /// COM_CHANGE_USER, to be authenticated.
    ChangeUser(ChangeUser),
    /// Acted on; has no answer.
    Nothing,
    /// To be answered with this error.
    Refused(ErrPacket),
}

#[derive(Debug, Default)]
struct Prepared {
    params: usize,
    types: Vec<ParamType>,
    long_data: LongData,
    /// Why long data was not taken: the next execution fails so.
    refused: Option<ErrPacket>,
}

/// Reads commands of one connection.
#[derive(Debug)]
pub(crate) struct CommandDecoder {
    pub(crate) capabilities: Capabilities,
    long_data_max: usize,
    prepared: HashMap<u32, Prepared>,
}

impl CommandDecoder {
    pub(crate) fn new(capabilities: Capabilities, long_data_max: usize) -> Self {
        Self {
            capabilities,
            long_data_max,
            prepared: HashMap::new(),
        }
    }

    /// A statement was prepared.
    pub(crate) fn prepared(&mut self, statement_id: u32, params: usize) {
        let prepared = Prepared {
            params,
            ..Prepared::default()
        };
        self.prepared.insert(statement_id, prepared);
    }

    /// The session starts anew.
    pub(crate) fn reset(&mut self) {
        self.prepared.clear();
    }

    /// Reads a command. An error of decoding is the client's fault and is answered by 1835.
    pub(crate) fn decode(&mut self, payload: &[u8]) -> Result<Decoded, DecodeError> {
        let mut reader = Reader::new(payload);
        let code = reader.u8("command")?;
        Ok(Decoded::Command(match code {
            0x01 => Command::Quit,
            0x02 => Command::InitDb {
                database: text(reader.rest()),
            },
            0x03 => return self.query(reader),
            0x04 => field_list(reader)?,
            0x07 => Command::Refresh {
                flags: reader.u8("refresh flags")?,
            },
            0x08 => Command::Shutdown,
            0x09 => Command::Statistics,
            0x0c => Command::ProcessKill {
                connection_id: reader.u32("connection to kill")?,
            },
            0x0d => Command::Debug,
            0x0e => Command::Ping,
            0x11 => {
                let change = ChangeUser::decode(reader, self.capabilities)?;
                return Ok(Decoded::ChangeUser(change));
            }
            replication::BINLOG_DUMP => Command::BinlogDump(BinlogDump::decode(reader)?),
            replication::REGISTER_REPLICA => {
                Command::RegisterReplica(RegisterReplica::decode(reader)?)
            }
            0x16 => Command::StmtPrepare {
                sql: reader.rest().to_vec(),
            },
            0x17 => return self.execute(reader),
            0x18 => return self.long_data(reader),
            0x19 => self.close(reader.u32("statement")?),
            0x1a => return Ok(self.reset_statement(reader.u32("statement")?)),
            0x1b => return self.set_option(reader),
            0x1c => Command::StmtFetch {
                statement_id: reader.u32("statement")?,
                rows: reader.u32("rows to fetch")?,
            },
            replication::BINLOG_DUMP_GTID => {
                Command::BinlogDumpGtid(BinlogDumpGtid::decode(reader)?)
            }
            0x1f => {
                self.reset();
                Command::ResetConnection
            }
            unknown => Command::Unknown(unknown),
        }))
    }

    fn query(&self, mut reader: Reader<'_>) -> Result<Decoded, DecodeError> {
        let mut attributes = Vec::new();
        if self.capabilities.has(Capabilities::QUERY_ATTRIBUTES) {
            let count = count(&mut reader, "query attribute count")?;
            reader.lenenc("query attribute sets")?;
            if count > 0 {
                attributes = params::decode(&mut reader, count, true, &mut Vec::new(), |_| None)?;
            }
        }
        Ok(Decoded::Command(Command::Query {
            sql: reader.rest().to_vec(),
            attributes,
        }))
    }

    /// | size | field                                                            |
    /// |-----:|------------------------------------------------------------------|
    /// |    4 | statement                                                        |
    /// |    1 | cursor type; 8: attributes follow the statement's parameters     |
    /// |    4 | iterations, always 1                                             |
    /// | lenenc | parameter count, by QUERY_ATTRIBUTES, if there are any          |
    /// | rest | parameters, if there are any                                     |
    fn execute(&mut self, mut reader: Reader<'_>) -> Result<Decoded, DecodeError> {
        const COUNT_FOLLOWS: u8 = 8;
        let statement_id = reader.u32("statement")?;
        let flags = reader.u8("execute flags")?;
        reader.u32("execute iterations")?;
        let is_named = self.capabilities.has(Capabilities::QUERY_ATTRIBUTES);
        let Some(prepared) = self.prepared.get_mut(&statement_id) else {
            return Ok(unknown_statement(statement_id, "mysqld_stmt_execute"));
        };
        let mut long_data = std::mem::take(&mut prepared.long_data);
        if let Some(error) = prepared.refused.take() {
            return Ok(Decoded::Refused(error));
        }
        let offset = reader.offset();
        let mut total = prepared.params;
        if is_named && (flags & COUNT_FOLLOWS != 0 || total > 0) {
            total = count(&mut reader, "parameter count")?;
        }
        if total < prepared.params {
            let found = total as u64;
            let expected = "at least the statement's parameters";
            return Err(DecodeError::invalid(
                "parameter count",
                offset,
                found,
                expected,
            ));
        }
        let mut params = Vec::new();
        if total > 0 {
            let take = |index| long_data.take(index);
            params = params::decode(&mut reader, total, is_named, &mut prepared.types, take)?;
        }
        let attributes = params.split_off(prepared.params.min(params.len()));
        Ok(Decoded::Command(Command::StmtExecute {
            statement_id,
            cursor: flags & !COUNT_FOLLOWS,
            params: params.into_iter().map(|param| param.value).collect(),
            attributes,
        }))
    }

    /// COM_STMT_SEND_LONG_DATA has no answer; what is wrong with it shows at the execution.
    fn long_data(&mut self, mut reader: Reader<'_>) -> Result<Decoded, DecodeError> {
        let statement_id = reader.u32("statement")?;
        let index = usize::from(reader.u16("parameter")?);
        let all = self.prepared.values();
        let held: usize = all.map(|prepared| prepared.long_data.bytes()).sum();
        if let Some(prepared) = self.prepared.get_mut(&statement_id)
            && index < prepared.params
            && prepared.refused.is_none()
        {
            let own = prepared.long_data.bytes();
            let added = if held.saturating_add(reader.remaining()) > self.long_data_max {
                Err(
                    match own.saturating_add(reader.remaining()) > self.long_data_max {
                        true => too_large_parameter(),
                        false => out_of_memory(),
                    },
                )
            } else {
                prepared.long_data.add(index, reader.rest())
            };
            if let Err(error) = added {
                prepared.long_data = LongData::default();
                prepared.refused = Some(error);
            }
        }
        Ok(Decoded::Nothing)
    }

    fn close(&mut self, statement_id: u32) -> Command {
        self.prepared.remove(&statement_id);
        Command::StmtClose { statement_id }
    }

    fn reset_statement(&mut self, statement_id: u32) -> Decoded {
        match self.prepared.get_mut(&statement_id) {
            Some(prepared) => {
                prepared.long_data = LongData::default();
                prepared.refused = None;
                Decoded::Command(Command::StmtReset { statement_id })
            }
            None => unknown_statement(statement_id, "mysqld_stmt_reset"),
        }
    }

    fn set_option(&mut self, mut reader: Reader<'_>) -> Result<Decoded, DecodeError> {
        let offset = reader.offset();
        let multi_statements = match reader.u16("option")? {
            0 => true,
            1 => false,
            found => {
                let found = u64::from(found);
                return Err(DecodeError::invalid("option", offset, found, "0 or 1"));
            }
        };
        self.capabilities = match multi_statements {
            true => self.capabilities.with(Capabilities::MULTI_STATEMENTS),
            false => self.capabilities.without(Capabilities::MULTI_STATEMENTS),
        };
        Ok(Decoded::Command(Command::SetOption { multi_statements }))
    }
}

fn field_list(mut reader: Reader<'_>) -> Result<Command, DecodeError> {
    let table = text(reader.nul_terminated("table")?);
    let pattern = text(reader.rest());
    Ok(Command::FieldList {
        table,
        pattern: pattern.trim_end_matches('\0').to_owned(),
    })
}

/// A count of parameters, each of which needs at least a type of two bytes in the packet or one
/// bit of a bitmap: a packet cannot announce more than it could hold.
fn count(reader: &mut Reader<'_>, what: &'static str) -> Result<usize, DecodeError> {
    let offset = reader.offset();
    let count = reader.lenenc(what)?;
    match u16::try_from(count) {
        Ok(count) => Ok(usize::from(count)),
        Err(_) => Err(DecodeError::invalid(what, offset, count, "at most 65535")),
    }
}

fn unknown_statement(statement_id: u32, function: &str) -> Decoded {
    Decoded::Refused(ErrPacket::new(
        1243,
        b"HY000",
        format!("Unknown prepared statement handler ({statement_id}) given to {function}"),
    ))
}

/// For what finds no room beside others.
pub(crate) fn out_of_memory() -> ErrPacket {
    let text = "Out of memory: others take what there is for large packets and parameters";
    ErrPacket::new(1041, b"HY000", text)
}

fn too_large_parameter() -> ErrPacket {
    ErrPacket::new(
        1153,
        b"08S01",
        "Got a packet bigger than 'max_allowed_packet' bytes",
    )
}

#[cfg(test)]
mod tests;
