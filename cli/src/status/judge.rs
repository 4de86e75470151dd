//! What looks say together: who is behind its source, and what is not as it should be.

use gtid::GtidSet;

use super::look::{Look, ReplicaLook};
use super::table::seconds_text;

/// Says for every replica what its own source has more, where that source was looked at as well.
pub(super) fn compare(looks: &mut [Look]) {
    let behind: Vec<Option<u64>> = looks.iter().map(|look| behind(look, looks)).collect();
    for (look, behind) in looks.iter_mut().zip(behind) {
        look.behind_transactions = behind;
    }
}

fn behind(look: &Look, looks: &[Look]) -> Option<u64> {
    let replica = look
        .replica
        .as_ref()
        .filter(|replica| replica.channels == 1)?;
    let source = source_of(replica, looks).filter(|source| source.has_gtids)?;
    let mut missing: GtidSet = source.executed()?;
    missing.subtract(&look.executed()?);
    Some(missing.count())
}

/// The source among the servers: the one with its UUID, or at its address if UUIDs are not known.
fn source_of<'l>(replica: &ReplicaLook, looks: &'l [Look]) -> Option<&'l Look> {
    looks
        .iter()
        .find(|look| match (&replica.source_uuid, &look.server_uuid) {
            (Some(wanted), Some(found)) => wanted.eq_ignore_ascii_case(found),
            _ => look.server == replica.source,
        })
}

/// What is not as it should be with a server; `lag_max` in seconds, if there is a limit.
pub(super) fn problems(look: &Look, lag_max: Option<f64>) -> Vec<String> {
    let mut problems: Vec<String> = look.error.iter().cloned().collect();
    if let Some(privilege) = &look.missing_privilege {
        problems.push(missing(look, privilege));
    }
    let Some(replica) = &look.replica else {
        return problems;
    };
    let error = replica
        .error
        .as_ref()
        .map_or(String::new(), |error| format!(": {error}"));
    match (replica.receiver.as_str(), replica.applier.as_str()) {
        ("Yes", "Yes") => {}
        ("No", "No") => problems.push(format!("receiver and applier are stopped{error}")),
        ("No", "Yes") => problems.push(format!("the receiver is stopped{error}")),
        (_, "Yes") => problems.push(format!(
            "the receiver has no connection to its source{error}"
        )),
        (_, _) => problems.push(format!("the applier is stopped{error}")),
    }
    match (lag_max, replica.lag.apply.seconds) {
        (None, _) => {}
        (Some(_), None) => problems.push("the lag is unknown".to_owned()),
        (Some(most), Some(lag)) if lag > most => problems.push(format!(
            "the lag is {}, more than {}",
            seconds_text(lag),
            seconds_text(most)
        )),
        (Some(_), Some(_)) => {}
    }
    problems
}

/// That an account may not see everything.
pub(super) fn missing(look: &Look, privilege: &str) -> String {
    match look.role {
        None => format!("role unknown: the account needs the privilege {privilege} to see it"),
        Some(_) => format!("the account needs the privilege {privilege} to see the binlog"),
    }
}

#[cfg(test)]
mod tests {
    use super::{compare, problems};
    use crate::status::look::{Look, ReplicaLook};

    const SOURCE: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    const OTHER: &str = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

    fn primary(server: &str, uuid: &str, executed: &str) -> Look {
        Look {
            server: server.to_owned(),
            server_uuid: Some(uuid.to_owned()),
            gtid_executed: Some(executed.to_owned()),
            has_gtids: true,
            ..Look::default()
        }
    }

    fn replica(source: &str, uuid: Option<&str>, executed: &str) -> Look {
        let replica = ReplicaLook {
            source: source.to_owned(),
            source_uuid: uuid.map(str::to_owned),
            channels: 1,
            receiver: "Yes".to_owned(),
            applier: "Yes".to_owned(),
            ..ReplicaLook::default()
        };
        Look {
            replica: Some(replica),
            ..primary("r:3", "own", executed)
        }
    }

    #[test]
    fn a_replica_is_compared_with_its_own_source_only() {
        let mut looks = [
            primary("a:1", SOURCE, &format!("{SOURCE}:1-10")),
            primary("b:2", OTHER, &format!("{OTHER}:1-17330")),
            replica("elsewhere:1", Some(SOURCE), &format!("{SOURCE}:1-4:6")),
            replica("a:1", None, &format!("{SOURCE}:1-9")),
            replica("c:9", Some("not asked"), &format!("{SOURCE}:1-9")),
            replica("a:1", Some(OTHER), &format!("{OTHER}:1-17330")),
        ];
        compare(&mut looks);
        let behind = looks.map(|look| look.behind_transactions);
        assert_eq!(behind, [None, None, Some(5), Some(1), None, Some(0)]);
    }

    #[test]
    fn a_source_without_gtids_leaves_it_unknown() {
        let mut source = primary("a:1", SOURCE, "");
        source.has_gtids = false;
        let mut looks = [source, replica("a:1", Some(SOURCE), "")];
        compare(&mut looks);
        assert_eq!(looks[1].behind_transactions, None);
    }

    #[test]
    fn every_problem_is_a_sentence() {
        let mut look = replica("a:1", None, "");
        assert!(problems(&look, None).is_empty());
        assert_eq!(problems(&look, Some(10.0)), ["the lag is unknown"]);
        let replica = look.replica.as_mut().unwrap();
        replica.lag.apply.seconds = Some(12.0);
        replica.applier = "No".to_owned();
        replica.error = Some("1062".to_owned());
        assert_eq!(
            problems(&look, Some(10.0)),
            [
                "the applier is stopped: 1062",
                "the lag is 12.0s, more than 10.0s"
            ]
        );
        assert_eq!(problems(&look, Some(13.0)).len(), 1);
        let denied = Look {
            missing_privilege: Some("REPLICATION CLIENT".to_owned()),
            ..Look::default()
        };
        let found = problems(&denied, None);
        assert!(found[0].starts_with("role unknown"), "{found:?}");
        assert!(found[0].contains("REPLICATION CLIENT"), "{found:?}");
    }
}
