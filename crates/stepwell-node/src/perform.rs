//! What is done once the records of a command are durable.

use serde_json::value::RawValue;
use stepwell_core::id::RunId;
use stepwell_core::planted::{self, Plant};
use stepwell_core::run::Effect;
use stepwell_core::status::StepStatus;
use stepwell_protocol::to_runner::{Begin, Retry, Settled, ToRunner};
use stepwell_store::inbox::{MessageId, MessageKind};

use crate::hot::Held;
use crate::input::SessionId;
use crate::node::Node;

/// The connection that holds a run, and its handle there.
type Holder = Option<(SessionId, u32)>;

impl Node {
    /// Hangs an effect on the batch that holds the run's newest records. `output` is what the command
    /// brought, where it brought a result.
    pub(crate) fn stage(
        &mut self,
        id: RunId,
        held: Option<Held>,
        effect: Effect,
        output: Option<&RawValue>,
    ) {
        let to = held.and_then(|held| Some((held.session?, held.a)));
        match effect {
            Effect::Settle { step, at, status, error } => {
                let (step, at_us) = ((&*step).into(), at.as_micros());
                let settled = Settled { a: 0, step, at_us, status: Some(status), output, error };
                self.settle(id, to, settled);
            }
            Effect::Give { step, at, status, error, output } => {
                let (step, at_us, output) = ((&*step).into(), at.as_micros(), output.as_deref());
                let settled = Settled { a: 0, step, at_us, status: Some(status), output, error };
                self.settle(id, to, settled);
            }
            Effect::Look { step } => self.look(id, &step),
            Effect::Retry { step, n, at } => {
                self.count_retry(id);
                let in_us = u64::try_from(at.since(self.now).as_micros()).unwrap_or(u64::MAX);
                let step = (&*step).into();
                self.tell_holder(id, to, |a| ToRunner::Retry(Retry { a, step, n, in_us }));
            }
            Effect::Begin { step, n } => {
                let step = (&*step).into();
                self.tell_holder(id, to, |a| ToRunner::Begin(Begin { a, step, n }));
            }
            Effect::End { status } => self.tell_holder(id, to, |a| ToRunner::End { a, status }),
            Effect::Pause => self.tell_holder(id, to, |a| ToRunner::Pause { a }),
            Effect::Unpause => {
                self.tell_holder(id, to, |a| ToRunner::Unpause { a });
                if to.is_some() {
                    self.set_busy(id);
                }
            }
            Effect::Evict => self.tell_holder(id, to, |a| ToRunner::Evict { a }),
            Effect::Forget => self.tell_holder(id, to, |a| ToRunner::Done { a }),
            Effect::CancelChild { .. } if planted::has(Plant::ChildLeft) => {}
            Effect::CancelChild { child } => {
                let kind = MessageKind::Cancel;
                self.tell_run(id, MessageId { to: child, from: id, kind }, "{}".into());
            }
            Effect::Continued { by } => {
                self.count_end(id);
                self.tell_holder(id, to, |a| ToRunner::Done { a });
                self.api.pass_on(id, by);
            }
            Effect::Ended { status, error } => {
                self.count_end(id);
                self.tell_holder(id, to, |a| ToRunner::Done { a });
                self.tell_parent(id, status, output, error.clone());
                self.tell_waiters(id, status, output, error.as_ref());
            }
        }
    }

    /// Tells who holds the run that a step ended, and that its code goes on.
    fn settle(&mut self, id: RunId, to: Holder, settled: Settled<'_>) {
        self.count_step_end(id, &settled);
        let status = settled.status.filter(|status| *status != StepStatus::Completed);
        self.tell_holder(id, to, |a| ToRunner::Settled(Settled { a, status, ..settled }));
        if to.is_some() && !self.is_paused(id) {
            self.set_busy(id);
        }
    }

    fn tell_holder<'m>(
        &mut self,
        id: RunId,
        to: Holder,
        message: impl FnOnce(u32) -> ToRunner<'m>,
    ) {
        if let Some((session, a)) = to {
            self.tell_of(id, session, &message(a));
        }
    }

    /// §9.6: of a paused run no code goes on, whatever is told of it.
    pub(crate) fn is_paused(&self, id: RunId) -> bool {
        self.hot.run(id).is_some_and(|run| run.paused().is_some())
    }

    /// Tells a runner of a run, once what is told is durable.
    pub(crate) fn tell_of(&mut self, run: RunId, session: SessionId, message: &ToRunner<'_>) {
        let bytes = self.commits.effects(run).send(session, message);
        if let Some(session) = self.sessions.get_mut(session) {
            session.spend(bytes);
        }
    }
}
