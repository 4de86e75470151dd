//! What can be wrong with a configuration, said so that the operator can repair it at once.
//!
//! Loading does not stop at the first mistake: [`ConfigErrors`] carries all of them.

use std::fmt;
use std::path::PathBuf;

use crate::Origin;
use crate::persisted::PersistedError;

/// One mistake in a configuration.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConfigError {
    /// A file named by the operator could not be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        error: std::io::Error,
    },
    /// A line that is not an option, a group, a comment or an include.
    Syntax {
        /// The line.
        origin: Origin,
        /// What is wrong with it and what was expected.
        message: String,
    },
    /// No option has this name.
    UnknownOption {
        /// Where it is written.
        origin: Origin,
        /// The name as written.
        option: String,
        /// A name it may have meant, or why Weir has no such option.
        hint: Option<String>,
    },
    /// A prefix on the command line that more than one option starts with.
    Ambiguous {
        /// The prefix as written.
        option: String,
        /// The options that start with it.
        candidates: Vec<&'static str>,
    },
    /// The option exists but does nothing in this role.
    OtherRole {
        /// Where it is written.
        origin: Origin,
        /// The option.
        option: &'static str,
        /// The role it is for: `primary` or `replica`.
        role: &'static str,
    },
    /// A value outside what is allowed.
    BadValue {
        /// Where it is written.
        origin: Origin,
        /// The option.
        option: String,
        /// The value as written; hidden for secrets.
        value: String,
        /// What is allowed.
        allowed: String,
    },
    /// Options that are fine alone and impossible together.
    Contradiction {
        /// Where the later one is written.
        origin: Origin,
        /// The sentence for the operator.
        message: String,
    },
    /// The file of the variables that SET PERSIST keeps is not taken.
    Persisted(PersistedError),
}

/// What to do about a value that stands where no operator wrote it.
fn remedy(origin: &Origin) -> &'static str {
    match origin {
        Origin::Persisted(_) => {
            "; correct it in the file or take it out, or start with --persisted-globals-load=OFF \
             and use RESET PERSIST"
        }
        Origin::Default | Origin::File { .. } | Origin::CommandLine => "",
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, error } => {
                write!(f, "{}: cannot be read: {error}", path.display())
            }
            Self::Syntax { origin, message } => write!(f, "{origin}: {message}"),
            Self::UnknownOption {
                origin,
                option,
                hint,
            } => {
                write!(f, "{origin}: unknown option '{option}'")?;
                match hint {
                    Some(hint) => write!(f, "; {hint}"),
                    None => f.write_str("; write 'loose-' before the name to have it ignored"),
                }
            }
            Self::Ambiguous { option, candidates } => {
                write!(f, "command line: option '{option}' could be any of ")?;
                f.write_str(&candidates.join(", "))
            }
            Self::OtherRole {
                origin,
                option,
                role,
            } => write!(
                f,
                "{origin}: option '{option}' acts only in `weir {role}`; move it to a group [{role}]"
            ),
            Self::BadValue {
                origin,
                option,
                value,
                allowed,
            } => {
                write!(
                    f,
                    "{origin}: option '{option}' cannot be '{value}'; allowed: {allowed}{}",
                    remedy(origin)
                )
            }
            Self::Contradiction { origin, message } => {
                write!(f, "{origin}: {message}{}", remedy(origin))
            }
            Self::Persisted(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable { error, .. } => Some(error),
            _ => None,
        }
    }
}

/// Every mistake found in one configuration; never empty. Displays one per line.
#[derive(Debug)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        Self(vec![error])
    }
}

/// Something that loads but that the operator should know: an old name, a clamped value, an
/// ignored file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where it was found.
    pub origin: Origin,
    /// The sentence for the operator.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.message)
    }
}
