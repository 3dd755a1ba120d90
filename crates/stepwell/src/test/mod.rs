//! Tests of workflows in one process (feature `test`): the real node and the real SDK, a store in
//! memory, a simulated wire, and a clock that moves when the test says so.
//!
//! ```
//! use std::time::Duration;
//!
//! use stepwell::test::Test;
//! use stepwell::{App, Ctx, Result, RunStatus};
//!
//! async fn remind(ctx: Ctx, name: String) -> Result<String> {
//!     ctx.sleep("a month", "30 days").await?;
//!     ctx.run("mail", || async { Ok(format!("reminded {name}")) }).await
//! }
//!
//! let mut test = Test::new(App::new("shop").workflow("remind", remind))?;
//! let run = test.start("remind", "Ada")?;
//! test.advance(Duration::from_hours(30 * 24 - 1));
//! assert_eq!(run.status()?, RunStatus::Waiting);
//! test.advance(Duration::from_hours(1));
//! assert_eq!(run.output::<String>()?, "reminded Ada");
//! # Ok::<(), stepwell::Error>(())
//! ```
//!
//! | to | use |
//! | --- | --- |
//! | start runs and let time pass | [`Test::start`], [`Test::advance`] |
//! | look at a run | [`TestRun`], [`TestStep`] |
//! | give a result in place of a function | [`Test::mock_step`] |
//! | kill the process at a moment | [`Test::crash_after`], [`Test::crash_at`], [`Test::crash`] |
//! | kill it at every moment there is | [`crash_everywhere`] |
//! | look whether code still follows a history | [`replay`] |
//!
//! The methods are plain functions, for `#[test]` and `#[tokio::test]` alike. Code runs on the thread
//! of the test; what it needs of tokio (`spawn`, sockets, timers) is there, in a runtime of the test's
//! own. **Tokio's own timers are real time**: the virtual clock moves sleeps of workflows, backoffs,
//! timeouts and deadlines, but a function that awaits `tokio::time::sleep(5s)` takes five seconds of
//! the test's life, and none on the virtual clock. While functions are in progress a test waits for
//! them, up to [`Test::patience`] of real time; a function that does nothing for longer is taken to
//! hang, and time goes on without it.
//!
//! | file | holds |
//! | --- | --- |
//! | `harness` | [`Test`]: what a test does |
//! | `view` | [`TestRun`]: what a test sees |
//! | `mock` | what stands in for functions |
//! | `crash` | every crash point of a scenario, and the report |
//! | `replay` | code against a history |
//! | `world` | the node, a process, and time |
//! | `host`, `process`, `runtime` | a node on a store in memory; a process of runs; tokio and wake-ups |
//! | `watch` | what functions and frames tell: calls, what is saved, crash points |

mod crash;
mod harness;
#[doc(hidden)]
pub mod host;
mod mock;
mod process;
mod replay;
mod runtime;
mod view;
mod watch;
mod world;

pub use crash::{Failure, Report, crash_everywhere};
pub use harness::Test;
pub use mock::{Call, Mock};
pub use replay::{Divergence, Replayed, replay};
pub use view::{TestRun, TestStep};
pub use watch::CrashAt;
