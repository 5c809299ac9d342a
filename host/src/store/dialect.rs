//! Where databases differ: migrations, claiming, and how a transaction begins. All other SQL is one text
//! for all of them.

mod sqlite;

/// The database in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
}

impl Dialect {
    /// Version and SQL, oldest first.
    pub(super) fn migrations(self) -> &'static [(i64, &'static str)] {
        match self {
            Self::Sqlite => sqlite::MIGRATIONS,
        }
    }

    /// 0: no host has ever opened the database.
    pub(super) fn count_of_migration_tables(self) -> &'static str {
        match self {
            Self::Sqlite => sqlite::COUNT_OF_MIGRATION_TABLES,
        }
    }

    /// Begins a transaction that will write.
    pub(super) fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => sqlite::BEGIN,
        }
    }

    /// What a new connection is told before its first use.
    pub(super) fn prepare(self, writes: bool) -> &'static [&'static str] {
        match self {
            Self::Sqlite if writes => sqlite::PREPARE_WRITER,
            Self::Sqlite => sqlite::PREPARE_READER,
        }
    }

    /// Leases eligible jobs of one shop: `$1` lease until, `$2` shop, `$3` now, `$4` how many; then the
    /// names of live plugins, in as many placeholders as there are names.
    pub(super) fn claim(self, plugins: usize) -> String {
        let names = (0..plugins).map(|index| format!("${}", index + 5)).collect::<Vec<_>>().join(", ");
        match self {
            Self::Sqlite => sqlite::CLAIM.replace("{plugins}", &names),
        }
    }
}
