//! Option files, typed settings and replication filter rules.
//!
//! A Weir process is configured with MySQL's own words: the same option files, the same names, the
//! same sizes and ranges. This crate turns what an operator wrote (option files, TOML, the command
//! line) into settings that cannot be wrong, and remembers for every value where it came from. It
//! opens no socket, starts nothing and knows nothing of events or packets.
//!
//! The invariant: an option either acts or is refused. What is unknown, does not act in the role
//! at hand, or has a value outside what Weir does, is an error that names the file, the line, the
//! option and what is allowed; only an explicit `loose-` turns that into a warning.
//!
//! ```
//! use config::PrimarySettings;
//!
//! let loaded = PrimarySettings::load(["--datadir=/var/lib/weir", "--max-binlog-size=64M"])?;
//! assert_eq!(loaded.settings.max_binlog_size, 64 << 20);
//! # Ok::<(), config::ConfigErrors>(())
//! ```

#![forbid(unsafe_code)]

mod error;
mod origin;

mod command_line;
pub mod option_file;
pub mod toml_file;

pub mod definition;
mod effective;
mod group;
mod layers;
mod value;

pub mod auto_cnf;
pub mod filter;
pub mod persisted;
pub mod reference;
mod secret;
pub mod settings;

pub use effective::{Effective, EffectiveValue};
pub use error::{ConfigError, ConfigErrors, Warning};
pub use filter::ReplicationFilter;
pub use layers::{Loaded, groups, role_of};
pub use origin::Origin;
pub use secret::Secret;
pub use settings::{PrimarySettings, ReplicaSettings, ServerSettings, SourceSettings};
