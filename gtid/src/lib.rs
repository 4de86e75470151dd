//! MySQL and MariaDB global transaction identifiers: sets, set algebra, text and binary forms.
