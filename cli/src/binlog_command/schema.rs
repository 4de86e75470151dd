//! `--schema`: what a server, a dump or a file of CREATE TABLE statements says of the tables of a log.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use binlog::event::Event;
use binlog::transaction::Step;
use inspect::declared::{DeclaredTable, DeclaredTables, SERVER_COLUMNS};
use inspect::filter::Filter;
use sql::ParseOptions;
use sql::outline;
use sql::script::{Part, Script};

use super::inputs::InputFile;
use super::live;
use crate::arguments::InputArguments;
use crate::client::{Client, ClientError, Server};
use crate::exit::Failure;
use crate::output;

/// A server with very many tables takes this long to tell of them.
const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes of a file that are read at once.
const PIECE: usize = 1 << 20;

/// Reads what `--schema` names; `None` if there is no such option.
pub(crate) fn load(
    named: Option<&str>,
    input: &InputArguments,
) -> Result<Option<Arc<DeclaredTables>>, Failure> {
    match named {
        None => Ok(None),
        Some(url) if is_url(url) => {
            let password = live::password(url, input)?;
            let server = Server::parse(url, password.as_deref()).map_err(Failure::Usage)?;
            ask(&server).map(Some)
        }
        Some(file) => read(file).map(Some),
    }
}

/// Whether `--schema` names a server.
pub(crate) fn is_url(named: &str) -> bool {
    live::is_url(Path::new(named))
}

/// Asks a server.
pub(crate) fn ask(server: &Server) -> Result<Arc<DeclaredTables>, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let failed = |error: ClientError| Failure::failed(&server.name, error);
    runtime.block_on(async {
        let mut client = server.connect(PATIENCE).await.map_err(failed)?;
        tables(&mut client).await.map(Arc::new).map_err(failed)
    })
}

async fn tables(client: &mut Client) -> Result<DeclaredTables, ClientError> {
    let is_mariadb = client.version().to_ascii_lowercase().contains("mariadb");
    client.query("SET NAMES utf8").await?;
    let mut tables = DeclaredTables::default();
    let columns = format!(
        "SELECT TABLE_SCHEMA, TABLE_NAME, {SERVER_COLUMNS} FROM information_schema.COLUMNS WHERE \
         TABLE_SCHEMA NOT IN ('information_schema', 'performance_schema', 'sys') ORDER BY \
         TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION"
    );
    for row in client.query(&columns).await?.rows {
        let cell = |at: usize| text(&row, at);
        let (schema, table) = (cell(0), cell(1));
        let cells = [cell(2), cell(3), cell(4), cell(5), cell(6)];
        let cells = cells.each_ref().map(String::as_str);
        tables.entry(&schema, &table).add_column(cells, is_mariadb);
    }
    let keys = "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, SUB_PART FROM \
                information_schema.STATISTICS WHERE INDEX_NAME = 'PRIMARY' ORDER BY TABLE_SCHEMA, \
                TABLE_NAME, SEQ_IN_INDEX";
    for row in client.query(keys).await?.rows {
        let cell = |at: usize| text(&row, at);
        let prefix = cell(3).parse().unwrap_or(0);
        let (schema, table) = (cell(0), cell(1));
        if ["information_schema", "performance_schema", "sys"].contains(&schema.as_str()) {
            continue;
        }
        tables.entry(&schema, &table).add_key_part(&cell(2), prefix);
    }
    Ok(tables)
}

fn text(row: &[Option<Vec<u8>>], at: usize) -> String {
    let cell = row.get(at).and_then(Option::as_deref).unwrap_or_default();
    String::from_utf8_lossy(cell).into_owned()
}

/// Reads a dump of any size, or a file of CREATE TABLE statements.
fn read(path: &str) -> Result<Arc<DeclaredTables>, Failure> {
    let failed = |error: std::io::Error| Failure::Usage(format!("--schema {path}: {error}"));
    let mut file = File::open(path).map_err(failed)?;
    let mut dump = Dump::default();
    let mut script = Script::new(&["CREATE", "USE"]);
    let mut piece = vec![0; PIECE];
    loop {
        let len = file.read(&mut piece).map_err(failed)?;
        if len == 0 {
            break;
        }
        script.feed(piece.get(..len).unwrap_or_default(), &mut |part| {
            dump.take(part)
        });
    }
    script.finish(&mut |part| dump.take(part));
    if dump.tables.is_empty() {
        let text = format!("--schema {path}: there is no CREATE TABLE in it");
        return Err(Failure::Usage(text));
    }
    Ok(Arc::new(dump.tables))
}

/// A dump as far as it was read.
#[derive(Default)]
struct Dump {
    tables: DeclaredTables,
    /// The database that tables without one belong to; empty if nothing says which.
    database: String,
    /// Whose dump it is, if it says that.
    is_mariadb: Option<bool>,
    options: ParseOptions,
}

impl Dump {
    fn take(&mut self, part: Part<'_>) {
        match part {
            Part::Comment(line) => self.comment(&String::from_utf8_lossy(line)),
            Part::Statement(statement) => self.statement(statement),
        }
    }

    /// What dumps begin with: `Host: localhost    Database: shop`, and `Server version` with a version.
    fn comment(&mut self, line: &str) {
        if let Some((_, database)) = line.split_once("Database:")
            && line.starts_with("Host:")
        {
            database.trim().clone_into(&mut self.database);
        }
        if let Some(version) = line.strip_prefix("Server version") {
            self.options.version = sql::version_number(version.trim());
            self.is_mariadb = Some(version.contains("MariaDB"));
        }
    }

    fn statement(&mut self, statement: &[u8]) {
        if let Some(database) = outline::used_database(statement, &self.options) {
            self.database = database;
            return;
        }
        match outline::table(statement, &self.options) {
            Ok(None) => {}
            Ok(Some(table)) => {
                let database = table.name.database.as_deref();
                let database = database.unwrap_or(&self.database);
                let declared = DeclaredTable::of_outline(&table, self.is_mariadb);
                self.tables.add(database, &table.name.name, declared);
            }
            Err(error) => output::note(format_args!(
                "weir: warning: a CREATE TABLE of --schema is not understood: {}",
                error.message
            )),
        }
    }
}

/// Ends if an event says of a table something else than `--schema`. `is_chosen`: its transaction is
/// asked for.
pub(super) fn check(
    input: &InputFile,
    step: &Step<'_>,
    filter: &Filter,
    is_chosen: bool,
) -> Result<(), Failure> {
    let (Some(declared), Event::TableMap(map)) = (input.described(), &step.event) else {
        return Ok(());
    };
    if !is_chosen || !filter.has_table(&map.schema, &map.table) {
        return Ok(());
    }
    match declared.difference(map) {
        None => Ok(()),
        Some(difference) => Err(Failure::Failed(format!(
            "{}: offset {}: --schema: {}",
            input.label(),
            step.place.offset,
            refused(&difference)
        ))),
    }
}

/// The sentence of a refusal.
pub(crate) fn refused(difference: &str) -> String {
    format!(
        "{difference}; it has to be of the time of the log: --table and the other filters choose \
         what it fits"
    )
}
