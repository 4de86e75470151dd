//! `weir binlog show`: every event of the input.

use binlog::inspect::{Inspector, Line};
use serde_json::{Value, json};

use super::inputs::Inputs;
use crate::arguments::ShowArguments;
use crate::exit::Failure;
use crate::output;

pub(super) fn run(arguments: &ShowArguments) -> Result<(), Failure> {
    let mut inputs = Inputs::new(&arguments.input)?;
    while let Some(input) = inputs.next_file()? {
        let file = input.label().to_owned();
        let failed = |error| Failure::failed(&file, error);
        let mut inspector = input.open().and_then(Inspector::new).map_err(failed)?;
        if !arguments.json {
            output::line(format_args!("# {file}"))?;
        }
        loop {
            let line = inspector.next_line(arguments.rows);
            let line = line.map_err(|error| Failure::failed(&file, error))?;
            let Some(line) = line else { break };
            if arguments.json {
                output::line(object(&file, &line))?;
                continue;
            }
            output::line(text(&line))?;
            for row in &line.rows {
                output::line(format_args!("        {row}"))?;
            }
        }
    }
    Ok(())
}

fn text(line: &Line) -> String {
    format!(
        "{:>10}  {}  server {:<5} {:<20} {:>8}  {}",
        line.offset,
        timestamp(line.header.timestamp),
        line.header.server_id,
        line.header.event_type.name(),
        line.header.event_size,
        line.info
    )
}

fn object(file: &str, line: &Line) -> Value {
    json!({
        "file": file,
        "offset": line.offset,
        "size": line.header.event_size,
        "end_log_pos": line.header.end_log_pos,
        "timestamp": line.header.timestamp,
        "type": line.header.event_type.name(),
        "server_id": line.header.server_id,
        "flags": line.header.flags.0,
        "info": line.info,
        "rows": line.rows,
    })
}

fn timestamp(seconds: u32) -> String {
    let moment = jiff::Timestamp::from_second(i64::from(seconds));
    moment.map_or_else(|_| seconds.to_string(), |moment| moment.to_string())
}
