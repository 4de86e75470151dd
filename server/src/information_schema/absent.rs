//! Tables of things that this server does not have: they exist and are empty.

use super::definition::{Definition, NAME_LENGTH, numbers, texts};

/// COLUMN_PRIVILEGES.
pub(super) const COLUMN_PRIVILEGES: Definition = Definition::empty("COLUMN_PRIVILEGES", |grid| {
    texts(
        grid,
        &[
            "GRANTEE",
            "TABLE_CATALOG",
            "TABLE_SCHEMA",
            "TABLE_NAME",
            "PRIVILEGE_TYPE",
        ],
    )
});

/// EVENTS.
pub(super) const EVENTS: Definition = Definition::empty("EVENTS", |grid| {
    texts(
        grid,
        &["EVENT_CATALOG", "EVENT_SCHEMA", "EVENT_NAME", "DEFINER"],
    )
});

/// FILES.
pub(super) const FILES: Definition = Definition::empty("FILES", |grid| {
    numbers(
        texts(
            grid,
            &[
                "FILE_NAME",
                "FILE_TYPE",
                "TABLESPACE_NAME",
                "LOGFILE_GROUP_NAME",
                "ENGINE",
            ],
        ),
        &["TOTAL_EXTENTS", "EXTENT_SIZE", "INITIAL_SIZE"],
    )
    .text("EXTRA", NAME_LENGTH)
});

/// LIBRARIES.
pub(super) const LIBRARIES: Definition = Definition::empty("LIBRARIES", |grid| {
    texts(grid, &["LIBRARY_CATALOG", "LIBRARY_SCHEMA", "LIBRARY_NAME"])
});

/// PARAMETERS.
pub(super) const PARAMETERS: Definition = Definition::empty("PARAMETERS", |grid| {
    texts(
        grid,
        &["SPECIFIC_SCHEMA", "SPECIFIC_NAME", "PARAMETER_NAME"],
    )
});

/// PLUGINS.
pub(super) const PLUGINS: Definition = Definition::empty("PLUGINS", |grid| {
    texts(
        grid,
        &[
            "PLUGIN_NAME",
            "PLUGIN_STATUS",
            "PLUGIN_TYPE",
            "PLUGIN_LIBRARY",
        ],
    )
});

/// ROUTINES.
pub(super) const ROUTINES: Definition = Definition::empty("ROUTINES", |grid| {
    texts(
        grid,
        &[
            "SPECIFIC_NAME",
            "ROUTINE_CATALOG",
            "ROUTINE_SCHEMA",
            "ROUTINE_NAME",
            "ROUTINE_TYPE",
            "DATA_TYPE",
            "DEFINER",
        ],
    )
});

/// SCHEMA_PRIVILEGES.
pub(super) const SCHEMA_PRIVILEGES: Definition = Definition::empty("SCHEMA_PRIVILEGES", |grid| {
    texts(
        grid,
        &[
            "GRANTEE",
            "TABLE_CATALOG",
            "TABLE_SCHEMA",
            "PRIVILEGE_TYPE",
            "IS_GRANTABLE",
        ],
    )
});

/// TABLE_PRIVILEGES.
pub(super) const TABLE_PRIVILEGES: Definition = Definition::empty("TABLE_PRIVILEGES", |grid| {
    texts(
        grid,
        &[
            "GRANTEE",
            "TABLE_CATALOG",
            "TABLE_SCHEMA",
            "TABLE_NAME",
            "PRIVILEGE_TYPE",
        ],
    )
});

/// TRIGGERS.
pub(super) const TRIGGERS: Definition = Definition::empty("TRIGGERS", |grid| {
    texts(
        grid,
        &[
            "TRIGGER_CATALOG",
            "TRIGGER_SCHEMA",
            "TRIGGER_NAME",
            "EVENT_MANIPULATION",
            "EVENT_OBJECT_SCHEMA",
            "EVENT_OBJECT_TABLE",
            "ACTION_STATEMENT",
            "ACTION_TIMING",
            "DEFINER",
        ],
    )
});

/// USER_PRIVILEGES.
pub(super) const USER_PRIVILEGES: Definition = Definition::empty("USER_PRIVILEGES", |grid| {
    texts(
        grid,
        &["GRANTEE", "TABLE_CATALOG", "PRIVILEGE_TYPE", "IS_GRANTABLE"],
    )
});

/// VIEWS.
pub(super) const VIEWS: Definition = Definition::empty("VIEWS", |grid| {
    texts(
        grid,
        &[
            "TABLE_CATALOG",
            "TABLE_SCHEMA",
            "TABLE_NAME",
            "VIEW_DEFINITION",
            "CHECK_OPTION",
            "IS_UPDATABLE",
            "DEFINER",
            "SECURITY_TYPE",
            "CHARACTER_SET_CLIENT",
            "COLLATION_CONNECTION",
        ],
    )
});
