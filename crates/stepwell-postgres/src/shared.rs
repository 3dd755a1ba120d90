//! The store as nodes ask it that share it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use stepwell_core::id::RunId;
use stepwell_core::time::Timestamp;
use stepwell_store::Error;
use stepwell_store::batch::Workflow;
use stepwell_store::event::Place;
use stepwell_store::inbox::{Message, MessageId};
use stepwell_store::query::Queue;
use stepwell_store::shared::{Answer, Claim, Crew, Lease, Member, MemberId, Presence, Shared};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::claim;
use crate::lane::{Sql, column};
use crate::member::{self, MEMBERS, NOW, is_member};
use crate::read;
use crate::store::Postgres;
use crate::take_over;
use crate::value::{Text, kind, rows, run_id, uuid, uuids};

impl Postgres {
    /// Asks something that only a member may ask. That it is one is looked at behind the question: so it was
    /// one then.
    pub(crate) fn asked(&self, sql: Sql) -> Result<Vec<Row>, Error> {
        let found = self.sessions.ask(sql.text, sql.values)?;
        self.is_one()?;
        Ok(found)
    }

    /// Fails for who is no member.
    ///
    /// # Errors
    /// [`Error::Fenced`], [`Error::Unavailable`].
    pub(crate) fn is_one(&self) -> Result<(), Error> {
        let Sql { text, values } = is_member(&self.me);
        let still: bool = match self.sessions.ask(text, values)?.first() {
            Some(row) => column(row, 0)?,
            None => false,
        };
        if still { Ok(()) } else { Err(Error::Fenced) }
    }
}

impl Shared for Postgres {
    fn lease(&self) -> Lease {
        self.me.lease()
    }

    fn void_until(&self) -> Option<Timestamp> {
        self.me.void_until
    }

    fn renew(&self) -> Result<Lease, Error> {
        let lease = self.me.renew(&self.sessions)?;
        self.look_at_size();
        Ok(lease)
    }

    fn time(&self) -> Result<Timestamp, Error> {
        self.me.time(&self.sessions)
    }

    fn claim(&self, runs: &[RunId]) -> Result<Vec<Claim>, Error> {
        claim::claim(self, runs)
    }

    fn claim_due(&self, until: Timestamp, limit: usize) -> Result<Vec<RunId>, Error> {
        claim::claim_due(self, until, limit)
    }

    fn claim_ready(
        &self,
        queue: &Queue,
        crew: &Crew,
        limit: usize,
    ) -> Result<Vec<(Timestamp, RunId)>, Error> {
        claim::claim_ready(self, queue, (crew, limit))
    }

    fn claim_unrouted(&self, limit: usize) -> Result<Vec<Place>, Error> {
        claim::claim_unrouted(self, limit)
    }

    fn mail(&self, after: Option<&MessageId>, limit: usize) -> Result<Vec<Arc<Message>>, Error> {
        let mut sql = Sql::default();
        let me = sql.value(self.me.id);
        let mut behind = String::new();
        if let Some(MessageId { to, from, kind: what }) = after {
            let (to, from, what) =
                (sql.value(uuid(*to)), sql.value(uuid(*from)), sql.value(kind(*what)));
            behind = format!("AND (recipient, sender, kind) > ({to}, {from}, {what})");
        }
        let limit = sql.value(rows(limit));
        sql.push(&format!(
            "SELECT {} FROM inbox WHERE NOT EXISTS (SELECT FROM runs
                WHERE runs.id = inbox.recipient AND runs.owner <> {me}) {behind}
            ORDER BY recipient, sender, kind LIMIT {limit}",
            read::MESSAGE
        ));
        self.asked(sql)?.iter().map(read::message).collect()
    }

    fn answers(&self, asks: &[RunId]) -> Result<Vec<Answer>, Error> {
        let sql = "SELECT ask, body FROM answers WHERE ask = ANY ($1::uuid[]) ORDER BY ask";
        let found = self.asked(Sql::new(sql, vec![Box::new(uuids(asks))]))?;
        let answer = |row: &Row| {
            let ask = run_id(column::<Uuid>(row, 0)?);
            Ok(Answer { ask, body: column::<Text>(row, 1)?.0 })
        };
        found.iter().map(answer).collect()
    }

    fn over(&self, runs: &[RunId]) -> Result<Vec<RunId>, Error> {
        let sql = "SELECT wanted FROM unnest($1::uuid[]) AS wanted WHERE NOT EXISTS (
            SELECT FROM runs WHERE runs.id = wanted AND runs.ended_at IS NULL)";
        let found = self.asked(Sql::new(sql, vec![Box::new(uuids(runs))]))?;
        found.iter().map(|row| column(row, 0).map(run_id)).collect()
    }

    fn registered(&self, since: u64) -> Result<(u64, Vec<Workflow>), Error> {
        let sql = "SELECT namespace, app, workflows.name, options, first_at, changed_at, meta.value
            FROM meta LEFT JOIN workflows ON workflows.version > $1
            WHERE meta.name = 'workflows' ORDER BY namespace, app, workflows.name";
        let since = i64::try_from(since).unwrap_or(i64::MAX);
        let found = self.asked(Sql::new(sql, vec![Box::new(since)]))?;
        let version: i64 = found.first().map_or(Ok(0), |row| column(row, 6))?;
        let mut workflows = Vec::new();
        for row in &found {
            if column::<Option<Text>>(row, 0)?.is_some() {
                workflows.push(read::workflow(row)?);
            }
        }
        Ok((version.unsigned_abs(), workflows))
    }

    fn meet(&self, runners: &[Presence]) -> Result<Vec<Arc<str>>, Error> {
        take_over::meet(self, runners)
    }

    fn runners(&self) -> Result<Vec<(MemberId, Presence)>, Error> {
        let sql = format!(
            "SELECT member, namespace, app, name, instance, runners.since, body
            FROM runners JOIN members ON members.id = runners.member
            WHERE NOT members.ended AND members.lease_until > {NOW}
            ORDER BY namespace, app, name, instance, member"
        );
        let read = |row: &Row| {
            let text = |at| column::<Text>(row, at).map(|text| text.0);
            let presence = Presence {
                namespace: text(1)?,
                app: text(2)?,
                name: text(3)?,
                instance: text(4)?,
                since: Timestamp::from_micros(column(row, 5)?),
                body: text(6)?,
            };
            Ok((MemberId(column::<i64>(row, 0)?.unsigned_abs()), presence))
        };
        self.asked(Sql::new(sql, Vec::new()))?.iter().map(read).collect()
    }

    fn take_over(&self, grant: Duration, limit: usize) -> Result<usize, Error> {
        take_over::take_over(self, grant, limit)
    }

    fn tidy(&self, until: Timestamp, limit: usize) -> Result<usize, Error> {
        let sql = "WITH old AS MATERIALIZED (SELECT ask FROM answers WHERE at < $1
                ORDER BY at, ask LIMIT $2 FOR UPDATE SKIP LOCKED),
            gone AS (DELETE FROM answers USING old WHERE answers.ask = old.ask RETURNING 1)
            SELECT count(*) FROM gone";
        let values = vec![Box::new(until.as_micros()) as _, Box::new(rows(limit)) as _];
        let found = self.asked(Sql::new(sql, values))?;
        let count: i64 = found.first().map_or(Ok(0), |row| column(row, 0))?;
        Ok(usize::try_from(count).unwrap_or(0))
    }

    fn leave(&self) -> Result<(), Error> {
        member::leave(self)
    }

    fn members(&self) -> Result<Vec<Member>, Error> {
        self.asked(Sql::new(MEMBERS, Vec::new()))?.iter().map(member::read).collect()
    }
}

impl Postgres {
    /// Looks now and then how large the tables are: their indexes and what is stored beside them included.
    fn look_at_size(&self) {
        if !self.is_size_old() {
            return;
        }
        let sql = "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class
            WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'";
        let found = self.sessions.ask(sql, Vec::new());
        let size = found.ok().and_then(|found| column::<i64>(found.first()?, 0).ok());
        if let Some(size) = size {
            self.disk_bytes.store(size.unsigned_abs(), Ordering::Relaxed);
        }
    }
}
