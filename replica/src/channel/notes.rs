//! Notes about statements that steer replication, in MySQL's words.

use sql::error::SqlError;

pub(super) fn already_running() -> SqlError {
    let text = "Replication thread(s) for channel '' are already runnning.";
    SqlError::new(3083, "HY000", text)
}

pub(super) fn already_stopped() -> SqlError {
    let text = "Replication thread(s) for channel '' are already stopped.";
    SqlError::new(3084, "HY000", text)
}

pub(super) fn until_ignored() -> SqlError {
    let text = "SQL thread is not to be started so UNTIL options are ignored";
    SqlError::new(1279, "HY000", text)
}

pub(super) fn until_needs_skip_start() -> SqlError {
    let text = "It is recommended to use --skip-replica-start when doing step-by-step replication \
                with START REPLICA UNTIL; otherwise, you will get problems if you get an unexpected \
                replica's mysqld restart";
    SqlError::new(1278, "HY000", text)
}
