//! The row of SHOW REPLICA STATUS from a channel's state.

use std::fmt::Display;
use std::path::Path;
use std::time::SystemTime;

use binlog::value::Timestamp;
use config::ReplicationFilter;
use config::settings::SourcePosition;
use server::role::ReplicaStatus;

use crate::applier::Until;
use crate::channel::{ChannelState, now_micros};

pub(super) fn row(state: &ChannelState, filter: &ReplicationFilter) -> ReplicaStatus {
    let mut row = ReplicaStatus::default();
    fill_source(&mut row, state);
    fill_receiver(&mut row, state);
    fill_applier(&mut row, state);
    fill_filter(&mut row, filter);
    row
}

fn fill_source(row: &mut ReplicaStatus, state: &ChannelState) {
    let source = &state.source;
    row.source_host = source.host.clone().unwrap_or_default();
    row.source_user.clone_from(&source.user);
    row.source_port = source.port.into();
    row.connect_retry = source.connect_retry.as_secs();
    row.source_retry_count = source.retry_count.into();
    row.auto_position = u64::from(source.position == SourcePosition::Auto);
    row.get_source_public_key = u64::from(source.get_public_key);
    row.source_public_key_path = path(source.public_key_path.as_deref());
    row.source_info_file = "source-info.json".to_owned();
    row.source_ssl_allowed = yes_or_no(source.tls.is_some());
    row.source_ssl_verify_server_cert = yes_or_no(false);
    if let Some(tls) = &source.tls {
        row.source_ssl_verify_server_cert = yes_or_no(tls.verify_server_cert);
        row.source_ssl_ca_file = path(tls.ca.as_deref());
        row.source_ssl_cert = path(tls.cert.as_deref());
        row.source_ssl_key = path(tls.key.as_deref());
    }
}

fn fill_receiver(row: &mut ReplicaStatus, state: &ChannelState) {
    let receiver = &state.receiver;
    row.receiver_state = receiver.doing.to_owned();
    row.receiver_running = receiver.running.name().to_owned();
    row.source_server_id = receiver.source_server_id.unwrap_or(0).into();
    row.source_uuid = receiver.source_uuid.clone().unwrap_or_default();
    row.retrieved_gtid_set = state.retrieved.to_string();
    row.relay_log_space = state.relay_log_space;
    // Before the first event, what the receiver will ask for.
    if let Some(read) = receiver.read.as_ref().or(state.applier.source.as_ref()) {
        row.source_log_file.clone_from(&read.file);
        row.read_source_log_pos = read.offset;
    } else if let SourcePosition::File { file, position } = &state.source.position {
        row.source_log_file.clone_from(file);
        row.read_source_log_pos = *position;
    } else {
        row.read_source_log_pos = 4;
    }
    if let Some(failure) = &receiver.failure {
        row.last_io_errno = failure.code.into();
        row.last_io_error.clone_from(&failure.message);
        row.last_io_error_timestamp = moment(failure.at);
    }
}

fn fill_applier(row: &mut ReplicaStatus, state: &ChannelState) {
    let applier = &state.applier;
    row.applier_running = yes_or_no(applier.is_running);
    row.applier_state = applier.doing.to_owned();
    row.executed_gtid_set = applier.executed.to_string();
    row.seconds_behind_source = state.lag_inputs().seconds_behind_source();
    if let Some(relay) = &applier.relay {
        row.relay_log_file = relay.file.to_string();
        row.relay_log_pos = relay.offset;
    }
    if let Some(source) = &applier.source {
        row.relay_source_log_file.clone_from(&source.file);
        row.exec_source_log_pos = source.offset;
    }
    let until = match &applier.until {
        // As MySQL, once there are no gaps.
        Some(Until::AfterGaps) if !applier.is_running => "DONE",
        Some(until) => until.name(),
        None => "None",
    };
    row.until_condition = until.to_owned();
    if let Some((file, position)) = applier.until.as_ref().and_then(Until::place) {
        row.until_log_file = file.to_string();
        row.until_log_pos = position;
    }
    let is_passing = u64::from(applier.passed_over_at.is_some());
    row.skip_counter = u64::from(applier.skip_counter).saturating_add(is_passing);
    row.sql_delay = state.source.delay.as_secs();
    row.sql_remaining_delay = applier.due_micros.map(|due| {
        let source_now = now_micros().saturating_add(state.receiver.clock_offset_micros);
        let left = u64::try_from(due.saturating_sub(source_now)).unwrap_or(0);
        left.div_ceil(1_000_000)
    });
    if let Some(failure) = &applier.failure {
        row.last_errno = failure.code.into();
        row.last_error.clone_from(&failure.message);
        row.last_sql_errno = failure.code.into();
        row.last_sql_error.clone_from(&failure.message);
        row.last_sql_error_timestamp = moment(failure.at);
    }
}

fn fill_filter(row: &mut ReplicaStatus, filter: &ReplicationFilter) {
    row.replicate_do_db = filter.do_db.join(",");
    row.replicate_ignore_db = filter.ignore_db.join(",");
    row.replicate_do_table = list(&filter.do_table);
    row.replicate_ignore_table = list(&filter.ignore_table);
    row.replicate_wild_do_table = list(&filter.wild_do_table);
    row.replicate_wild_ignore_table = list(&filter.wild_ignore_table);
    let pairs = filter.rewrite_db.iter();
    let pairs: Vec<_> = pairs
        .map(|pair| format!("({},{})", pair.from, pair.to))
        .collect();
    row.replicate_rewrite_db = pairs.join(",");
}

fn list<'r, R: Display + 'r>(rules: impl IntoIterator<Item = &'r R>) -> String {
    let rules: Vec<_> = rules.into_iter().map(ToString::to_string).collect();
    rules.join(",")
}

fn yes_or_no(yes: bool) -> String {
    if yes { "Yes" } else { "No" }.to_owned()
}

fn path(path: Option<&Path>) -> String {
    path.map(|path| path.display().to_string())
        .unwrap_or_default()
}

/// `YYMMDD hh:mm:ss` in UTC.
fn moment(at: SystemTime) -> String {
    let since = at
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let seconds = u32::try_from(since.as_secs()).unwrap_or(u32::MAX);
    let utc = Timestamp { seconds, micros: 0 }.to_utc();
    format!(
        "{:02}{:02}{:02} {:02}:{:02}:{:02}",
        utc.year % 100,
        utc.month,
        utc.day,
        utc.hour,
        utc.minute,
        utc.second
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn moments_are_printed_as_mysql_does() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_203_199);
        assert_eq!(moment(at), "261120 19:33:19");
    }
}
