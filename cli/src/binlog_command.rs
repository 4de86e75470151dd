//! `weir binlog`: log files looked into from outside. One file per subcommand.

mod bench;
mod cut;
mod find;
pub(crate) mod inputs;
mod live;
pub(crate) mod progress;
pub(crate) mod schema;
mod show;
mod stats;
mod timeline;
mod verify;
mod words;

use crate::arguments::BinlogCommand;
use crate::exit::Failure;

pub(crate) use inputs::{InputFile, Inputs};
pub(crate) use live::password;
pub(crate) use progress::Progress;
pub(crate) use words::{bytes, count, timestamp};

pub(crate) fn run(command: &BinlogCommand) -> Result<(), Failure> {
    match command {
        BinlogCommand::Show(arguments) => show::run(arguments),
        BinlogCommand::Verify(arguments) => verify::run(arguments),
        BinlogCommand::Stats(arguments) => stats::run(arguments),
        BinlogCommand::Timeline(arguments) => timeline::run(arguments),
        BinlogCommand::Bench(arguments) => bench::run(arguments),
        BinlogCommand::Find(arguments) => find::run(arguments),
        BinlogCommand::Cut(arguments) => cut::run(arguments),
    }
}
