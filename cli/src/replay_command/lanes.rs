//! Over how many connections a restore applies, and one that was interrupted between their commits.

use binlog::transaction::Executed;
use recovery::replay::Survey;
use targets::{MysqlStore, TargetError, Uneven};

use super::target::{Named, Target};
use crate::arguments::{ModeName, ReplayArguments};
use crate::client::Server;
use crate::exit::Failure;

/// Connections of a restore.
const LANES: u16 = 4;

/// Whether a restore of the server was interrupted that only its rows tell of.
pub(super) fn is_unfinished(server: &MysqlStore, has_gtids: bool) -> Result<bool, TargetError> {
    if server.uneven()?.is_some() {
        return Ok(true);
    }
    // A server with GTIDs knows itself what came another way.
    let marked = server.marked_executed()?.mysql;
    Ok(has_gtids && !marked.is_subset_of(&server.facts().gtid_executed))
}

/// How transactions reach a server: as asked for, as a restore of it began, or as it stands.
pub(super) fn mode(
    server: &Server,
    asked: Option<ModeName>,
    is_unfinished: bool,
    is_fresh: impl FnOnce() -> Result<bool, Failure>,
) -> Result<ModeName, Failure> {
    match asked {
        Some(mode) if is_unfinished && mode != ModeName::Restore => Err(Failure::Usage(format!(
            "{}: a restore of it was interrupted, of which it knows nothing by itself; the same \
             command with --mode restore has to finish it first (what it says of that is in \
             weir_recovery.progress)",
            server.name
        ))),
        Some(mode) => Ok(mode),
        None if is_unfinished || is_fresh()? => Ok(ModeName::Restore),
        None => Ok(ModeName::Live),
    }
}

/// Decides over how many connections transactions reach the target; what stands against more than one,
/// if somebody asked for more.
pub(super) fn choose(
    arguments: &ReplayArguments,
    named: &Named,
    target: &Target,
    survey: &Survey,
) -> Result<Option<String>, Failure> {
    let asked = arguments.parallel;
    let server = target.server.as_ref();
    let Some(server) = server.filter(|_| target.mode == ModeName::Restore) else {
        return match asked {
            None | Some(1) => Ok(None),
            Some(_) => Err(Failure::Usage(
                "--parallel is for --mode restore: any other keeps transactions whole and in order"
                    .to_owned(),
            )),
        };
    };
    let failed = |error: TargetError| super::target::failed(&named.name(), &error);
    let chosen = chosen(arguments);
    if let Some(uneven) = server.uneven().map_err(failed)? {
        ensure_finished(&uneven, &chosen, arguments, survey)?;
    }
    let lanes = match survey.one_lane {
        None => usize::from(asked.unwrap_or(LANES)),
        Some(_) => 1,
    };
    server.use_lanes(lanes, &chosen).map_err(failed)?;
    let has_asked = asked.is_some_and(|asked| asked > 1);
    let why = survey.one_lane.filter(|_| has_asked);
    Ok(why.map(|why| format!("over one connection: {why}")))
}

/// What of the logs is applied, and as what.
fn chosen(arguments: &ReplayArguments) -> String {
    let mut words: Vec<String> = arguments
        .database
        .iter()
        .map(|name| format!("database {name}"))
        .collect();
    words.extend(arguments.table.iter().map(|name| format!("table {name}")));
    words.extend(arguments.rewrite_db.iter().map(ToString::to_string));
    words.join(", ")
}

/// What some connections have and others have not must be what this replay applies, in the same way.
fn ensure_finished(
    uneven: &Uneven,
    chosen: &str,
    arguments: &ReplayArguments,
    survey: &Survey,
) -> Result<(), Failure> {
    let refused = |why: &str| {
        let last = last_of(&uneven.any);
        Err(Failure::Usage(format!(
            "refused, nothing was changed:\nan earlier restore of the target was ended inside a \
             commit, and some of its connections are at {last}: {why}"
        )))
    };
    if uneven.chosen != chosen {
        return refused("finish it with the same --database, --table and --rewrite-db first");
    }
    if let Some(why) = survey.one_lane {
        let text = format!("finish it with the same logs first (--stop-at a GTID), as {why}");
        return refused(&text);
    }
    let mut lacking = uneven.any.mysql.clone();
    lacking.subtract(&uneven.all.mysql);
    let mut lacks_domain = false;
    for gtid in uneven.any.mariadb.iter() {
        let has = |executed: &Executed| {
            let there = executed.mariadb.get(gtid.domain);
            there.is_some_and(|there| there.sequence >= gtid.sequence)
        };
        let is_left_out = !arguments.exclude_gtids.is_empty() || arguments.skip.is_some();
        lacks_domain |= !has(&uneven.all) && (is_left_out || !has(&survey.wanted));
    }
    match lacks_domain || !lacking.is_subset_of(&survey.wanted.mysql) {
        true => refused("the logs and the stop have to reach that, and leave nothing of it out"),
        false => Ok(()),
    }
}

fn last_of(executed: &Executed) -> String {
    executed.to_string().replace('\n', "")
}
