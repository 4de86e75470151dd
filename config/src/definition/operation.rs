//! Options of the process: its log, its metrics, its files.

use super::{Definition, Kind, ListOf};

pub(super) const OPERATION: &[Definition] = &[
    Definition::path(
        "log_error",
        "",
        "File the messages are appended to; by default standard error.",
    ),
    Definition::unsigned(
        "log_error_verbosity",
        (1, 3),
        "2",
        "1 errors, 2 also warnings, 3 also notes. The environment variable WEIR_LOG takes finer \
         filters.",
    )
    .reloads(),
    Definition::choice(
        "log_format",
        &["text", "json"],
        &["text", "json"],
        "text",
        "One line of text or one JSON object per message. Weir's own.",
    ),
    Definition::path(
        "pid_file",
        "",
        "File that holds the process number while it runs.",
    ),
    Definition::new(
        "metrics_bind_address",
        Kind::List(ListOf::Addresses),
        "127.0.0.1",
        "Addresses of the HTTP port. Weir's own.",
    ),
    Definition::unsigned(
        "metrics_port",
        (0, 65_535),
        "0",
        "HTTP port with /metrics (Prometheus) and /health; 0 for none. Weir's own.",
    ),
];
