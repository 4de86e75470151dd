//! When which node is killed.

use std::time::Duration;

use super::cluster::NodeName::{self, Primary, Replica1, Replica2};

/// Nodes killed together.
pub(super) struct Kill {
    /// Since the workload began.
    pub(super) at: Duration,
    pub(super) nodes: &'static [NodeName],
}

/// A replica, the primary, the other replica, then primary and replica at the same moment; all
/// early enough that the workload goes on after the last.
pub(super) fn kills(length: Duration) -> Vec<Kill> {
    [
        (20, &[Replica1][..]),
        (40, &[Primary][..]),
        (60, &[Replica2][..]),
        (75, &[Primary, Replica1][..]),
    ]
    .map(|(percent, nodes)| Kill {
        at: length * percent / 100,
        nodes,
    })
    .into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::cluster::NodeName;
    use super::kills;

    #[test]
    fn every_node_is_killed_and_time_is_left_after_the_last_kill() {
        let length = Duration::from_secs(8);
        let events = kills(length);
        for name in NodeName::ALL {
            assert!(
                events.iter().any(|event| event.nodes.contains(&name)),
                "{name}"
            );
        }
        assert!(events.is_sorted_by_key(|event| event.at));
        assert!(events.iter().all(|event| event.at <= length * 3 / 4));
    }
}
