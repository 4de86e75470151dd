//! Which foreign keys refer to a table.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use super::{Catalog, ForeignKey, Table};

/// A foreign key and the table that has it.
#[derive(Debug, Clone)]
pub struct Reference {
    /// The child.
    pub child: Arc<Table>,
    /// Position in [`Table::foreign_keys`] of the child.
    key: usize,
}

impl Reference {
    /// The foreign key.
    #[must_use]
    pub fn key(&self) -> Option<&ForeignKey> {
        self.child.foreign_keys.get(self.key)
    }
}

/// By database and name of the parent.
type ByParent = HashMap<(String, String), Arc<[Reference]>>;

/// The references of a catalogue by the names of the parents, found when they are first asked for. A
/// copy, which is made to be changed, finds its own.
#[derive(Debug, Default)]
pub(crate) struct References(OnceLock<ByParent>);

impl Clone for References {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// They follow from the tables.
impl PartialEq for References {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for References {}

impl Catalog {
    /// The foreign keys that refer to the table of this name, in the order of their tables and names.
    #[must_use]
    pub fn references_to(&self, database: &str, name: &str) -> Arc<[Reference]> {
        let all = self.references.0.get_or_init(|| {
            let mut all: HashMap<(String, String), Vec<Reference>> = HashMap::new();
            for child in self.tables() {
                for (key, foreign) in child.foreign_keys.iter().enumerate() {
                    let parent = (
                        foreign.parent_database.clone(),
                        foreign.parent_table.clone(),
                    );
                    let child = Arc::clone(child);
                    all.entry(parent)
                        .or_default()
                        .push(Reference { child, key });
                }
            }
            let shared = |(parent, found): (_, Vec<_>)| (parent, found.into());
            all.into_iter().map(shared).collect()
        });
        if all.is_empty() {
            return Arc::default();
        }
        let found = all.get(&(database.to_owned(), name.to_owned()));
        found.map(Arc::clone).unwrap_or_default()
    }
}
