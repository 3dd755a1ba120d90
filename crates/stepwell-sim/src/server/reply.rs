//! A life answers clients.

use stepwell_node::{Input, RequestId};

use super::inbox::NAMESPACE;
use super::life::Life;
use super::tap::answer_of;
use crate::env::{Env, Event};
use crate::fault::Fault;
use crate::history::{Answer, Fact, Request};

impl Life {
    pub(super) fn reply(&mut self, request: Request, reply: stepwell_node::Reply, env: &mut Env) {
        if !self.requests.contains(&request) {
            return;
        }
        if let stepwell_node::Reply::Started { run, .. } = &reply
            && self.waits.remove(&request)
        {
            let run = *run;
            let answer = answer_of(reply);
            if let Some(answer) = answer {
                env.fact_later(self.lag, Fact::Answered { request, answer });
            }
            let namespace = NAMESPACE.into();
            let about = stepwell_node::About { request: RequestId(request.0), namespace, run };
            return self.tell(Input::Wait { about }, env);
        }
        self.requests.remove(&request);
        self.waits.remove(&request);
        if let Some(answer) = answer_of(reply) {
            self.answer(request, answer, env);
        }
    }

    pub(super) fn answer(&self, request: Request, answer: Answer, env: &mut Env) {
        env.line(format_args!("node answers {request:?}: {answer:?}"));
        env.fact_later(self.lag, Fact::Answered { request, answer: answer.clone() });
        let lost = env.plan.replies_lost;
        if env.is_apart(self.machine) {
            return;
        }
        if env.chaos && env.rng.chance(lost) {
            env.fault_at(Fault::ReplyLost, None);
            return;
        }
        let delay = self.lag + env.plan.delay(&mut env.rng);
        env.after(delay, Event::Answered(request, Box::new(answer)));
    }
}
