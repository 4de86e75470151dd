//! Replication and binary log statements, both vocabularies.

use super::refuse;
use crate::ast::{
    BinaryLogPurge, OptionAssignment, ReplicaThreads, Replication, ReplicationFilterRule,
    ReplicationOptionValue, Statement, TablePattern, UntilCondition,
};
use crate::cursor::{Cursor, Parse};
use crate::lexer::Kind;

impl Cursor<'_> {
    pub(super) fn replication(&mut self, verb: &str) -> Parse<Statement> {
        self.advance();
        match verb {
            "CHANGE" => self.change(),
            "START" => self.start_replica(),
            "STOP" => self.stop_replica(),
            "RESET" => self.reset(),
            _ => self.purge(),
        }
    }

    fn change(&mut self) -> Parse<Statement> {
        if self.accept_all(&["REPLICATION", "FILTER"]) {
            let rules = self.list(Self::filter_rule)?;
            return Ok(Statement::Replication(
                Replication::ChangeReplicationFilter {
                    rules,
                    channel: self.channel()?,
                },
            ));
        }
        if !self.accept("MASTER") {
            self.expect("REPLICATION")?;
            self.expect("SOURCE")?;
        }
        self.expect("TO")?;
        let options = self.list(Self::option_assignment)?;
        Ok(Statement::Replication(
            Replication::ChangeReplicationSource {
                options,
                channel: self.channel()?,
            },
        ))
    }

    fn option_assignment(&mut self) -> Parse<OptionAssignment> {
        let name = self.any_word()?.to_ascii_uppercase();
        let name = name.strip_prefix("MASTER_").map_or_else(
            || name.clone(),
            |option| match option {
                "USE_GTID" => "MASTER_USE_GTID".to_owned(),
                option => format!("SOURCE_{option}"),
            },
        );
        self.expect_symbol("=")?;
        Ok(OptionAssignment {
            name,
            value: self.option_value()?,
        })
    }

    fn option_value(&mut self) -> Parse<ReplicationOptionValue> {
        if self.is_symbol("(") {
            return self.server_id_list();
        }
        let negative = self.accept_symbol("-");
        let value = match self.peek() {
            Kind::String(_) => return Ok(ReplicationOptionValue::Text(self.string()?)),
            Kind::Integer(text) | Kind::Decimal(text) | Kind::Float(text) => {
                let sign = if negative { "-" } else { "" };
                ReplicationOptionValue::Number(format!("{sign}{text}"))
            }
            Kind::Word(word) => ReplicationOptionValue::Word((*word).to_owned()),
            Kind::Quoted(name) => ReplicationOptionValue::Text(name.clone().into_owned()),
            _ => return self.unexpected(),
        };
        self.advance();
        if matches!(self.peek(), Kind::UserVariable(_) | Kind::Symbol("@")) {
            // PRIVILEGE_CHECKS_USER = account.
            return refuse("PRIVILEGE_CHECKS_USER");
        }
        Ok(value)
    }

    fn server_id_list(&mut self) -> Parse<ReplicationOptionValue> {
        self.expect_symbol("(")?;
        let mut ids = Vec::new();
        while !self.accept_symbol(")") {
            ids.push(self.integer()?.to_string());
            if !self.is_symbol(")") {
                self.expect_symbol(",")?;
            }
        }
        Ok(ReplicationOptionValue::List(ids))
    }

    fn filter_rule(&mut self) -> Parse<ReplicationFilterRule> {
        use ReplicationFilterRule as Rule;
        let words = [
            "REPLICATE_DO_DB",
            "REPLICATE_IGNORE_DB",
            "REPLICATE_DO_TABLE",
            "REPLICATE_IGNORE_TABLE",
            "REPLICATE_WILD_DO_TABLE",
            "REPLICATE_WILD_IGNORE_TABLE",
            "REPLICATE_REWRITE_DB",
        ];
        let word = self.expect_any(&words)?;
        self.expect_symbol("=")?;
        match word {
            "REPLICATE_DO_DB" => Ok(Rule::DoDb(self.filter_values(Self::identifier)?)),
            "REPLICATE_IGNORE_DB" => Ok(Rule::IgnoreDb(self.filter_values(Self::identifier)?)),
            "REPLICATE_DO_TABLE" => Ok(Rule::DoTable(self.filter_values(Self::filter_table)?)),
            "REPLICATE_IGNORE_TABLE" => {
                Ok(Rule::IgnoreTable(self.filter_values(Self::filter_table)?))
            }
            "REPLICATE_WILD_DO_TABLE" => Ok(Rule::WildDoTable(self.filter_values(Self::string)?)),
            "REPLICATE_WILD_IGNORE_TABLE" => {
                Ok(Rule::WildIgnoreTable(self.filter_values(Self::string)?))
            }
            _ => Ok(Rule::RewriteDb(self.filter_values(Self::filter_pair)?)),
        }
    }

    /// A list in parentheses, which may be empty.
    fn filter_values<T>(&mut self, one: fn(&mut Self) -> Parse<T>) -> Parse<Vec<T>> {
        self.expect_symbol("(")?;
        if self.accept_symbol(")") {
            return Ok(Vec::new());
        }
        let values = self.list(one)?;
        self.expect_symbol(")")?;
        Ok(values)
    }

    fn filter_table(&mut self) -> Parse<TablePattern> {
        let database = self.identifier()?;
        self.expect_symbol(".")?;
        let table = self.identifier()?;
        Ok(TablePattern { database, table })
    }

    fn filter_pair(&mut self) -> Parse<(String, String)> {
        self.expect_symbol("(")?;
        let from = self.identifier()?;
        self.expect_symbol(",")?;
        let to = self.identifier()?;
        self.expect_symbol(")")?;
        Ok((from, to))
    }

    fn start_replica(&mut self) -> Parse<Statement> {
        self.expect_any(&["REPLICA", "SLAVE"])?;
        let threads = self.threads()?;
        let until = if self.accept("UNTIL") {
            Some(self.until()?)
        } else {
            None
        };
        let mut options = Vec::new();
        while ["USER", "PASSWORD", "DEFAULT_AUTH", "PLUGIN_DIR"]
            .iter()
            .any(|w| self.is_word(w))
        {
            options.push(self.option_assignment()?);
        }
        let channel = self.channel()?;
        Ok(Statement::Replication(Replication::StartReplica {
            threads,
            until,
            options,
            channel,
        }))
    }

    fn stop_replica(&mut self) -> Parse<Statement> {
        self.expect_any(&["REPLICA", "SLAVE"])?;
        let threads = self.threads()?;
        Ok(Statement::Replication(Replication::StopReplica {
            threads,
            channel: self.channel()?,
        }))
    }

    fn threads(&mut self) -> Parse<ReplicaThreads> {
        let names = ["IO_THREAD", "SQL_THREAD", "RELAY_THREAD"];
        let mut threads = ReplicaThreads {
            receiver: false,
            applier: false,
        };
        if !names.iter().any(|name| self.is_word(name)) {
            return Ok(ReplicaThreads {
                receiver: true,
                applier: true,
            });
        }
        self.list(|cursor| {
            match cursor.expect_any(&names)? {
                "SQL_THREAD" => threads.applier = true,
                _ => threads.receiver = true,
            }
            Ok(())
        })?;
        Ok(threads)
    }

    fn until(&mut self) -> Parse<UntilCondition> {
        if self.accept("SQL_AFTER_MTS_GAPS") {
            return Ok(UntilCondition::AfterGaps);
        }
        let sets = ["SQL_BEFORE_GTIDS", "SQL_AFTER_GTIDS"];
        if let Some(form) = self.accept_any(&sets) {
            self.expect_symbol("=")?;
            let set = self.string()?;
            return Ok(match form {
                "SQL_BEFORE_GTIDS" => UntilCondition::BeforeGtids(set),
                _ => UntilCondition::AfterGtids(set),
            });
        }
        self.until_place()
    }

    /// File and position of one log, in any order.
    fn until_place(&mut self) -> Parse<UntilCondition> {
        let names = [
            "SOURCE_LOG_FILE",
            "MASTER_LOG_FILE",
            "SOURCE_LOG_POS",
            "MASTER_LOG_POS",
            "RELAY_LOG_FILE",
            "RELAY_LOG_POS",
        ];
        let (mut source, mut relay) = ((None, None), (None, None));
        self.list(|cursor| {
            let name = cursor.expect_any(&names)?;
            cursor.expect_symbol("=")?;
            let place = match name.starts_with("RELAY") {
                true => &mut relay,
                false => &mut source,
            };
            match name.ends_with("FILE") {
                true => place.0 = Some(cursor.string()?),
                false => place.1 = Some(cursor.integer()?),
            }
            Ok(())
        })?;
        Ok(match (source, relay) {
            ((Some(file), Some(offset)), (None, None)) => {
                UntilCondition::SourcePosition(file, offset)
            }
            ((None, None), (Some(file), Some(offset))) => {
                UntilCondition::RelayPosition(file, offset)
            }
            ((Some(_) | None, Some(_) | None), (Some(_) | None, Some(_) | None)) => {
                UntilCondition::Incomplete
            }
        })
    }

    fn reset(&mut self) -> Parse<Statement> {
        if self.accept_any(&["REPLICA", "SLAVE"]).is_some() {
            let all = self.accept("ALL");
            return Ok(Statement::Replication(Replication::ResetReplica {
                all,
                channel: self.channel()?,
            }));
        }
        if self.accept("PERSIST") {
            return self.reset_persist();
        }
        if self.accept_all(&["QUERY", "CACHE"]) {
            return refuse("RESET QUERY CACHE");
        }
        if !self.accept("MASTER") && !self.accept_all(&["BINARY", "LOGS", "AND", "GTIDS"]) {
            return self.unexpected();
        }
        let to = if self.accept("TO") {
            Some(self.integer()?)
        } else {
            None
        };
        Ok(Statement::Replication(Replication::ResetBinaryLogs { to }))
    }

    fn purge(&mut self) -> Parse<Statement> {
        self.expect_any(&["BINARY", "MASTER"])?;
        self.expect("LOGS")?;
        let purge = if self.accept("TO") {
            BinaryLogPurge::To(self.string()?)
        } else {
            self.expect("BEFORE")?;
            BinaryLogPurge::Before(self.expression()?)
        };
        Ok(Statement::Replication(Replication::PurgeBinaryLogs(purge)))
    }
}
