//! Being a member: joining, the lease, leaving.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stepwell_core::time::Timestamp;
use stepwell_store::Error;
use stepwell_store::shared::{Lease, Member, MemberId};
use tokio_postgres::{Client, Row, SimpleQueryMessage, Transaction};
use uuid::Uuid;

use crate::error::failed;
use crate::lane::{Sql, column};
use crate::moving::mark;
use crate::server::{IDENTITY, Identity};
use crate::session::{Purpose, Sessions, Working, within};
use crate::store::Postgres;
use crate::value::Text;

/// The store's time, in microseconds.
pub(crate) const NOW: &str = "store_time()";

/// How far the clocks of two servers of one database may be apart, in microseconds.
const APART_MICROS: i64 = 1_000_000;

/// Who writes.
pub(crate) struct Me {
    pub(crate) id: i64,
    pub(crate) nonce: Uuid,
    /// The batch behind which this member began.
    pub(crate) base: i64,
    /// What runners were given until then is void.
    pub(crate) void_until: Option<Timestamp>,
    lease_micros: i64,
    identity: Identity,
    lease: Mutex<Lease>,
    /// On which the lease is renewed; absent until it is needed, and after it was lost.
    renewing: Mutex<Option<Client>>,
}

/// Begins a statement that counts only for who is a member: a table `fence` with one row then.
///
/// The row is locked, so that who ends the membership waits for what is being written.
pub(crate) fn fenced(me: &Me) -> Sql {
    let mut sql = asking(me);
    sql.push(&format!("WITH fence AS MATERIALIZED ({MEMBER} FOR NO KEY UPDATE)"));
    sql
}

/// Begins the values of a statement with those that say who asks.
pub(crate) fn asking(me: &Me) -> Sql {
    let mut sql = Sql::default();
    sql.value(me.id);
    sql.value(me.nonce);
    sql
}

/// The row of the member whose id and nonce are the first two values, if it is one.
pub(crate) const MEMBER: &str = "SELECT FROM members
    WHERE id = $1 AND nonce = $2 AND NOT ended AND lease_until > store_time()";

/// Returns what is asked to know whether somebody is still a member.
pub(crate) fn is_member(me: &Me) -> Sql {
    let mut sql = asking(me);
    sql.push(&format!("SELECT EXISTS ({MEMBER})"));
    sql
}

impl Me {
    /// Becomes a member. What was one under the same name is none from then on.
    ///
    /// # Errors
    /// [`Error::Refused`] while somebody moves the store; [`Error::Unavailable`].
    pub(crate) async fn join(
        client: &mut Client,
        (schema, node, nonce): (&str, &str, u128),
        lease: Duration,
    ) -> Result<Self, Error> {
        let node = Text::from(node);
        let nonce = Uuid::from_u128(nonce);
        let lease_micros = i64::try_from(lease.as_micros()).unwrap_or(i64::MAX);
        let joining = async {
            let transaction = client.transaction().await?;
            if !transaction.query_one(&mark::shared(), &[]).await?.get::<_, bool>(0) {
                return Ok(None);
            }
            // One at a time under a name: else neither ends the other.
            let sql = "SELECT pg_advisory_xact_lock(hashtextextended(
                current_schema() || ' node ' || $1::text, 0))";
            transaction.execute(sql, &[&node]).await?;
            // Waits for what that one is writing.
            let sql = format!(
                "UPDATE members SET ended = true, lease_until = least(lease_until, {NOW})
                WHERE node = $1 AND NOT ended"
            );
            transaction.execute(&sql, &[&node]).await?;
            let (identity, void_until) = compare(&transaction).await?;
            let sql = format!(
                "INSERT INTO members (node, nonce, since, lease_until, head, base, high_water)
                SELECT $1, $2, at, at + $3, head, head, -9223372036854775808
                FROM (SELECT {NOW} AS at, greatest((SELECT max(head) FROM members),
                    (SELECT value FROM meta WHERE name = 'head')) AS head) AS begun
                RETURNING id, since, lease_until, base"
            );
            let row = transaction.query_one(&sql, &[&node, &nonce, &lease_micros]).await?;
            transaction.commit().await?;
            Ok(Some((row, identity, void_until)))
        };
        let joined = joining.await.map_err(|error: tokio_postgres::Error| failed(&error))?;
        let (row, identity, void_until) = joined.ok_or_else(|| mark::busy(schema))?;
        let id: i64 = column(&row, 0)?;
        let lease = lease_of(id, &row, 1)?;
        let base = column(&row, 3)?;
        let (lease, renewing) = (Mutex::new(lease), Mutex::default());
        Ok(Self { id, nonce, base, void_until, lease_micros, identity, lease, renewing })
    }

    /// Returns the lease that was granted last.
    pub(crate) fn lease(&self) -> Lease {
        *locked(&self.lease)
    }

    /// Lets the lease run anew from now.
    ///
    /// # Errors
    /// [`Error::Fenced`] when it ran out, somebody ended it, or the database is not the one that was
    /// joined: another cluster, or one that went another way since. [`Error::Unavailable`]: it may be
    /// tried again.
    pub(crate) fn renew(&self, sessions: &Sessions) -> Result<Lease, Error> {
        let (id, nonce, lease) = (self.id, self.nonce, self.lease_micros);
        let row = self.ask(sessions, move |client| {
            Box::pin(async move {
                let sql = format!(
                    "UPDATE members SET lease_until = {NOW} + $3
                    WHERE id = $1 AND nonce = $2 AND NOT ended AND lease_until > {NOW}
                    RETURNING lease_until - $3, lease_until, {IDENTITY}"
                );
                let row = client.query_opt(&sql, &[&id, &nonce, &lease]).await;
                row.map_err(|error| failed(&error))
            })
        })?;
        let row = row.ok_or(Error::Fenced)?;
        if Identity::of(&row).map_err(|error| failed(&error))? != self.identity {
            return Err(Error::Fenced);
        }
        let granted = lease_of(self.id, &row, 0)?;
        let mut lease = locked(&self.lease);
        *lease = granted;
        Ok(granted)
    }

    /// Asks for the store's time, in one exchange with the server.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub(crate) fn time(&self, sessions: &Sessions) -> Result<Timestamp, Error> {
        let told = self.ask(sessions, |client| {
            Box::pin(async {
                let told = client.simple_query(&format!("SELECT {NOW}")).await;
                told.map_err(|error| failed(&error))
            })
        })?;
        let told = told.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0)?.parse().ok(),
            _ => None,
        });
        let none = || Error::Unavailable("PostgreSQL did not tell its time".into());
        told.map(Timestamp::from_micros).ok_or_else(none)
    }

    /// Asks something on the connection on which the lease is renewed.
    fn ask<T: Send + 'static>(
        &self,
        sessions: &Sessions,
        ask: impl for<'c> FnOnce(&'c Client) -> Working<'c, T> + Send + 'static,
    ) -> Result<T, Error> {
        let mut renewing = locked(&self.renewing);
        let client = match renewing.take().filter(|client| !client.is_closed()) {
            Some(client) => client,
            None => sessions.connect(Purpose::Write)?,
        };
        let work = async move {
            let told = ask(&client).await?;
            Ok((client, told))
        };
        let patience = Duration::from_micros(self.lease_micros.unsigned_abs());
        let (client, told) = sessions.line.wait(within(patience, work))??;
        *renewing = Some(client);
        Ok(told)
    }
}

/// Looks whether the database is still the one that it was when somebody joined last. If it is not, what was
/// acknowledged then may be lost, and what runners were given is void from now on (I20).
async fn compare(
    transaction: &Transaction<'_>,
) -> Result<(Identity, Option<Timestamp>), tokio_postgres::Error> {
    let sql = format!("SELECT {IDENTITY}");
    let identity = Identity::of(&transaction.query_one(&sql, &[]).await?)?;
    let Identity { system, timeline } = identity;
    let begin = "INSERT INTO meta (name, value) VALUES ('system', $1), ('timeline', $2)
        ON CONFLICT DO NOTHING";
    transaction.execute(begin, &[&system, &timeline]).await?;
    // Who joins meanwhile waits, and then sees what is decided here.
    let kept = "SELECT value FROM meta WHERE name IN ('system', 'timeline') ORDER BY name
        FOR UPDATE";
    let kept = transaction.query(kept, &[]).await?;
    let kept: Vec<i64> = kept.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    if kept != [system, timeline] {
        let change =
            "UPDATE meta SET value = CASE name WHEN 'system' THEN $1::bigint ELSE $2::bigint END
            WHERE name IN ('system', 'timeline')";
        transaction.execute(change, &[&system, &timeline]).await?;
        let void = format!(
            "INSERT INTO meta (name, value)
            SELECT 'void_until', $1::bigint + greatest({NOW}, (SELECT max(high_water) FROM members),
                (SELECT value FROM meta WHERE name = 'high_water'))
            ON CONFLICT (name) DO UPDATE SET value = greatest(meta.value, excluded.value)"
        );
        transaction.execute(&void, &[&APART_MICROS]).await?;
        let behind = "UPDATE meta SET value = greatest(value,
                1 + (SELECT value FROM meta WHERE name = 'void_until'))
            WHERE name = 'high_water'";
        transaction.execute(behind, &[]).await?;
    }
    let void = "SELECT value FROM meta WHERE name = 'void_until'";
    let void = transaction.query_opt(void, &[]).await?;
    let void: Option<i64> = void.map(|row| row.try_get(0)).transpose()?;
    Ok((identity, void.map(Timestamp::from_micros)))
}

/// Locks what no panic can leave half changed.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn lease_of(id: i64, row: &Row, at: usize) -> Result<Lease, Error> {
    Ok(Lease {
        member: MemberId(id.unsigned_abs()),
        now: Timestamp::from_micros(column(row, at)?),
        until: Timestamp::from_micros(column(row, at + 1)?),
    })
}

/// What lists all members.
pub(crate) const MEMBERS: &str = "SELECT id, node, since, lease_until, head - base,
        (SELECT count(*) FROM runs WHERE owner = members.id)
    FROM members ORDER BY id";

/// Reads a row of [`MEMBERS`].
///
/// # Errors
/// [`Error::Unavailable`] when it is none.
pub(crate) fn read(row: &Row) -> Result<Member, Error> {
    Ok(Member {
        id: MemberId(column::<i64>(row, 0)?.unsigned_abs()),
        node: column::<Text>(row, 1)?.0,
        since: Timestamp::from_micros(column(row, 2)?),
        until: Timestamp::from_micros(column(row, 3)?),
        head: column::<i64>(row, 4)?.unsigned_abs(),
        runs: column::<i64>(row, 5)?.unsigned_abs(),
    })
}

/// Ends the membership.
///
/// # Errors
/// [`Error::Fenced`] when it has ended already, or its lease ran out; as [`crate::lane::Lane::write`].
pub(crate) fn leave(store: &Postgres) -> Result<(), Error> {
    let mut writer = locked(&store.writer);
    let mut sql = Sql::default();
    let (id, nonce) = (sql.value(store.me.id), sql.value(store.me.nonce));
    sql.push(&format!(
        "UPDATE members SET ended = true, lease_until = least(lease_until, {NOW})
        WHERE id = {id} AND nonce = {nonce} AND NOT ended AND lease_until > {NOW} RETURNING 1"
    ));
    let left = writer.lane.write(&store.sessions.line, sql)?;
    if left.is_empty() { Err(Error::Fenced) } else { Ok(()) }
}
