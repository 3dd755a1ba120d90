//! Functions that start at most once (§4.5): what becomes of a start whose outcome was lost.

use alloc::borrow::Cow;
use alloc::sync::Arc;

use serde_json::value::RawValue;

use super::command::{Change, Effect, Operate, Rejection};
use super::state::{Phase, Step};
use crate::failure::{Failure, names};
use crate::once::{OnUnknown, STARTS_MAX, Verdict, Verified};
use crate::payload;
use crate::record::{Acted, BlockCause, Record, StepEnded, Unblocked};
use crate::status::StepStatus;

/// What a runner found out about a start.
#[derive(Debug)]
pub struct VerifyStep<'a> {
    /// The step's id.
    pub step: Cow<'a, str>,
    /// The start.
    pub n: u32,
    /// What was found out.
    pub verdict: Verdict,
    /// The result, of [`Verdict::Done`].
    pub output: Option<&'a RawValue>,
}

/// What an operator knows of a step whose outcome nobody else does (§4.5).
#[derive(Clone, Debug)]
pub enum Resolution<'a> {
    /// It did what it is for; this is its result, absent for none.
    Completed(Option<&'a RawValue>),
    /// It failed.
    Failed(Failure<'a>),
    /// It did not, and may start again.
    NotDone,
}

/// An operator who resolves a step.
#[derive(Clone, Debug)]
pub struct Resolve<'a> {
    /// The act with its author and reason.
    pub operate: Operate<'a>,
    /// The step's id.
    pub step: &'a str,
    /// What is known.
    pub resolution: Resolution<'a>,
}

impl Change<'_, '_> {
    /// What a runner says of a start that it recorded or that was lost before it had the run.
    pub(super) fn verify(&mut self, verify: &VerifyStep<'_>) -> Result<(), Rejection> {
        let id = &*verify.step;
        let Some(step) = self.run.step(id) else {
            return Err(Rejection::Unopened(Arc::from(id)));
        };
        if step.is_ended() || self.is_ending() {
            return Ok(());
        }
        if verify.verdict == Verdict::NotBegun {
            if step.running == Some(self.run.epoch) && verify.n == step.attempts + 1 {
                self.record_verdict(id, Verdict::NotBegun);
            }
            return Ok(());
        }
        if !step.is_in_doubt() {
            // A repeat: the runner hears that the function may start again.
            self.tell_start(id);
            return Ok(());
        }
        if verify.n != step.attempts {
            let (step, expected, found) = (step.id.clone(), step.attempts, verify.n);
            return Err(Rejection::AttemptMismatch { step, expected, found });
        }
        match verify.verdict {
            Verdict::Done => self.end_verified(id, verify.output),
            Verdict::NotDone if step.attempts < STARTS_MAX => {
                self.record_verdict(id, Verdict::NotDone);
                self.tell_start(id);
            }
            Verdict::NotDone | Verdict::Unknown | Verdict::NotBegun => self.stay_unknown(id),
        }
        Ok(())
    }

    fn record_verdict(&mut self, step: &str, verdict: Verdict) {
        let at = self.env.now;
        self.push(&Record::Verified(Verified { step: step.into(), at, verdict }));
    }

    fn end_verified(&mut self, id: &str, output: Option<&RawValue>) {
        let limit = self.env.limits.payload_bytes_max;
        self.record_verdict(id, Verdict::Done);
        match output.map_or(Ok(()), |raw| payload::check(raw, limit)) {
            Ok(()) => self.end_resolved(id, StepStatus::Completed, output, None),
            Err(why) => {
                let message = alloc::format!("the result of step `{id}` is refused: {why}");
                let failure = Failure::new(names::LIMIT, message);
                self.end_resolved(id, StepStatus::Failed, None, Some(failure));
            }
        }
    }

    /// Nobody can tell, or all starts are used up.
    fn stay_unknown(&mut self, id: &str) {
        let Some(step) = self.run.step(id) else { return };
        let (throws, starts) = (step.once == Some(OnUnknown::Throw), step.attempts);
        self.record_verdict(id, Verdict::Unknown);
        if throws {
            let plural = if starts == 1 { "" } else { "s" };
            let message = alloc::format!(
                "nobody knows how step `{id}` ended after {starts} start{plural}, and it must not run twice"
            );
            let failure = Failure::new(names::OUTCOME_UNKNOWN, message);
            self.end_resolved(id, StepStatus::Unknown, None, Some(failure));
        } else {
            self.block(BlockCause::OutcomeUnknown { step: id.into() });
        }
    }

    fn end_resolved(
        &mut self,
        id: &str,
        status: StepStatus,
        output: Option<&RawValue>,
        error: Option<Failure<'_>>,
    ) {
        let at = self.env.now;
        let told = error.clone().map(Failure::into_owned);
        self.push(&Record::StepEnded(StepEnded {
            step: id.into(),
            at,
            status,
            attempt: None,
            event: None,
            output,
            error,
            open: None,
        }));
        if self.run.is_held() {
            // A result that is not the runner's own comes while the run is blocked, and held by none.
            self.effect(Effect::Settle { step: Arc::from(id), at, status, error: told });
        }
    }

    /// Tells the runner what the next start is, and that its time has come.
    pub(super) fn tell_start(&mut self, id: &str) {
        let Some(step) = self.run.step(id).filter(|step| !step.is_ended()) else { return };
        let effect =
            Effect::Retry { step: step.id.clone(), n: step.attempts + 1, at: self.env.now };
        self.effect(effect);
    }

    /// An operator says how a step ended whose outcome is unknown.
    pub(super) fn resolve(&mut self, resolve: Resolve<'_>) -> Result<(), Rejection> {
        let id = resolve.step;
        let blocked = matches!(self.run.phase, Phase::Blocked { .. });
        let Some(starts) = self.in_doubt(id).filter(|_| blocked).map(|step| step.attempts) else {
            return Err(Rejection::NotUnknown(Arc::from(id)));
        };
        if matches!(resolve.resolution, Resolution::NotDone) && starts >= STARTS_MAX {
            return Err(Rejection::StartsSpent { step: Arc::from(id), starts });
        }
        self.push(&Record::Acted(Acted {
            at: self.env.now,
            act: resolve.operate.act,
            by: resolve.operate.by.map(Into::into),
            reason: resolve.operate.reason.map(Into::into),
            step: Some(id.into()),
        }));
        match resolve.resolution {
            Resolution::Completed(output) => {
                self.end_resolved(id, StepStatus::Completed, output, None);
            }
            Resolution::Failed(failure) => {
                self.end_resolved(id, StepStatus::Failed, None, Some(failure));
            }
            Resolution::NotDone => self.record_verdict(id, Verdict::NotDone),
        }
        if let Phase::Blocked { cause: BlockCause::OutcomeUnknown { step }, .. } = &self.run.phase
            && **step == *id
        {
            let by = Unblocked::BY_OPERATOR.into();
            self.push(&Record::Unblocked(Unblocked { at: self.env.now, by }));
        }
        Ok(())
    }

    fn in_doubt(&self, id: &str) -> Option<&Step> {
        self.run.step(id).filter(|step| step.is_in_doubt())
    }
}
