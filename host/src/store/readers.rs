//! The connections that read, behind the gate. What goes wrong with a read is told to the database's health, whoever asked.

use std::ops::DerefMut;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt as _, StreamExt as _};
use sqlx::any::{AnyQueryResult, AnyRow, AnyStatement, AnyTypeInfo};
use sqlx::{Any, AnyConnection, Describe, Either, Execute, Executor, SqlStr};

use super::health::Health;
use super::{Result, StoreError, gate};
use crate::threads;

#[derive(Debug)]
pub(super) struct Readers {
    pool: gate::Reads,
    /// Those of threads that give way, where reading computes in this process.
    giving_way: Option<gate::Reads>,
    health: Arc<Health>,
}

impl Readers {
    pub fn new(pool: gate::Reads, giving_way: Option<gate::Reads>, health: Arc<Health>) -> Self {
        Self { pool, giving_way, health }
    }

    /// What nobody waits for is read by threads that nobody waits for.
    fn pool(&self) -> &gate::Reads {
        self.giving_way.as_ref().filter(|_| threads::gives_way()).unwrap_or(&self.pool)
    }

    /// For several reads in a row.
    pub async fn acquire(&self) -> Result<impl DerefMut<Target = AnyConnection> + use<>> {
        self.pool().acquire().await.map_err(|error| self.heard(StoreError::from(error)))
    }

    pub async fn close(&self) {
        if let Some(giving_way) = &self.giving_way {
            giving_way.close().await;
        }
        self.pool.close().await;
    }

    /// The same error, which the health knows of.
    pub fn heard(&self, error: StoreError) -> StoreError {
        self.health.meet(&error);
        error
    }

    fn listen<T>(&self, read: &Result<T, sqlx::Error>) {
        if let Err(error) = read {
            self.health.meet(&error.into());
        }
    }
}

impl<'c> Executor<'c> for &'c Readers {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<Either<AnyQueryResult, AnyRow>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        self.pool().fetch_many(query).inspect(move |row| self.listen(row)).boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<AnyRow>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        self.pool().fetch_optional(query).inspect(move |row| self.listen(row)).boxed()
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [AnyTypeInfo],
    ) -> BoxFuture<'e, Result<AnyStatement, sqlx::Error>>
    where
        'c: 'e,
    {
        self.pool().prepare_with(sql, parameters)
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Any>, sqlx::Error>>
    where
        'c: 'e,
    {
        self.pool().describe(sql)
    }
}
