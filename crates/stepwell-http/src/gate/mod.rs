//! The one door: every request passes here before anything else looks at it.
//!
//! Who is let in is an [`Admission`], which only [`Gate::admit`] makes. `guard`, which stands before each
//! route of the table, holds its caller's role against the right that the table says. Handlers take a
//! [`Caller`], which comes from there alone: a route that is not behind the door cannot be written by
//! accident.
//!
//! | file | holds |
//! | --- | --- |
//! | `access` | how a server lets in: with keys, or whoever is on this machine |
//! | `admit` | who a request is of |
//! | `origin` | where a request comes from: `Host`, `Origin`, `Sec-Fetch-Site`, the address |
//! | `caller` | who is let in, as handlers see it |
//! | `guard` | the right of a route, held against its caller |
//! | `audited` | acts, in the audit log before and after they are done |
//! | `live` | what lasts ends with the key that it was begun with |
//! | `keys` | the keyring of a running server, and who is told when it changes |
//! | `cookie` | the session of a browser |
//! | `rates` | how much comes in from an address, and with a key |

mod access;
mod admit;
mod audited;
mod caller;
mod cookie;
mod guard;
mod keys;
mod live;
mod origin;
mod rates;

pub use access::{Access, Mode, OpenLedger, Transport};
pub use admit::{Gate, HEADER_BYTES_MAX};
pub use caller::{Admission, Caller, CallerKey};
pub(crate) use cookie::{clear_cookie, session_cookie};
pub(crate) use guard::{Spec, guard};
pub use keys::{Keys, entropy, now};
pub use rates::Rates;
pub(crate) use rates::{Permit, Throttle};
