//! Modes of files and directories, roles of data directories, locks and pid files.
