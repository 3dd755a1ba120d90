//! The HTTP API, version 1; `docs/api.md` describes it.
//!
//! | file | holds |
//! | --- | --- |
//! | `routes` | the one table of routes, and the router made of it |
//! | `body` | reading bodies and queries, strictly |
//! | `runs` | starts |
//! | `list` | lists of runs, and counts of them |
//! | `both` | lists of durable and observed runs together |
//! | `telemetry` | events of observed runs |
//! | `flows` | flows, and what is declared of them |
//! | `flow` | one flow, and what its runs add up to |
//! | `observed` | observed runs |
//! | `activity` | how many runs ended, by the minute |
//! | `acts` | cancels, and the acts of operators |
//! | `run` | one run with its steps, and why it is not moving |
//! | `export`, `import` | copies of runs |
//! | `history` | the event log of a run |
//! | `glance` | runs at a glance, for rows of lists |
//! | `events` | sending, listing and showing events |
//! | `known` | workflows and runners |
//! | `stream` | what changes, as it does |
//! | `health` | health |
//! | `metrics`, `process` | metrics, of the server and of its process |
//! | `me` | who a caller is, and the session of a browser |
//! | `keys` | API keys |
//! | `namespaces` | namespaces |
//! | `backups` | backups |
//! | `restored` | of which backup the server was restored, letting its runs go |
//! | `audit` | the audit log |
//! | `openapi` | the document that describes all of this |
//! | `bulk` | acts on many runs |
//! | `answer` | values as answers |

mod activity;
mod acts;
mod answer;
mod audit;
mod backups;
mod body;
mod both;
mod bulk;
mod events;
mod export;
mod flow;
mod flows;
mod glance;
mod health;
mod history;
mod import;
mod keys;
mod known;
mod list;
mod me;
mod metrics;
mod namespaces;
mod observed;
mod openapi;
mod process;
mod reload;
mod remake;
mod restored;
mod routes;
mod run;
mod runs;
mod stream;
mod telemetry;

pub use activity::Past;
pub(crate) use list::filter_of;
pub use routes::{Api, Route, router, routes};
