//! The `weir` binary: subcommands, the runtime, signals and telemetry.
//!
//! Nothing about replication is decided here. The binary reads settings, starts a role or a tool,
//! carries signals to it and its state to people, and turns the outcome into an exit code.

mod arguments;
mod exit;
mod output;

mod node;
mod signals;
mod systemd;
mod telemetry;

mod binlog_command;
mod client;
mod config_command;
mod demo;
mod flashback_command;
mod question;
mod replay_command;
mod skip_command;
mod status;

use std::process::ExitCode;

use clap::Parser;
use config::definition::Role;

use crate::arguments::{Arguments, Command, ReplicaCommand};

fn main() -> ExitCode {
    exit::code(match Arguments::parse().command {
        Command::Primary(node) => node::run(Role::Primary, &node.options),
        Command::Replica(replica) => match replica.command {
            None => node::run(Role::Replica, &replica.node.options),
            Some(ReplicaCommand::Skip(arguments)) => skip_command::run(&arguments),
        },
        Command::Status(arguments) => status::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Binlog { command } => binlog_command::run(&command),
        Command::Flashback(arguments) => flashback_command::run(&arguments),
        Command::Replay(arguments) => replay_command::run(&arguments),
        Command::Config { command } => config_command::run(&command),
    })
}
