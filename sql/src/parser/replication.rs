//! Replication and binary log statements, both vocabularies.

use super::refuse;
use crate::ast::{
    BinaryLogPurge, OptionAssignment, ReplicaThreads, Replication, ReplicationFilterRule,
    ReplicationOptionValue, Statement, UntilCondition,
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
        let name = self.any_word()?.to_ascii_uppercase();
        self.expect_symbol("=")?;
        self.expect_symbol("(")?;
        let mut values = Vec::new();
        while !self.accept_symbol(")") {
            if self.accept_symbol("(") {
                values.push(self.filter_name()?);
                self.expect_symbol(",")?;
                values.push(self.filter_name()?);
                self.expect_symbol(")")?;
            } else {
                values.push(self.filter_name()?);
            }
            if !self.is_symbol(")") {
                self.expect_symbol(",")?;
            }
        }
        Ok(ReplicationFilterRule { name, values })
    }

    fn filter_name(&mut self) -> Parse<String> {
        if matches!(self.peek(), Kind::String(_)) {
            return self.string();
        }
        let first = self.identifier()?;
        if self.accept_symbol(".") {
            return Ok(format!("{first}.{}", self.any_word()?));
        }
        Ok(first)
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
        let first = self.option_assignment()?;
        let text = match first.value {
            ReplicationOptionValue::Text(text) => text,
            _ => return self.unexpected(),
        };
        match first.name.as_str() {
            "SQL_BEFORE_GTIDS" => return Ok(UntilCondition::BeforeGtids(text)),
            "SQL_AFTER_GTIDS" => return Ok(UntilCondition::AfterGtids(text)),
            _ => {}
        }
        self.expect_symbol(",")?;
        let second = self.option_assignment()?;
        let position = match &second.value {
            ReplicationOptionValue::Number(digits) => digits.parse().ok(),
            _ => None,
        };
        match (first.name.as_str(), second.name.as_str(), position) {
            ("SOURCE_LOG_FILE", "SOURCE_LOG_POS", Some(position)) => {
                Ok(UntilCondition::SourcePosition(text, position))
            }
            ("RELAY_LOG_FILE", "RELAY_LOG_POS", Some(position)) => {
                Ok(UntilCondition::RelayPosition(text, position))
            }
            _ => self.unexpected(),
        }
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
