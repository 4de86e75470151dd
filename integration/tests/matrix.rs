//! Every kind of source into every kind of target: one workload, a load under kills of the replica and
//! of the target, then what only the source's vendor has. Rows are equal, or a documented refusal names
//! what stopped.
//!
//! What was seen is the table in `docs/COMPATIBILITY.md`: a run fails where the two differ, and with
//! `WEIR_WRITE_DOCS=1` writes it. By hand: `WEIR_MATRIX_MIB=200` for the size of the large transaction,
//! `WEIR_KILLS=5` for the kills of each, `WEIR_MATRIX=mariadb` for the sources with this in their names.

#[path = "matrix/cell.rs"]
mod cell;
#[path = "matrix/sources.rs"]
mod sources;
#[path = "matrix/table.rs"]
mod table;
#[path = "matrix/work.rs"]
mod work;

use integration::chance::{Chance, announce, setting};
use integration::failure::ensure;
use integration::steady_load::SteadyLoad;
use integration::{Failure, RealServer, Result};

use cell::{Cell, Target};
use sources::{SOURCES, Source};
use table::Row;

/// Sources at a time: each has three servers as targets beside it.
const AT_A_TIME: usize = 3;
/// MiB that a replica may take, whatever its transactions take.
const MIB_MAX: u64 = 256;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_source_arrives_in_every_target_as_the_table_says() -> Result {
    let only = std::env::var("WEIR_MATRIX").unwrap_or_default();
    let chosen: Vec<_> = SOURCES
        .iter()
        .filter(|source| source.name.contains(&only))
        .collect();
    let mut rows = Vec::new();
    let mut failures = Vec::new();
    for some in chosen.chunks(AT_A_TIME) {
        let mut running = Vec::new();
        for &source in some {
            running.push((source, tokio::spawn(row(source))));
        }
        for (source, run) in running {
            match run.await? {
                Ok(row) => rows.push(row),
                Err(failure) => failures.push(failure.during(source.name).to_string()),
            }
        }
    }
    if !failures.is_empty() {
        return Err(Failure::new(failures.join("\n")));
    }
    if only.is_empty() {
        table::check(&rows)?;
    }
    Ok(())
}

/// One source, followed by a replica for each target at once.
async fn row(source: &'static Source) -> Result<Row> {
    let began = std::time::Instant::now();
    let server = source.start().await?;
    let start = source.create_account(&server).await?;
    let mut cells = Vec::new();
    for (server_id, target) in (9..).zip(Target::ALL) {
        cells.push(Cell::start(source, server_id, &start, target).await?);
    }
    let mut marks = 0..;
    work::all_types(source, &server).await?;
    cells = at_once(cells, &server, marks.next(), |cell| cell).await?;
    for cell in &mut cells {
        let peak = cell.peak_mib()?;
        let text = format!(
            "{}: into {}: {peak} MiB of memory at most",
            source.name,
            cell.name()
        );
        announce(&text);
        ensure(peak < MIB_MAX, || text)?;
    }
    let mut chance = Chance::from_environment();
    let load = SteadyLoad::start(server.port, 2, chance.below(u64::MAX)).await?;
    let each = setting("WEIR_KILLS", 1);
    let mut killing = Vec::new();
    for mut cell in cells {
        let mut chance = Chance::seeded(chance.below(u64::MAX));
        killing.push(tokio::spawn(async move {
            cell.kill(each, &mut chance).await?;
            Ok::<_, Failure>(cell)
        }));
    }
    let mut cells = Vec::new();
    for killed in killing {
        cells.push(killed.await?);
    }
    let committed = load.end().await?;
    let cells = cells.into_iter().collect::<Result<Vec<_>>>()?;
    let cells = at_once(cells, &server, marks.next(), |cell| cell).await?;
    work::own_types(source, &server).await?;
    let cells = at_once(cells, &server, marks.next(), Cell::may_refuse).await?;
    announce(&format!(
        "{}: {committed} transactions under {each} kills of each of replica and target, {} s",
        source.name,
        began.elapsed().as_secs()
    ));
    Ok(Row {
        source: source.name,
        cells: cells.iter().map(Cell::seen).collect(),
    })
}

/// Marks the end of what the source has logged, waits for each target to have it, and compares.
async fn at_once(
    cells: Vec<Cell>,
    server: &RealServer,
    mark: Option<u64>,
    prepare: fn(Cell) -> Cell,
) -> Result<Vec<Cell>> {
    let mark = mark.unwrap_or_default();
    let mut at_source = server.client().await?;
    let sql = format!("INSERT INTO matrix.marks VALUES ({mark})");
    at_source.execute(&sql).await?;
    let expected = work::held(&mut at_source).await?;
    let mut done = Vec::new();
    for cell in cells {
        let mut cell = prepare(cell);
        cell.until_same(mark, &mut at_source, &expected).await?;
        done.push(cell);
    }
    Ok(done)
}
