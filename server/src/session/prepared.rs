//! Prepared statements of the binary protocol, and parameters of both kinds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use binlog::value::{Date, DateTime, Time, Value};
use engine::collation::Charset;
use engine::outcome::Outcome;
use protocol::{ColumnDefinition, DateTimeParts, Param, TimeParts, column_flag, column_type};
use sql::ast::{Admin, Ddl, MaintenanceKind, Query, Replication, SetItem, Show, Transaction};
use sql::error::SqlError;
use sql::{ParseOptions, Parsed, Statement};

use super::statement::{at_leisure, during};
use super::{Session, packet};
use crate::appetite::{self, Portion};
use crate::result::{self, RowFormat};
use crate::shelf::{self, Kept};

/// A statement that was prepared, by the protocol or by PREPARE.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    form: Form,
    counted: Arc<Counted>,
}

/// What is kept of a prepared statement.
#[derive(Debug, Clone)]
enum Form {
    Tree(Arc<Parsed>),
    /// To be read again, as it was read.
    Text(Arc<[u8]>, ParseOptions),
}

/// One of the prepared statements that `max_prepared_stmt_count` limits, and its memory.
#[derive(Debug)]
pub(super) struct Counted {
    count: Arc<AtomicU64>,
    /// The current database when it was prepared, which its names are of.
    database: Option<String>,
    _kept: Kept,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Session {
    /// Counts a statement in and keeps it, or refuses it.
    pub(super) fn keep_prepared(&self, parsed: Parsed) -> Result<Prepared, SqlError> {
        let (text, words) = (parsed.text.len(), parsed.words);
        let kept = shelf::keep(&self.node.shelf, &self.shelf, text, words)?;
        let limit = self.node.variables.number("max_prepared_stmt_count");
        let count = &self.node.prepared;
        let counted = count.fetch_update(Ordering::AcqRel, Ordering::Acquire, |count| {
            (count < limit).then(|| count.saturating_add(1))
        });
        if counted.is_ok() {
            let form = match kept.has_tree() {
                true => Form::Tree(Arc::new(parsed)),
                false => {
                    let options = self.node.parse_options(parsed.sql_mode, &self.context);
                    Form::Text(parsed.text.into(), options)
                }
            };
            let counted = Counted {
                count: Arc::clone(count),
                database: self.context.database.clone(),
                _kept: kept,
            };
            return Ok(Prepared {
                form,
                counted: Arc::new(counted),
            });
        }
        let text = format!(
            "Can't create more than max_prepared_stmt_count statements (current value: {limit})"
        );
        Err(SqlError::new(1461, "42000", text))
    }

    /// The tree of a prepared statement, and what it takes if it was read for the while.
    pub(super) async fn tree(
        &mut self,
        prepared: &Prepared,
    ) -> Result<(Arc<Parsed>, Option<Portion>), SqlError> {
        let (text, options) = match &prepared.form {
            Form::Tree(parsed) => return Ok((Arc::clone(parsed), None)),
            Form::Text(text, options) => (text, *options),
        };
        let mut portion = self.portion(text, &options).await?;
        let parsed = at_leisure(text, || sql::parse(text, &options))?;
        if let Some(portion) = &mut portion {
            portion.settle(text.len(), parsed.words, parsed.statement.is_select());
        }
        Ok((Arc::new(parsed), portion))
    }

    /// Makes the database that a statement was prepared in the current one, and gives the one that was.
    pub(super) fn enter_database(&mut self, prepared: &Prepared) -> Option<String> {
        let database = prepared.counted.database.clone();
        std::mem::replace(&mut self.context.database, database)
    }

    /// Makes the database current again that was before a prepared statement ran, unless that has
    /// dropped it.
    pub(super) fn return_to_database(
        &mut self,
        left: Option<String>,
        statement: &Statement,
        has_succeeded: bool,
    ) {
        let dropped = match statement {
            Statement::Ddl(Ddl::DropDatabase { name, .. }) if has_succeeded => Some(name),
            _ => None,
        };
        self.context.database = left.filter(|left| Some(left) != dropped);
    }

    pub(super) async fn stmt_prepare(&mut self, sql: &[u8]) {
        let options = self
            .node
            .parse_options(self.context.sql_mode, &self.context);
        let prepared = match self.portion(sql, &options).await {
            Ok(_portion) => at_leisure(sql, || self.prepare(sql)),
            Err(error) => Err(error),
        };
        match prepared {
            Ok((id, params, columns)) => {
                let warnings = 0;
                self.connection
                    .send_prepare_ok(id, &params, &columns, warnings);
            }
            Err(error) => {
                self.refuse(&error);
                self.connection.send_err(&packet(&error));
            }
        }
    }

    fn prepare(
        &mut self,
        sql: &[u8],
    ) -> Result<(u32, Vec<ColumnDefinition>, Vec<ColumnDefinition>), SqlError> {
        let sql = self.decoded(sql)?.into_owned();
        self.begin_statement(&sql);
        self.node.count("stmt_prepare");
        let options = self
            .node
            .parse_options(self.context.sql_mode, &self.context);
        let parsed = Arc::new(sql::parse(&sql, &options)?);
        check(&parsed.statement)?;
        if is_checked(&parsed.statement) {
            self.check_privileges(&parsed)?;
        }
        let columns = self.result_columns(&parsed)?;
        let params = vec![parameter_definition(); parsed.parameters];
        let parsed = Arc::unwrap_or_clone(parsed);
        let prepared = self.keep_prepared(parsed)?;
        let id = self.next_statement;
        self.next_statement = id.checked_add(1).unwrap_or(1);
        self.prepared.insert(id, prepared);
        Ok((id, params, columns))
    }

    /// The columns that executing a SELECT would give.
    fn result_columns(&mut self, parsed: &Arc<Parsed>) -> Result<Vec<ColumnDefinition>, SqlError> {
        if !parsed.statement.is_select() {
            return Ok(Vec::new());
        }
        let columns = self.describe_query(parsed)?;
        let charset = self.context.character_set_results;
        Ok(columns
            .iter()
            .map(|column| result::definition(column, charset))
            .collect())
    }

    pub(super) async fn stmt_execute(
        &mut self,
        id: u32,
        params: Vec<Param>,
    ) -> Result<(), protocol::Error> {
        let Some(prepared) = self.prepared.get(&id).cloned() else {
            let error = SqlError::unknown_stmt_handler(id, "mysqld_stmt_execute");
            self.refuse(&error);
            return self.answer(Err(error), RowFormat::Binary, false).await;
        };
        let parameters = params
            .into_iter()
            .map(|param| self.parameter(param))
            .collect();
        self.format = RowFormat::Binary;
        let result = match parameters {
            Ok(parameters) => self.execute_prepared(&prepared, parameters).await,
            Err(error) => {
                self.refuse(&error);
                Err(error)
            }
        };
        self.answer(result, RowFormat::Binary, false).await
    }

    async fn execute_prepared(
        &mut self,
        prepared: &Prepared,
        parameters: Vec<Value<'static>>,
    ) -> Result<Outcome, SqlError> {
        let bytes = parameters.iter().map(size).sum();
        let given = match appetite::asks(bytes) {
            true => {
                let needed = appetite::needed_by_parameters(bytes);
                self.portion_of(needed).await
            }
            false => Ok(None),
        };
        let read = match given {
            Ok(given) => self.tree(prepared).await.map(|read| (given, read)),
            Err(error) => Err(error),
        };
        let (given, (parsed, portion)) = read.inspect_err(|error| self.refuse(error))?;
        let left = self.enter_database(prepared);
        let run = self.statement(Arc::clone(&parsed), parameters);
        let result = during(given, during(portion, run)).await;
        self.return_to_database(left, &parsed.statement, result.is_ok());
        result
    }

    /// A moment with an offset is shown by the session's clock.
    // Differs from MySQL: text, numbers and YEAR get this moment too, where MySQL has other values.
    fn local_moment(&self, parts: DateTimeParts) -> Result<DateTime, SqlError> {
        let written = moment(parts);
        let Some(offset) = parts.offset else {
            return Ok(written);
        };
        let day = engine::value::temporal::Moment::from(written);
        let seconds = day.epoch_seconds() - i64::from(offset) * 60;
        let zone = &self.context.time_zone;
        let local = zone.local_at(seconds, written.micros);
        local
            .map(DateTime::from)
            .ok_or_else(|| SqlError::data_out_of_range("DATETIME", "set_parameter_value"))
    }

    fn parameter(&self, param: Param) -> Result<Value<'static>, SqlError> {
        Ok(match param {
            Param::Null => Value::Null,
            Param::Int(value) => Value::Int(value),
            Param::UInt(value) => Value::UInt(value),
            Param::Float(value) => Value::Double(f64::from(value)),
            Param::Double(value) => Value::Double(value),
            Param::Text(text)
                if self.context.character_set_client == Charset::Ascii && !text.is_ascii() =>
            {
                let wrong = text.iter().position(|byte| !byte.is_ascii());
                let wrong = wrong.and_then(|at| text.get(at..)).unwrap_or_default();
                return Err(SqlError::invalid_ascii(wrong));
            }
            Param::Text(text) => Value::Bytes(self.decoded_text(&text)?.into_owned().into()),
            Param::Bytes(bytes) => Value::Bytes(bytes.into()),
            Param::Decimal(text) => {
                let number = std::str::from_utf8(&text)
                    .ok()
                    .and_then(|text| text.parse().ok());
                number.map_or_else(|| Value::Bytes(text.into()), Value::Decimal)
            }
            Param::Date(parts) => {
                check_moment("DATE", parts)?;
                Value::Date(date(parts))
            }
            Param::DateTime(parts) => {
                check_moment("DATETIME", parts)?;
                Value::DateTime(self.local_moment(parts)?)
            }
            Param::Time(parts) => Value::Time(span(parts)?),
        })
    }
}

/// Bytes of a parameter that grow with it.
fn size(parameter: &Value<'_>) -> usize {
    match parameter {
        Value::Bytes(bytes) | Value::Json(bytes) | Value::JsonDiffs(bytes) => bytes.len(),
        Value::Null
        | Value::Int(_)
        | Value::UInt(_)
        | Value::Float(_)
        | Value::Double(_)
        | Value::Decimal(_)
        | Value::Year(_)
        | Value::Date(_)
        | Value::Time(_)
        | Value::DateTime(_)
        | Value::Timestamp(_)
        | Value::Enum(_)
        | Value::Set(_)
        | Value::Bit(_) => 0,
    }
}

/// Error 1690 for what is no date and time, though a day may be too great for its month.
fn check_moment(kind: &'static str, parts: DateTimeParts) -> Result<(), SqlError> {
    let is_date = parts.year <= 9999 && parts.month <= 12 && parts.day <= 31;
    let is_time = parts.hour <= 23 && parts.minute <= 59 && parts.second <= 59;
    match is_date && is_time && parts.micros <= 999_999 {
        true => Ok(()),
        false => Err(SqlError::data_out_of_range(kind, "set_parameter_value")),
    }
}

/// Statements that cannot be prepared: MySQL's list.
pub(super) fn check(statement: &Statement) -> Result<(), SqlError> {
    let can_be_prepared = match statement {
        Statement::Prepared(_) => false,
        Statement::Empty => return Err(SqlError::empty_query()),
        Statement::NotSupported { construct, .. } => {
            return Err(SqlError::not_supported(construct));
        }
        Statement::Ddl(ddl) => !matches!(ddl, Ddl::AlterDatabase { .. }),
        Statement::Query(Query::Show(show)) => {
            !matches!(**show, Show::Warnings { .. } | Show::Errors { .. })
        }
        Statement::Transaction(transaction) => match transaction {
            Transaction::Commit { .. } | Transaction::Rollback { .. } => true,
            Transaction::Begin { .. }
            | Transaction::Savepoint(_)
            | Transaction::RollbackToSavepoint(_)
            | Transaction::ReleaseSavepoint(_)
            | Transaction::LockTables(_)
            | Transaction::UnlockTables => false,
        },
        Statement::Replication(replication) => {
            !matches!(replication, Replication::PurgeBinaryLogs(_))
        }
        Statement::Admin(admin) => match admin {
            Admin::Use(_) | Admin::Help(_) | Admin::Shutdown => false,
            Admin::Maintenance { kind, .. } => !matches!(kind, MaintenanceKind::Check),
            Admin::Set(_) | Admin::ResetPersist { .. } | Admin::Kill { .. } | Admin::Flush(_) => {
                true
            }
        },
        Statement::Write(_) | Statement::Query(_) | Statement::Account(_) => true,
    };
    match can_be_prepared {
        true => Ok(()),
        false => {
            let text = "This command is not supported in the prepared statement protocol yet";
            Err(SqlError::new(1295, "HY000", text))
        }
    }
}

/// Whether the privileges for a statement are asked for when it is prepared, as in MySQL: where its
/// tables are opened then. They are asked for again whenever it runs.
pub(super) fn is_checked(statement: &Statement) -> bool {
    match statement {
        Statement::Write(_) => true,
        Statement::Query(query) => match query {
            Query::Select(_) | Query::Do(_) | Query::Describe { .. } | Query::Explain { .. } => {
                true
            }
            Query::Show(show) => !matches!(**show, Show::Create(_) | Show::Grants { .. }),
        },
        Statement::Ddl(ddl) => matches!(ddl, Ddl::CreateTable(_)),
        Statement::Admin(admin) => match admin {
            Admin::Set(items) => items
                .iter()
                .all(|item| matches!(item, SetItem::User { .. })),
            Admin::ResetPersist { .. }
            | Admin::Use(_)
            | Admin::Help(_)
            | Admin::Kill { .. }
            | Admin::Flush(_)
            | Admin::Maintenance { .. }
            | Admin::Shutdown => false,
        },
        Statement::Empty
        | Statement::Transaction(_)
        | Statement::Account(_)
        | Statement::Replication(_)
        | Statement::Prepared(_)
        | Statement::NotSupported { .. } => false,
    }
}

/// MySQL announces every parameter so.
fn parameter_definition() -> ColumnDefinition {
    ColumnDefinition {
        name: "?".to_owned(),
        charset: 63,
        column_type: column_type::VAR_STRING,
        flags: column_flag::BINARY,
        ..ColumnDefinition::default()
    }
}

const fn date(parts: DateTimeParts) -> Date {
    Date {
        year: parts.year,
        month: parts.month,
        day: parts.day,
    }
}

const fn moment(parts: DateTimeParts) -> DateTime {
    DateTime {
        year: parts.year,
        month: parts.month,
        day: parts.day,
        hour: parts.hour,
        minute: parts.minute,
        second: parts.second,
        micros: parts.micros,
    }
}

/// Error 1690 for a time that no TIME holds.
fn span(parts: TimeParts) -> Result<Time, SqlError> {
    let hours = parts
        .days
        .saturating_mul(24)
        .saturating_add(u32::from(parts.hour));
    let time = Time {
        negative: parts.is_negative,
        hours: u16::try_from(hours).unwrap_or(u16::MAX),
        minutes: parts.minute,
        seconds: parts.second,
        micros: parts.micros,
    };
    let is_time = time.minutes <= 59 && time.seconds <= 59 && time.micros <= 999_999;
    // The last hour has no fractions, as 9.7 has it.
    if !is_time || (time.hours, time.micros) > (838, 0) {
        return Err(SqlError::data_out_of_range("TIME", "set_parameter_value"));
    }
    Ok(time)
}
