//! What the session knows: variables, the clock, who and where it is.

use super::{Binder, unsupported};
use crate::collation::UTF8MB3_GENERAL_CI;
use crate::expr::node::Node;
use crate::expr::types::{Coercibility, Kind, Type};
use crate::value::datum::Datum;
use crate::value::temporal::{Moment, Span};
use sql::error::SqlError;

impl Binder<'_> {
    /// `@name`, `@@name`, `@@global.name`.
    pub(super) fn variable(&self, name: &str) -> Result<Node, SqlError> {
        let Some(system) = name.strip_prefix("@@") else {
            let key = name.trim_start_matches('@').to_lowercase();
            return Ok(match self.session.user_variables.get(&key) {
                Some(value) => {
                    let _room = self.env.memory.room(value.size().saturating_mul(2))?;
                    self.variable_node(value)
                }
                None => {
                    let mut node = Node::null();
                    node.ty.coercibility = Coercibility::Implicit;
                    node
                }
            });
        };
        let lower = system.to_lowercase();
        let (global, name) = match lower.split_once('.') {
            Some(("global", name)) => (true, name),
            Some(("session" | "local", name)) => (false, name),
            Some(("persist" | "persist_only", _)) => return unsupported("@@persist"),
            Some(_) => return unsupported("structured system variables"),
            None => (false, lower.as_str()),
        };
        let value = self.session.system_variables.value(name, global);
        let value = value.ok_or_else(|| SqlError::unknown_system_variable(name))?;
        let mut node = self.variable_node(&value.into());
        node.ty.coercibility = Coercibility::System;
        match node.ty.kind {
            Kind::Text => node.ty.length = 21_845,
            Kind::Integer => node.ty.length = 21,
            _ => {}
        }
        node.ty.nullable = true;
        Ok(node)
    }

    /// Functions that may be written without parentheses.
    pub(super) fn bare_word(&self, name: &str) -> Result<Option<Node>, SqlError> {
        let lower = name.to_ascii_lowercase();
        Ok(match lower.as_str() {
            "current_date" | "current_time" | "current_timestamp" | "localtime"
            | "localtimestamp" | "utc_date" | "utc_time" | "utc_timestamp" | "current_user" => {
                self.session_function(&lower, &[])?
            }
            _ => None,
        })
    }

    /// A function whose value the session knows; `None` when `name` is none of them.
    pub(super) fn session_function(
        &self,
        name: &str,
        args: &[Node],
    ) -> Result<Option<Node>, SqlError> {
        let none = |node: Node| {
            if args.is_empty() {
                Ok(Some(node))
            } else {
                Err(SqlError::wrong_paramcount_to_native_fct(name))
            }
        };
        Ok(match name {
            "now" | "current_timestamp" | "localtime" | "localtimestamp" | "sysdate" => {
                let fsp = fraction(args, name)?;
                Some(moment(self.env.now, fsp))
            }
            "utc_timestamp" => {
                let fsp = fraction(args, name)?;
                Some(moment(self.utc_now(), fsp))
            }
            "curdate" | "current_date" => {
                return none(Node::constant(
                    Datum::Date(self.env.now.midnight()),
                    Type::date(),
                ));
            }
            "utc_date" => {
                return none(Node::constant(
                    Datum::Date(self.utc_now().midnight()),
                    Type::date(),
                ));
            }
            "curtime" | "current_time" => Some(time(self.env.now, fraction(args, name)?)),
            "utc_time" => Some(time(self.utc_now(), fraction(args, name)?)),
            "unix_timestamp" if args.is_empty() => {
                let seconds = self.env.now_micros.div_euclid(1_000_000);
                Some(Node::constant(Datum::Int(seconds), Type::integer(21)))
            }
            _ => return self.info_function(name, args),
        })
    }

    /// Who and where the session is, and what its last statement left.
    fn info_function(&self, name: &str, args: &[Node]) -> Result<Option<Node>, SqlError> {
        let session = self.session;
        let none = |node: Node| match args {
            [] => Ok(Some(node)),
            _ => Err(SqlError::wrong_paramcount_to_native_fct(name)),
        };
        Ok(match name {
            "database" | "schema" => {
                return none(match &session.database {
                    Some(name) => self.info(name, 64),
                    None => Node {
                        ty: self.info("", 64).ty.with_null(true),
                        ..Node::null()
                    },
                });
            }
            "user" | "session_user" | "system_user" => {
                return none(self.info(&format!("{}@{}", session.user, session.host), 288));
            }
            "current_user" => return none(self.info(&session.current_user, 288)),
            "connection_id" => {
                return none(Node::constant(
                    Datum::UInt(session.connection_id),
                    Type::unsigned(21),
                ));
            }
            "version" => {
                let variable = session.system_variables.value("version", true);
                let version = variable.unwrap_or(Datum::Null);
                return none(self.info(&version.to_str(), 60));
            }
            "last_insert_id" if args.is_empty() => Some(Node::constant(
                Datum::UInt(session.last_insert_id),
                Type::unsigned(21),
            )),
            "row_count" => {
                return none(Node::constant(
                    Datum::Int(session.row_count),
                    Type::integer(21),
                ));
            }
            "found_rows" => {
                let rows = i64::try_from(session.found_rows).unwrap_or(i64::MAX);
                return none(Node::constant(Datum::Int(rows), Type::integer(21)));
            }
            _ => None,
        })
    }

    /// The statement's time in UTC.
    fn utc_now(&self) -> Moment {
        Moment::from_epoch_micros(self.env.now_micros).unwrap_or_default()
    }

    fn info(&self, text: &str, length: u32) -> Node {
        let ty = Type::text(length, &UTF8MB3_GENERAL_CI, Coercibility::System);
        Node::constant(Datum::text(text), ty)
    }
}

fn fraction(args: &[Node], name: &str) -> Result<u8, SqlError> {
    match args {
        [] => Ok(0),
        [only] => {
            let digits = only
                .as_const()
                .map(|value| value.to_integer().value.saturate());
            match digits.and_then(|digits| u8::try_from(digits).ok()) {
                Some(digits) if digits <= 6 => Ok(digits),
                _ => Err(SqlError::too_big_precision(digits.unwrap_or(0), name, 6)),
            }
        }
        _ => Err(SqlError::wrong_paramcount_to_native_fct(name)),
    }
}

fn moment(value: Moment, fsp: u8) -> Node {
    Node::constant(
        Datum::DateTime(value.truncate(fsp), fsp),
        Type::datetime(fsp),
    )
}

fn time(value: Moment, fsp: u8) -> Node {
    let span = Span(value.truncate(fsp).time_of_day());
    let mut ty = Type::time(fsp);
    ty.length = 8 + if fsp > 0 { 1 + u32::from(fsp) } else { 0 };
    Node::constant(Datum::Time(span, fsp), ty)
}
