//! Which of the nodes that share a store does what one of them has to do: deleting what is old, acts on many runs,
//! the export of traces.

use stepwell_store::{Error as StoreError, Store};

use crate::error::Error;
use crate::handle::Handle;

impl Handle {
    /// Tells whether this node is the one: the oldest of those whose lease lasts, and any node that shares its store
    /// with nobody. While nodes come and go, two may be for the length of a lease, or none.
    ///
    /// # Errors
    /// SW1008 when the store cannot be asked, or the server starts again.
    pub async fn leads(&self) -> Result<bool, Error> {
        self.read(leads).await
    }
}

fn leads(store: &dyn Store) -> Result<bool, StoreError> {
    let Some(shared) = store.shared() else { return Ok(true) };
    let lease = shared.lease();
    let members = shared.members()?;
    let alive = members.iter().filter(|member| member.until > lease.now);
    Ok(alive.map(|member| member.id).min() == Some(lease.member))
}
