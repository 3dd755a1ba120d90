//! Requests that are asked again by themselves: another node wrote the same key, event or run at the same
//! moment, and nothing was written here.

use std::sync::Arc;
use stepwell_core::id::RunId;
use stepwell_node::{
    About, ForkRequest, ImportRequest, Input, RequestId, SendRequest, Signed, StartRequest,
};

use crate::inbox::Ask;

/// How often a request is asked in all: by the second time, what the other node wrote is there.
const TRIES: u8 = 20;

/// What can be asked again.
#[derive(Debug)]
enum What {
    Start(Box<StartRequest>),
    Send(Box<SendRequest>),
    Fork { namespace: Arc<str>, run: RunId, fork: Box<ForkRequest>, signed: Signed },
    Import { namespace: Arc<str>, run: RunId, import: Box<ImportRequest>, signed: Signed },
}

/// A request that may have to be asked again.
#[derive(Debug)]
pub(crate) struct Again {
    what: What,
    left: u8,
}

impl Again {
    /// Keeps what is asked, where it is of a kind that may meet what another node writes.
    pub(crate) fn of(ask: &Ask) -> Option<Self> {
        let what = match ask {
            Ask::Start { start, .. } => What::Start(start.clone()),
            Ask::Send { send } => What::Send(send.clone()),
            Ask::Fork { namespace, run, fork, signed } => What::Fork {
                namespace: Arc::clone(namespace),
                run: *run,
                fork: fork.clone(),
                signed: signed.clone(),
            },
            Ask::Import { namespace, run, import, signed } => What::Import {
                namespace: Arc::clone(namespace),
                run: *run,
                import: import.clone(),
                signed: signed.clone(),
            },
            Ask::Cancel { .. }
            | Ask::Operate { .. }
            | Ask::Resolve { .. }
            | Ask::Wait { .. }
            | Ask::Runners { .. } => return None,
        };
        Some(Self { what, left: TRIES })
    }

    /// Asks again, unless it was asked often enough.
    pub(crate) fn ask(&mut self, request: RequestId) -> Option<Input<'static>> {
        self.left = self.left.checked_sub(1)?;
        Some(match &self.what {
            What::Start(start) => Input::Start { request, start: start.clone() },
            What::Send(send) => Input::Send { request, send: send.clone() },
            What::Fork { namespace, run, fork, signed } => {
                let about = About { request, namespace: Arc::clone(namespace), run: *run };
                Input::Fork { about, fork: fork.clone(), signed: signed.clone() }
            }
            What::Import { namespace, run, import, signed } => {
                let about = About { request, namespace: Arc::clone(namespace), run: *run };
                Input::Import { about, import: import.clone(), signed: signed.clone() }
            }
        })
    }
}
