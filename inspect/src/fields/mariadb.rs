//! Fields of the events that only MariaDB writes.

use std::borrow::Cow;

use super::{Field, Sink};
use binlog::event::{GtidList, MariadbGtidEvent, MariadbGtidFlags, PartialRowData};

/// Flags of a GTID by the names that its `flags` lists.
const FLAGS: [(MariadbGtidFlags, &str); 8] = [
    (MariadbGtidFlags::STANDALONE, "standalone"),
    (MariadbGtidFlags::GROUP_COMMIT, "group_commit"),
    (MariadbGtidFlags::TRANSACTIONAL, "transactional"),
    (MariadbGtidFlags::ALLOW_PARALLEL, "allow_parallel"),
    (MariadbGtidFlags::WAITED, "waited"),
    (MariadbGtidFlags::DDL, "ddl"),
    (MariadbGtidFlags::PREPARED_XA, "prepared_xa"),
    (MariadbGtidFlags::COMPLETED_XA, "completed_xa"),
];

pub(super) fn gtid(event: &MariadbGtidEvent<'_>, sink: &mut Sink<'_>) {
    sink("gtid", Field::Text(&event.gtid.to_string()));
    let flags: Vec<Cow<'_, str>> = FLAGS
        .iter()
        .filter(|(flag, _)| event.flags.contains(*flag))
        .map(|(_, name)| Cow::Borrowed(*name))
        .collect();
    sink("gtid_flags", Field::Texts(&flags));
    if let Some(id) = event.commit_id {
        sink("commit_id", Field::Number(id));
    }
    if let Some(xid) = &event.xid {
        super::others::xa_id(xid, sink);
    }
    let Some(extra) = &event.extra else { return };
    sink("extra_flags", Field::Number(extra.flags.into()));
    if let Some(engines) = extra.extra_engines {
        sink("extra_engines", Field::Number(engines.into()));
    }
    if let Some(sequence) = extra.start_alter_sequence {
        sink("alter_start_sequence", Field::Number(sequence));
    }
    if let Some(thread) = extra.thread_id {
        sink("thread_id", Field::Number(thread.into()));
    }
}

pub(super) fn gtid_list(list: &GtidList<'_>, sink: &mut Sink<'_>) {
    let gtids = list.gtids.iter();
    let gtids: Vec<Cow<'_, str>> = gtids.map(|gtid| gtid.to_string().into()).collect();
    sink("gtids", Field::Texts(&gtids));
    sink("list_flags", Field::Number(list.flags.into()));
}

pub(super) fn partial_row_data(part: &PartialRowData<'_>, sink: &mut Sink<'_>) {
    sink("part", Field::Number(part.number.into()));
    sink("parts", Field::Number(part.count.into()));
    if let Some(size) = part.original_size {
        sink("original_size", Field::Number(size));
    }
    sink("data_len", Field::Number(part.data.len() as u64));
}
