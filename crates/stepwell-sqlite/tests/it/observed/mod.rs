//! The store of observed runs as its callers see it.

mod crash;
mod life;
mod lists;
mod order;
pub(crate) mod told;
