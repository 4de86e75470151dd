//! `weir replica skip`.

use std::path::PathBuf;

use clap::Args;
use gtid::Gtid;

#[derive(Debug, Args)]
#[command(
    after_help = "Passwords: in $WEIR_PASSWORD or --password-file.\nWithout --gtid the applier must \
                  have stopped with an error, and what is skipped is the transaction at which it \
                  stands, whatever its source.\nThe account needs SUPER, or REPLICATION_SLAVE_ADMIN \
                  with SYSTEM_VARIABLES_ADMIN, and REPLICATION CLIENT."
)]
pub(crate) struct SkipArguments {
    /// The replica: `mysql://user@host[:port]`, or `mysql://user@localhost?socket=PATH`.
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    /// Skip this transaction, applied next or later, by an empty one in its place.
    #[arg(long, value_name = "UUID:NUMBER")]
    pub(crate) gtid: Option<Gtid>,
    /// File whose first line is the password.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// Do not ask.
    #[arg(long)]
    pub(crate) yes: bool,
    /// End with one JSON object as the last line of standard output.
    #[arg(long)]
    pub(crate) json: bool,
}
