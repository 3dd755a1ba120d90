//! The SDK without sockets, threads and clocks, for simulators and tests.
//!
//! The same [`Session`] and [`Run`]s that the driver moves under tokio, moved by somebody else: bring
//! frames in and out, say when time has passed, poll the runs.
//!
//! ```
//! use std::sync::Arc;
//! use stepwell::sim::{Blocking, Clock, Moment, session};
//! use stepwell::{App, Ctx, Result};
//!
//! struct Still;
//! impl Clock for Still {
//!     fn now(&self) -> Moment {
//!         Moment::from_micros(0)
//!     }
//! }
//! impl Blocking for Still {
//!     fn spawn(&self, function: Box<dyn FnOnce() + Send>) {
//!         function();
//!     }
//! }
//!
//! async fn nothing(_ctx: Ctx) -> Result<()> {
//!     Ok(())
//! }
//!
//! let app = App::new("demo").workflow("nothing", nothing);
//! let mut session = session(app, "instance-1", Arc::new(Still), Arc::new(Still))?;
//! session.on_connected(Moment::from_micros(0));
//! let hello = session.next_frame().unwrap();
//! assert!(hello.starts_with(b"[{\"hello\":"));
//! # Ok::<(), stepwell::Error>(())
//! ```

use std::sync::Arc;

pub use crate::machine::Run;
pub use crate::moment::{Clock, Moment};
pub use crate::session::{Blocking, Fault, Session};

use crate::app::App;
use crate::error::Result;

/// Makes the session of an app.
///
/// `instance` is random per process in life. The clock is read for the instants at which functions
/// begin and end; it has to agree with the instants that the session is given.
///
/// # Errors
/// [`Argument`](crate::ErrorKind::Argument) when something that the app was given is not accepted.
pub fn session(
    app: App,
    instance: &str,
    clock: Arc<dyn Clock>,
    blocking: Arc<dyn Blocking>,
) -> Result<Session> {
    let (identity, handlers) = app.into_parts(instance.to_owned())?;
    Ok(Session::new(identity, handlers, clock, blocking))
}
