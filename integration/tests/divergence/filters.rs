//! Database filters decide as those of MySQL 9.7.
