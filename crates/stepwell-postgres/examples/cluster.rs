//! A private PostgreSQL on 127.0.0.1 for as long as somebody holds this program's input: prints its address, and
//! ends, with all that is in it, once the input does.
//!
//!     cargo run -p stepwell-postgres --features testing --example cluster

use std::io::{Read as _, Write as _};

use stepwell_postgres::testing::{Cluster, Durability};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cluster = Cluster::start(Durability::Default)?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", cluster.url())?;
    out.flush()?;
    std::io::stdin().lock().read_to_end(&mut Vec::new())?;
    Ok(())
}
