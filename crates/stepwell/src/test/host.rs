//! A node on a store in memory: whatever it asks of the store is done at once.

use std::collections::VecDeque;
use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::time::Timestamp;
use stepwell_node::{Config, Input, Node, Output, Outputs, Reply, RequestId, SessionId};
use stepwell_store::batch::RunWrite;
use stepwell_store::memory::Memory;
use stepwell_store::query::Cursor;
use stepwell_store::{Error, Store};

/// What a node says to the world.
#[derive(Debug)]
pub enum Said {
    /// A frame for a runner.
    Send {
        /// The connection.
        session: SessionId,
        /// The frame.
        frame: Vec<u8>,
    },
    /// A connection is over.
    Close {
        /// The connection.
        session: SessionId,
        /// Why.
        reason: String,
    },
    /// The answer to a request.
    Reply {
        /// The request.
        request: RequestId,
        /// The answer.
        reply: Reply,
    },
    /// The node cannot go on.
    Broken(String),
    /// A run was started: by the test, or by another run.
    Begun(RunId),
}

/// A node and its store.
pub struct Host {
    node: Node,
    store: Arc<Memory>,
    todo: VecDeque<Output>,
    said: VecDeque<Said>,
    now: Timestamp,
}

impl Host {
    /// Opens a node on an empty store.
    pub fn new(config: Config, now: Timestamp) -> Self {
        let mut host = Self {
            node: Node::new(config.clone()),
            store: Arc::new(Memory::new()),
            todo: VecDeque::new(),
            said: VecDeque::new(),
            now,
        };
        host.reopen(config);
        host
    }

    /// Drops the node, and opens another one on the same store.
    pub fn reopen(&mut self, config: Config) {
        self.node = Node::new(config);
        self.todo.clear();
        self.said.clear();
        match self.store.workflows() {
            Ok(workflows) => self.tell(Input::Opened { workflows }, self.now),
            Err(error) => self.said.push_back(Said::Broken(error.to_string())),
        }
    }

    /// Tells the node something, and does what it asks for until it asks for nothing more.
    pub fn tell(&mut self, input: Input<'_>, now: Timestamp) {
        self.now = self.now.max(now);
        self.handle(input);
        loop {
            while let Some(output) = self.todo.pop_front() {
                if let Err(error) = self.perform(output) {
                    self.said.push_back(Said::Broken(error.to_string()));
                }
            }
            let mut out = Outputs::default();
            self.node.flush(&mut out);
            if out.list.is_empty() {
                return;
            }
            self.todo.extend(out.list);
        }
    }

    /// Returns the next thing that the node said.
    pub fn said(&mut self) -> Option<Said> {
        self.said.pop_front()
    }

    /// Returns when the node wants to be told that time has passed.
    pub fn next_tick(&self) -> Option<Timestamp> {
        self.node.next_tick()
    }

    /// Returns when the earliest timer of any run is due: while no runner is connected nothing happens
    /// before.
    pub fn next_timer(&self) -> Option<Timestamp> {
        let due = self.store.due(Timestamp::MAX, Cursor::default(), 1).ok()?;
        due.first().map(|(at, _)| *at)
    }

    /// Returns a run's journal.
    ///
    /// # Errors
    /// Those of the store.
    pub fn journal(&self, run: RunId) -> Result<Option<Vec<u8>>, Error> {
        self.store.load(run)
    }

    fn handle(&mut self, input: Input<'_>) {
        let mut out = Outputs::default();
        self.node.handle(input, self.now, &mut out);
        self.todo.extend(out.list);
    }

    fn perform(&mut self, output: Output) -> Result<(), Error> {
        match output {
            Output::Commit(batch) => {
                self.store.commit(&batch)?;
                let begins =
                    |run: &&RunWrite| run.summary.journal_bytes == run.records.len() as u64;
                let begun = batch.runs.iter().filter(begins).map(|run| Said::Begun(run.run));
                self.said.extend(begun);
                self.handle(Input::Committed);
            }
            Output::Load(run) => {
                let journal = self.store.load(run);
                self.handle(Input::Loaded { run, journal });
            }
            Output::Due { until, after, limit } => {
                let runs = self.store.due(until, after, limit)?;
                self.handle(Input::Due { runs });
            }
            Output::Ready { queue, after, limit } => {
                let runs = self.store.ready(&queue, after, limit)?;
                self.handle(Input::Ready { queue, runs });
            }
            Output::Active { after, limit } => {
                let runs = self.store.active(after, limit)?;
                self.handle(Input::Active { runs });
            }
            Output::Blocked { queue, after, limit } => {
                let runs = self.store.blocked(&queue, after, limit)?;
                self.handle(Input::Blocked { queue, runs });
            }
            Output::Inbox { after, limit } => {
                let messages = self.store.inbox(after.as_ref(), limit)?;
                self.handle(Input::Inbox { messages });
            }
            Output::Find(key) => {
                let run = self.store.key(&key)?;
                self.handle(Input::Found { key, run });
            }
            Output::Ask(question) => {
                let answer = question.answer(&*self.store)?;
                self.handle(Input::Answered(answer));
            }
            Output::Send { session, frame } => self.said.push_back(Said::Send { session, frame }),
            Output::Close { session, reason } => {
                self.said.push_back(Said::Close { session, reason });
            }
            Output::Reply { request, reply } => {
                self.said.push_back(Said::Reply { request, reply });
            }
            Output::Restart { reason } => self.said.push_back(Said::Broken(reason)),
            Output::Enquire(enquiry) => {
                let why = format!("asked of a store of its own: {enquiry:?}");
                self.said.push_back(Said::Broken(why));
            }
            Output::Continue => self.handle(Input::Continue),
            Output::Registered(_) => {}
        }
        Ok(())
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("now", &self.now).finish_non_exhaustive()
    }
}
