//! The gate that every statement goes through on its way to the database. It stands open and costs nothing; in tests
//! a simulation may stand at it, let others go first, or end the process there (`lifecycle/tests/simulation.rs`).

#[cfg(not(test))]
mod open {
    use sqlx::{AnyConnection, AnyPool};

    /// The connections that are read by.
    pub type Reads = AnyPool;

    /// A transaction's connection, for one statement.
    pub type Statement<'c> = &'c mut AnyConnection;

    pub fn reads(pool: AnyPool) -> Reads {
        pool
    }

    pub fn statement(connection: &mut AnyConnection) -> Statement<'_> {
        connection
    }

    /// A statement that goes around the gate, by a connection that is held for several.
    pub fn around<T>(text: T) -> T {
        text
    }
}

#[cfg(not(test))]
pub(super) use open::{Reads, Statement, around, reads, statement};
#[cfg(test)]
pub(super) use seen::around;
#[cfg(test)]
pub(super) use watched::{Reads, Statement, reads, statement};

#[cfg(test)]
pub(crate) mod seen;
#[cfg(test)]
pub(crate) mod watched;
