//! A process of runs: a session, its connection, and polling its runs.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use stepwell_node::SessionId;

use super::runtime::{Bell, Flag};
use crate::machine::Run;
use crate::session::Session;

/// A connection, with the frames of the node that are on their way.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) id: SessionId,
    pub(super) down: VecDeque<Vec<u8>>,
}

/// A process that runs code.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) session: Session,
    pub(super) instance: String,
    pub(super) link: Option<Link>,
    runs: Vec<(Run, Arc<Flag>)>,
    bell: Arc<Bell>,
}

impl Process {
    pub(super) fn new(session: Session, instance: String, bell: Arc<Bell>) -> Self {
        Self { session, instance, link: None, runs: Vec::new(), bell }
    }

    /// Polls the runs that want it, once; tells whether there was one.
    pub(super) fn poll(&mut self) -> bool {
        for run in self.session.take_runs() {
            self.runs.push((run, Arc::new(Flag::raised(self.bell.clone()))));
        }
        let mut any = false;
        self.runs.retain_mut(|(run, flag)| {
            if !flag.take() {
                return true;
            }
            any = true;
            let waker = Waker::from(flag.clone());
            Pin::new(run).poll(&mut Context::from_waker(&waker)).is_pending()
        });
        any
    }

    /// Drops the code of every run.
    pub(super) fn drop_runs(&mut self) {
        self.runs.clear();
    }

    /// Tells whether a handler waits for a future that is no step.
    pub(super) fn awaits_others(&self) -> bool {
        self.runs.iter().any(|(run, _)| run.awaits_others())
    }

    /// Tells whether code waits for something that is not the engine.
    pub(super) fn is_calling(&self) -> bool {
        self.runs.iter().any(|(run, _)| run.is_calling() || run.awaits_others())
    }
}
