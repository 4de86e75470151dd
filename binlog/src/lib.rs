//! MySQL binary log events, row images and log files.
