//! Fields of statement-format events, XA, payloads, LOAD DATA and group replication.

use super::{Field, Sink};
use binlog::event::{
    Event, EventFormat, ExecuteLoadQuery, FileBlock, Flavour, IntVar, Load, PayloadCompression,
    StartV3, TransactionContext, TransactionPayload, UserVar, UserVarDecoded, ViewChange, XaId,
};

/// Fields of every event that is not named elsewhere.
pub(super) fn fields(event: &Event<'_>, format: EventFormat, sink: &mut Sink<'_>) {
    match event {
        Event::StartV3(start) => start_v3(start, sink),
        Event::IntVar(variable) => int_var(*variable, sink),
        Event::Rand(rand) => {
            sink("seed1", Field::Number(rand.seed1));
            sink("seed2", Field::Number(rand.seed2));
        }
        Event::UserVar(variable) => user_var(variable, sink),
        Event::Load(event) => load(event, sink),
        Event::SourcePosition(source) => {
            sink("source_host", Field::Bytes(source.host));
            sink("source_port", Field::Number(source.port.into()));
            sink("source_file", Field::Bytes(source.file));
            sink("source_offset", Field::Number(source.position));
        }
        Event::AppendBlock(block) | Event::BeginLoadQuery(block) => file_block(block, sink),
        Event::ExecLoad(end) | Event::DeleteFile(end) => {
            sink("file_id", Field::Number(end.file_id.into()));
        }
        Event::ExecuteLoadQuery(event) => execute_load_query(event, format.flavour, sink),
        Event::Ignorable(event) => sink("data", Field::Hex(event.data)),
        Event::TransactionContext(context) => transaction_context(context, sink),
        Event::ViewChange(change) => view_change(change, sink),
        Event::XaPrepare(prepare) => {
            xa_id(&prepare.xid, sink);
            sink("one_phase", Field::Flag(prepare.is_one_phase()));
        }
        Event::TransactionPayload(payload) => transaction_payload(payload, sink),
        Event::Other { body, .. } => sink("body", Field::Hex(body)),
        // Named by the caller.
        _ => {}
    }
}

/// The identifier of an XA transaction, as SHOW and XA RECOVER print it.
pub(super) fn xa_id(xid: &XaId<'_>, sink: &mut Sink<'_>) {
    let mut text = b"X'".to_vec();
    crate::cell::digits::put_hex(&mut text, xid.gtrid);
    text.extend_from_slice(b"',X'");
    crate::cell::digits::put_hex(&mut text, xid.bqual);
    text.extend_from_slice(format!("',{}", xid.format).as_bytes());
    sink("xa_id", Field::Bytes(&text));
}

fn start_v3(start: &StartV3, sink: &mut Sink<'_>) {
    let version = start.server_version.split(|&byte| byte == 0).next();
    sink("server_version", Field::Bytes(version.unwrap_or_default()));
    let number = u64::from(start.binlog_version);
    sink("binlog_version", Field::Number(number));
    sink("created", Field::Number(start.created.into()));
}

fn int_var(variable: IntVar, sink: &mut Sink<'_>) {
    match variable.kind.name() {
        Some(name) => sink("variable", Field::Text(name)),
        None => sink("variable_code", Field::Number(variable.kind.0.into())),
    }
    sink("value", Field::Number(variable.value));
}

fn user_var(variable: &UserVar<'_>, sink: &mut Sink<'_>) {
    sink("variable", Field::Bytes(variable.name));
    if let Some(value) = &variable.value {
        sink("collation", Field::Number(value.collation.into()));
    }
    match variable.decoded() {
        Ok(UserVarDecoded::Null) => sink("is_null", Field::Flag(true)),
        Ok(UserVarDecoded::String(bytes)) => sink("value", Field::Bytes(bytes)),
        Ok(UserVarDecoded::Real(number)) => sink("value", Field::Double(number)),
        Ok(UserVarDecoded::Int(number)) => sink("value", Field::Signed(number)),
        Ok(UserVarDecoded::UInt(number)) => sink("value", Field::Number(number)),
        Ok(UserVarDecoded::Decimal(number)) => sink("value", Field::Text(&number.to_string())),
        Err(_) => {
            let bytes = variable.value.as_ref().map_or(&[][..], |value| value.bytes);
            sink("value_bytes", Field::Hex(bytes));
        }
    }
}

fn load(event: &Load<'_>, sink: &mut Sink<'_>) {
    sink("thread_id", Field::Number(event.thread_id.into()));
    sink("exec_time", Field::Number(event.exec_time.into()));
    sink("schema", Field::Bytes(event.schema));
    sink("table", Field::Bytes(event.table));
    let names: Vec<_> = event.columns().map(String::from_utf8_lossy).collect();
    sink("columns", Field::Texts(&names));
    sink("skip_lines", Field::Number(event.skip_lines.into()));
    let delimiters = &event.delimiters;
    sink("field_end", Field::Bytes(delimiters.field_end));
    sink("enclosed_by", Field::Bytes(delimiters.enclosed_by));
    sink("line_end", Field::Bytes(delimiters.line_end));
    sink("line_start", Field::Bytes(delimiters.line_start));
    sink("escaped_by", Field::Bytes(delimiters.escaped_by));
    sink("file_name", Field::Bytes(event.file_name));
    if let Some(file) = &event.file {
        sink("file_id", Field::Number(file.file_id.into()));
        sink("block_len", Field::Number(file.block.len() as u64));
    }
}

fn file_block(block: &FileBlock<'_>, sink: &mut Sink<'_>) {
    sink("file_id", Field::Number(block.file_id.into()));
    sink("block_len", Field::Number(block.block.len() as u64));
    sink("block", Field::Bytes(block.block));
}

fn execute_load_query(event: &ExecuteLoadQuery<'_>, flavour: Flavour, sink: &mut Sink<'_>) {
    sink("file_id", Field::Number(event.file_id.into()));
    let (start, end) = (event.file_name_start, event.file_name_end);
    sink("file_name_start", Field::Number(start.into()));
    sink("file_name_end", Field::Number(end.into()));
    sink("duplicates", Field::Number(event.duplicates.0.into()));
    super::query(&event.query, flavour, sink);
}

fn transaction_context(context: &TransactionContext<'_>, sink: &mut Sink<'_>) {
    sink("server_uuid", Field::Bytes(context.server_uuid));
    sink("thread_id", Field::Number(context.thread_id.into()));
    let is_specified = context.gtid_specified != 0;
    sink("gtid_specified", Field::Flag(is_specified));
    sink("snapshot_version", Field::Hex(context.snapshot_version));
    sink(
        "write_set_len",
        Field::Number(context.write_set.len().into()),
    );
    sink("read_set_len", Field::Number(context.read_set.len().into()));
}

fn view_change(change: &ViewChange<'_>, sink: &mut Sink<'_>) {
    sink("view_id", Field::Bytes(change.view_name()));
    sink("sequence_number", Field::Number(change.sequence_number));
    let count = change.certification.len();
    sink("certification_len", Field::Number(count.into()));
}

fn transaction_payload(payload: &TransactionPayload<'_>, sink: &mut Sink<'_>) {
    match payload.compression {
        Some(PayloadCompression::Zstd) => sink("compression", Field::Text("zstd")),
        Some(PayloadCompression::None) | None => sink("compression", Field::Text("none")),
        Some(PayloadCompression::Unknown(code)) => sink("compression_code", Field::Number(code)),
    }
    if let Some(size) = payload.uncompressed_size {
        sink("uncompressed_size", Field::Number(size));
    }
    sink("payload_size", Field::Number(payload.payload.len() as u64));
}
