//! What the target's tables look like, and what there stands against changing them by SQL.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use binlog::row::Table;
use inspect::declared::{DeclaredTable, SERVER_COLUMNS};
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
        let mut known: HashMap<u32, DeclaredTable> = HashMap::new();
        let is_mariadb = is_mariadb(server)?;
        for (number, (table, name)) in (0..).zip(found.shapes()) {
            let declared = match known.entry(name) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => {
                    let mut ask = Ask {
                        server: &mut *server,
                        table,
                    };
                    let declared = ask.declared(is_mariadb)?;
                    ask.obstacles(found, name, options, &mut refusals)?;
                    unknown.insert(declared)
                }
            };
            let is_computed = |column| declared.is_generated(column);
            if !found.lacking(number).all(is_computed) {
                let table = table.full_name();
                refusals.add(|| "the log".to_owned(), Reason::Image { table });
            }
            match described(table, declared) {
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

    /// How it is declared; without columns if it is not there.
    fn declared(&mut self, is_mariadb: bool) -> Result<DeclaredTable, FlashbackError> {
        let of = self.is_table("TABLE_SCHEMA", "TABLE_NAME");
        let mut declared = DeclaredTable::default();
        let answer = self.run(&format!(
            "SELECT {SERVER_COLUMNS} FROM information_schema.COLUMNS WHERE {of} \
             ORDER BY ORDINAL_POSITION"
        ))?;
        for row in 0..answer.rows.len() {
            let cells: [String; 5] = std::array::from_fn(|column| answer.text(row, column));
            declared.add_column(cells.each_ref().map(String::as_str), is_mariadb);
        }
        let answer = self.run(&format!(
            "SELECT COLUMN_NAME, SUB_PART FROM information_schema.STATISTICS WHERE {of} \
             AND INDEX_NAME='PRIMARY' ORDER BY SEQ_IN_INDEX"
        ))?;
        for row in 0..answer.rows.len() {
            let prefix = answer.text(row, 1).parse().unwrap_or(0);
            declared.add_key_part(&answer.text(row, 0), prefix);
        }
        Ok(declared)
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
}

/// Whose types the server's are.
fn is_mariadb(server: &mut dyn Server) -> Result<bool, FlashbackError> {
    let answer = server.run("SELECT VERSION()");
    let answer = answer.map_err(|error| FlashbackError::Server {
        doing: "asking the target for its version".to_owned(),
        error,
    })?;
    let version = answer.text(0, 0).to_ascii_lowercase();
    Ok(version.contains("mariadb"))
}

/// The table with what the server says; else in what it differs.
fn described(table: &Table, declared: &DeclaredTable) -> Result<Table, String> {
    let map = &table.map;
    if let Some(difference) = declared.difference(map, "there") {
        return Err(match declared.is_empty() {
            true => "there is no such table".to_owned(),
            false => format!("it {difference}"),
        });
    }
    let described = Table::described(map.clone(), declared.snapshot(map).as_ref());
    described.map_err(|error| error.to_string())
}
