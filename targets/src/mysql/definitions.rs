//! What a server says of the keys of its tables.

use std::collections::HashMap;

use inspect::declared::{DeclaredTable, SERVER_COLUMNS};
use protocol::client::{ClientOptions, QueryResult};

use super::lane_rule::has_periods;
use super::pipe::Pipe;
use super::questions::{cell, literal};
use crate::TargetError;
use crate::keys::{Definitions, ForeignKey, KeyColumn, KeyPart, TableKeys, UniqueKey};

/// The definitions of a server's tables, asked for over a connection of their own.
pub(super) struct ServerDefinitions {
    client: ClientOptions,
    is_mariadb: bool,
    pipe: Option<Pipe>,
    /// All foreign keys, once somebody asked: those that name a table are found in no other way.
    relations: Option<Vec<Relation>>,
}

/// A foreign key by names.
#[derive(Debug, Clone, Default)]
struct Relation {
    name: [String; 3],
    child: (String, String),
    parent: (String, String),
    columns: Vec<String>,
    referenced: Vec<String>,
    acts_on_delete: bool,
    acts_on_update: bool,
}

type Row = Vec<Option<Vec<u8>>>;

fn rows_of(pipe: &mut Pipe, sql: &str) -> Result<Vec<Row>, TargetError> {
    Ok(match pipe.ask(sql)? {
        QueryResult::Ok(_) => Vec::new(),
        QueryResult::Rows { rows, .. } => rows,
    })
}

/// Names are the same in either case: servers differ in that, and so may the two sides.
fn is_same(one: &(String, String), other: &(String, String)) -> bool {
    let lower = |name: &(String, String)| (name.0.to_lowercase(), name.1.to_lowercase());
    lower(one) == lower(other)
}

impl ServerDefinitions {
    pub(super) const fn new(client: ClientOptions, is_mariadb: bool) -> Self {
        Self {
            client,
            is_mariadb,
            pipe: None,
            relations: None,
        }
    }

    fn ask(
        &mut self,
        pipe: &mut Pipe,
        database: &str,
        table: &str,
    ) -> Result<Option<TableKeys>, TargetError> {
        let whose = format!(
            "TABLE_SCHEMA = {} AND TABLE_NAME = {}",
            literal(database),
            literal(table)
        );
        let sql = format!("SELECT TABLE_TYPE, ENGINE FROM information_schema.TABLES WHERE {whose}");
        let kind = rows_of(pipe, &sql)?;
        let Some(kind) = kind.first() else {
            return Ok(None);
        };
        let is_plain = cell(kind, 0) == "BASE TABLE" && cell(kind, 1) == "InnoDB";
        let (names, mut keys) = columns(pipe, &whose, self.is_mariadb)?;
        unique_keys(pipe, &whose, &names, &mut keys)?;
        // Such keys keep apart what is not equal.
        if self.is_mariadb && is_plain && has_periods(pipe, database, table)? {
            keys.unique.iter_mut().for_each(|key| key.is_of_more = true);
        }
        let triggers = format!(
            "SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = {} AND \
             EVENT_OBJECT_TABLE = {}",
            literal(database),
            literal(table)
        );
        let has_triggers = pipe.scalar(&triggers)?.as_deref() != Some("0");
        keys.is_unbounded = !is_plain || has_triggers;
        let relations = match self.relations.take() {
            Some(relations) => relations,
            None => relations(pipe)?,
        };
        let own = (database.to_owned(), table.to_owned());
        for relation in &relations {
            if is_same(&relation.child, &own) {
                let foreign = relation.seen(&relation.columns, &names);
                add(&mut keys.foreign, &mut keys.is_unbounded, foreign);
            }
            if is_same(&relation.parent, &own) {
                let referring = relation.seen(&relation.referenced, &names);
                add(&mut keys.referring, &mut keys.is_unbounded, referring);
            }
        }
        self.relations = Some(relations);
        Ok(Some(keys))
    }
}

impl Definitions for ServerDefinitions {
    fn keys(&mut self, database: &str, table: &str) -> Result<Option<TableKeys>, TargetError> {
        if let Some(mut pipe) = self.pipe.take() {
            let keys = self.ask(&mut pipe, database, table);
            if !pipe.is_lost() {
                self.pipe = Some(pipe);
                return keys;
            }
        }
        let mut pipe = Pipe::connect(&self.client)?;
        pipe.ask(super::AUTOCOMMIT)?;
        let keys = self.ask(&mut pipe, database, table);
        self.pipe = (!pipe.is_lost()).then_some(pipe);
        keys
    }

    fn forget(&mut self) {
        self.relations = None;
    }
}

fn add(list: &mut Vec<ForeignKey>, is_unbounded: &mut bool, found: Option<ForeignKey>) {
    match found {
        Some(found) => list.push(found),
        None => *is_unbounded = true,
    }
}

impl Relation {
    /// As the table sees it that has these columns; `None` if it lacks one.
    fn seen(&self, own: &[String], names: &HashMap<String, usize>) -> Option<ForeignKey> {
        let place = |name: &String| names.get(&name.to_lowercase()).copied();
        Some(ForeignKey {
            parent: self.parent.clone(),
            referenced: self.referenced.clone(),
            columns: own.iter().map(place).collect::<Option<_>>()?,
            acts_on_delete: self.acts_on_delete,
            acts_on_update: self.acts_on_update,
        })
    }
}

/// The columns of a table, and their places by names in small letters.
fn columns(
    pipe: &mut Pipe,
    whose: &str,
    is_mariadb: bool,
) -> Result<(HashMap<String, usize>, TableKeys), TargetError> {
    let sql = format!(
        "SELECT {SERVER_COLUMNS}, COLLATION_NAME FROM information_schema.COLUMNS WHERE \
         {whose} ORDER BY ORDINAL_POSITION"
    );
    let mut declared = DeclaredTable::default();
    let mut names = HashMap::new();
    let mut keys = TableKeys::default();
    for (place, row) in rows_of(pipe, &sql)?.iter().enumerate() {
        let cells: [String; 5] = std::array::from_fn(|at| cell(row, at));
        declared.add_column(cells.each_ref().map(String::as_str), is_mariadb);
        // MariaDB has MySQL's names for collations of its own.
        let collation = match is_mariadb {
            true => cell(row, 5).replace("_0900_", "_uca1400_nopad_"),
            false => cell(row, 5),
        };
        names.insert(cells[0].to_lowercase(), place);
        keys.columns.push(KeyColumn {
            collation: (!collation.is_empty()).then_some(collation),
            is_nullable: cells[4] == "YES",
            is_generated: declared.is_generated(place),
        });
    }
    keys.declared = Some(declared);
    Ok((names, keys))
}

fn unique_keys(
    pipe: &mut Pipe,
    whose: &str,
    names: &HashMap<String, usize>,
    keys: &mut TableKeys,
) -> Result<(), TargetError> {
    let sql = format!(
        "SELECT INDEX_NAME, COLUMN_NAME, SUB_PART, INDEX_TYPE FROM information_schema.STATISTICS WHERE \
         {whose} AND NON_UNIQUE = 0 ORDER BY INDEX_NAME = 'PRIMARY' DESC, INDEX_NAME, SEQ_IN_INDEX"
    );
    for row in rows_of(pipe, &sql)? {
        let name = cell(&row, 0);
        if keys.unique.last().is_none_or(|key| key.name != name) {
            keys.unique.push(UniqueKey {
                name,
                ..UniqueKey::default()
            });
        }
        let Some(key) = keys.unique.last_mut() else {
            continue;
        };
        let prefix = cell(&row, 2);
        let is_known = prefix.is_empty() || prefix.parse::<usize>().is_ok();
        match names.get(&cell(&row, 1).to_lowercase()) {
            Some(&column) if is_known => key.parts.push(KeyPart {
                column,
                prefix: prefix.parse().ok(),
            }),
            // An expression.
            Some(_) | None => key.is_of_more = true,
        }
        key.is_of_more |= !["BTREE", "HASH"].contains(&cell(&row, 3).as_str());
    }
    Ok(())
}

/// All foreign keys of the server.
fn relations(pipe: &mut Pipe) -> Result<Vec<Relation>, TargetError> {
    let sql = "SELECT CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, UPDATE_RULE, DELETE_RULE FROM \
               information_schema.REFERENTIAL_CONSTRAINTS";
    let name_of = |row: &Row| [0, 1, 2].map(|at| cell(row, at).to_lowercase());
    let mut rules = HashMap::new();
    for row in rows_of(pipe, sql)? {
        rules.insert(name_of(&row), [3, 4].map(|at| cell(&row, at)));
    }
    let sql = "SELECT CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, TABLE_SCHEMA, COLUMN_NAME, \
               REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME FROM \
               information_schema.KEY_COLUMN_USAGE WHERE REFERENCED_TABLE_NAME IS NOT NULL ORDER BY \
               CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION";
    let mut relations: Vec<Relation> = Vec::new();
    for row in rows_of(pipe, sql)? {
        let name = name_of(&row);
        if relations.last().is_none_or(|last| last.name != name) {
            let acts = |at: usize| {
                let rule = rules.get(&name).and_then(|rules| rules.get(at));
                !rule.is_some_and(|rule| ["RESTRICT", "NO ACTION"].contains(&rule.as_str()))
            };
            relations.push(Relation {
                acts_on_update: acts(0),
                acts_on_delete: acts(1),
                name,
                child: (cell(&row, 3), cell(&row, 1)),
                parent: (cell(&row, 5), cell(&row, 6)),
                ..Relation::default()
            });
        }
        if let Some(relation) = relations.last_mut() {
            relation.columns.push(cell(&row, 4));
            relation.referenced.push(cell(&row, 7));
        }
    }
    Ok(relations)
}
