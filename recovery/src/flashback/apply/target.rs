//! What the target's tables look like, and what there stands against changing them by SQL.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use binlog::row::{Column, Table};
use binlog::schema::{ColumnSnapshot, KeyPart, KeySnapshot, Member, PRIMARY, TableSnapshot};
use inspect::put_text_literal;

use super::{Answer, ApplyOptions, Server};
use crate::flashback::refusal::{Reason, Refusals};
use crate::flashback::tables::TableCount;
use crate::flashback::{FlashbackError, Found};

/// The tables of a log with what a server says of them.
#[derive(Debug, Default)]
pub struct Described {
    /// By the number of the shape.
    shapes: HashMap<u32, Table>,
}

impl Described {
    /// Asks `server` about every table that `found` has rows of.
    ///
    /// # Errors
    /// Tables that are not there or are laid out in another way, triggers, foreign keys of other
    /// tables, as far as `options` do not let them pass.
    pub fn ask(
        server: &mut dyn Server,
        found: &Found,
        options: &ApplyOptions,
    ) -> Result<Self, FlashbackError> {
        let mut refusals = Refusals::new(&BTreeSet::new());
        let mut shapes = HashMap::new();
        let mut known: HashMap<u32, Vec<ServerColumn>> = HashMap::new();
        for (number, (table, name)) in (0..).zip(found.shapes()) {
            let columns = match known.entry(name) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => {
                    let mut ask = Ask {
                        server: &mut *server,
                        table,
                    };
                    let columns = ask.columns()?;
                    ask.obstacles(found, name, options, &mut refusals)?;
                    unknown.insert(columns)
                }
            };
            let mut ask = Ask {
                server: &mut *server,
                table,
            };
            let is_computed = |column: usize| {
                let column = columns.get(column);
                column.is_some_and(|column| column.is_generated)
            };
            if !found.lacking(number).all(is_computed) {
                let table = table.full_name();
                refusals.add(|| "the log".to_owned(), Reason::Image { table });
            }
            match ask.described(columns)? {
                Ok(described) => drop(shapes.insert(number, described)),
                Err(what) => {
                    let reason = Reason::Shape {
                        table: table.full_name(),
                        what,
                    };
                    refusals.add(|| "the target".to_owned(), reason);
                }
            }
        }
        let refused = refusals.finish();
        refused.map_err(|(told, more)| FlashbackError::Refused { told, more })?;
        Ok(Self { shapes })
    }

    /// The table with this number of its shape, as the server knows it.
    #[must_use]
    pub fn table(&self, shape: u32) -> Option<&Table> {
        self.shapes.get(&shape)
    }
}

/// A column as the server tells it.
#[derive(Debug)]
struct ServerColumn {
    name: String,
    declared: String,
    charset: String,
    is_generated: bool,
    is_nullable: bool,
}

struct Ask<'a> {
    server: &'a mut dyn Server,
    table: &'a Table,
}

impl Ask<'_> {
    fn run(&mut self, sql: &str) -> Result<Answer, FlashbackError> {
        self.server
            .run(sql)
            .map_err(|error| FlashbackError::Server {
                doing: format!("asking the target about {}", self.table.full_name()),
                error,
            })
    }

    /// `schema=.. AND name=..` with these columns.
    fn is_table(&self, schema: &str, name: &str) -> String {
        let mut sql = format!("{schema}=").into_bytes();
        put_text_literal(&mut sql, &self.table.map.schema);
        sql.extend_from_slice(format!(" AND {name}=").as_bytes());
        put_text_literal(&mut sql, &self.table.map.table);
        String::from_utf8_lossy(&sql).into_owned()
    }

    fn columns(&mut self) -> Result<Vec<ServerColumn>, FlashbackError> {
        let of = self.is_table("TABLE_SCHEMA", "TABLE_NAME");
        let answer = self.run(&format!(
            "SELECT COLUMN_NAME, COLUMN_TYPE, CHARACTER_SET_NAME, EXTRA, IS_NULLABLE \
             FROM information_schema.COLUMNS WHERE {of} ORDER BY ORDINAL_POSITION"
        ))?;
        let columns = (0..answer.rows.len()).map(|row| {
            let extra = answer.text(row, 3).to_ascii_uppercase();
            ServerColumn {
                name: answer.text(row, 0),
                declared: answer.text(row, 1),
                charset: answer.text(row, 2),
                is_generated: ["VIRTUAL", "STORED", "PERSISTENT"]
                    .iter()
                    .any(|word| extra.contains(word)),
                is_nullable: answer.text(row, 4) == "YES",
            }
        });
        Ok(columns.collect())
    }

    /// Triggers, and foreign keys that change other tables.
    fn obstacles(
        &mut self,
        found: &Found,
        name: u32,
        options: &ApplyOptions,
        refusals: &mut Refusals,
    ) -> Result<(), FlashbackError> {
        let table = self.table.full_name();
        if !options.fire_triggers {
            let of = self.is_table("EVENT_OBJECT_SCHEMA", "EVENT_OBJECT_TABLE");
            let answer = self.run(&format!(
                "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE {of}"
            ))?;
            let names: Vec<String> = (0..answer.rows.len())
                .map(|row| answer.text(row, 0))
                .collect();
            if !names.is_empty() {
                let reason = Reason::Triggers {
                    table: table.clone(),
                    triggers: names.join(", "),
                };
                refusals.add(|| "the target".to_owned(), reason);
            }
        }
        let count = found.plan.tables.get(name as usize);
        // A row that is inserted back leaves the others alone; one that is deleted takes those along
        // that came since.
        let is_told = count.is_some_and(TableCount::tells_children);
        if !options.without_children && !is_told {
            let of = self.is_table("UNIQUE_CONSTRAINT_SCHEMA", "REFERENCED_TABLE_NAME");
            let answer = self.run(&format!(
                "SELECT COUNT(*) FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE {of} \
                 AND (DELETE_RULE NOT IN ('RESTRICT','NO ACTION') \
                 OR UPDATE_RULE NOT IN ('RESTRICT','NO ACTION'))"
            ))?;
            if !["", "0"].contains(&answer.text(0, 0).as_str()) {
                refusals.add(|| "the target".to_owned(), Reason::Children { table });
            }
        }
        Ok(())
    }

    /// The table with what the server says; else in what it differs.
    fn described(
        &mut self,
        columns: &[ServerColumn],
    ) -> Result<Result<Table, String>, FlashbackError> {
        let map = &self.table.map;
        if columns.is_empty() {
            return Ok(Err("there is no such table".to_owned()));
        }
        if columns.len() != map.columns.len() {
            let (there, here) = (columns.len(), map.columns.len());
            return Ok(Err(format!(
                "it has {there} columns there and {here} in the log"
            )));
        }
        for (there, here) in columns.iter().zip(&map.columns) {
            if let Some(name) = here.name.as_deref()
                && name != there.name
            {
                let there = &there.name;
                return Ok(Err(format!(
                    "a column is called {there} there and {name} in the log"
                )));
            }
        }
        let mut snapshots = Vec::with_capacity(columns.len());
        for (there, here) in columns.iter().zip(&map.columns) {
            let collation = self.collation(there, here)?;
            snapshots.push(ColumnSnapshot {
                name: there.name.clone(),
                declared: there.declared.clone(),
                code: here.column_type.0,
                metadata: here.metadata,
                nullable: there.is_nullable,
                unsigned: here
                    .is_numeric()
                    .then(|| there.declared.to_ascii_lowercase().contains("unsigned")),
                collation,
                members: None::<Vec<Member>>,
                visible: here.visible,
                generated: there.is_generated,
            });
        }
        let snapshot = TableSnapshot {
            schema: map.schema.to_string(),
            table: map.table.to_string(),
            columns: snapshots,
            keys: self.primary_key()?,
        };
        let described = Table::described(map.clone(), Some(&snapshot));
        Ok(described.map_err(|error| error.to_string()))
    }

    /// A collation of the column's character set, where the log does not tell.
    fn collation(
        &mut self,
        there: &ServerColumn,
        here: &Column<'_>,
    ) -> Result<Option<u16>, FlashbackError> {
        const BINARY: u16 = 63;
        if here.charset.is_some() {
            return Ok(None);
        }
        if there.charset.is_empty() {
            return Ok(Some(BINARY));
        }
        let mut charset = Vec::new();
        put_text_literal(&mut charset, &there.charset);
        let charset = String::from_utf8_lossy(&charset).into_owned();
        let answer = self.run(&format!(
            "SELECT MIN(ID) FROM information_schema.COLLATIONS WHERE CHARACTER_SET_NAME={charset}"
        ))?;
        Ok(answer.text(0, 0).parse().ok())
    }

    fn primary_key(&mut self) -> Result<Vec<KeySnapshot>, FlashbackError> {
        if self.table.map.primary_key.is_some() {
            return Ok(Vec::new());
        }
        let of = self.is_table("TABLE_SCHEMA", "TABLE_NAME");
        let answer = self.run(&format!(
            "SELECT COLUMN_NAME, SUB_PART FROM information_schema.STATISTICS WHERE {of} \
             AND INDEX_NAME='PRIMARY' ORDER BY SEQ_IN_INDEX"
        ))?;
        let columns: Vec<KeyPart> = (0..answer.rows.len())
            .map(|row| KeyPart {
                column: answer.text(row, 0),
                prefix: answer.text(row, 1).parse().unwrap_or(0),
            })
            .collect();
        if columns.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![KeySnapshot {
            name: PRIMARY.to_owned(),
            columns,
        }])
    }
}
