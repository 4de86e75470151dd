//! `weir binlog`: log files looked into from outside. One file per subcommand.

mod inputs;
mod progress;
mod show;
mod verify;

use crate::arguments::BinlogCommand;
use crate::exit::Failure;

pub(crate) fn run(command: &BinlogCommand) -> Result<(), Failure> {
    match command {
        BinlogCommand::Show(arguments) => show::run(arguments),
        BinlogCommand::Verify(arguments) => verify::run(arguments),
    }
}
