//! The code of a run goes on: it asks for steps, is given their ends, and functions begin and end.

use std::time::Duration;

use stepwell_core::status::StepStatus;
use stepwell_protocol::to_node::{Order, ToNode};

use super::copy::{Attempt, Copy, Finish, Outcome, Part, Phase, Queued, State, Tell};
use super::runner::Script;
use crate::calls;
use crate::history::{Call, End, Fact};
use crate::program::{Delivered, Look, What};
use crate::runner::Port;

/// How long the function of an attempt that ran out of time may hold up the next, in microseconds.
const STRAY_MAX: u64 = 5_000_000;

/// How long a function runs before the node is told that it does, in microseconds.
pub(super) const QUICK: u64 = 50_000;

impl Script {
    /// Lets the code go on as far as it can.
    pub(super) fn turn(&mut self, copy: &mut Copy, port: &mut Port<'_>) {
        if copy.phase == Phase::Forward {
            self.go_forward(copy, port);
        }
        if copy.phase == Phase::Forward {
            self.begin_due(copy, port);
        }
        if copy.phase == Phase::Ending && copy.finish.is_none() && copy.calls().is_empty() {
            copy.finish = Some(Finish::Decided);
            copy.phase = Phase::Finished;
            self.tell_finish(copy, port);
        }
        self.rest(copy, port);
    }

    fn go_forward(&mut self, copy: &mut Copy, port: &mut Port<'_>) {
        loop {
            let mut asks = Vec::new();
            let look = copy.program.look(&copy.given, &mut asks);
            self.drop_unasked(copy, &asks, port);
            match look {
                Look::Waits => {}
                Look::Returned if copy.program.next.is_some() => {
                    let next = copy.program.next.map_or(Finish::Decided, Finish::Continued);
                    return self.finish(copy, next, port);
                }
                Look::Returned => {
                    let text = format!("{{ \"delivered\" : {} }}", copy.passed);
                    return self.finish(copy, Finish::Output(text.into()), port);
                }
                Look::Failed(place) => {
                    let step = copy.program.steps[place].id.clone();
                    return self.finish(copy, Finish::Failed(step), port);
                }
            }
            for place in &asks {
                self.ask(copy, *place, port);
            }
            if !self.deliver(copy, port) {
                return;
            }
        }
    }

    fn finish(&mut self, copy: &mut Copy, finish: Finish, port: &mut Port<'_>) {
        copy.finish = Some(finish);
        copy.phase = Phase::Finished;
        copy.calls().into_iter().for_each(|call| port.env.signal(call));
        self.tell_finish(copy, port);
    }

    /// Drops steps that the code does not wait for any more.
    fn drop_unasked(&mut self, copy: &mut Copy, asks: &[usize], port: &mut Port<'_>) {
        let gone = |(place, part): (&usize, &Part)| {
            (part.asked && !asks.contains(place) && !copy.dropped.contains(place)).then_some(*place)
        };
        let gone: Vec<usize> = copy.parts.iter().filter_map(gone).collect();
        for place in gone {
            copy.dropped.insert(place);
            let Some(part) = copy.parts.get_mut(&place) else { continue };
            part.asked = false;
            if part.state == State::Ended {
                continue;
            }
            if let State::Running(attempt) = part.state {
                part.stray = Some((attempt.call, port.now()));
                port.env.signal(attempt.call);
            }
            part.state = State::Waiting;
            // What was told of its end may still be settled; a step that ended is not dropped twice.
            part.tell = Some(Tell::Dropped);
            self.tell(copy, place, port);
        }
    }

    fn ask(&mut self, copy: &mut Copy, place: usize, port: &mut Port<'_>) {
        let now = port.now();
        let passed = copy.passed;
        let is_new = !copy.parts.contains_key(&place);
        let part = copy.parts.entry(place).or_insert_with(|| Part::new(now));
        if part.asked {
            return;
        }
        part.asked = true;
        part.asked_at = now;
        part.after = passed;
        copy.active_at = now;
        if !is_new {
            return;
        }
        match copy.program.steps[place].what {
            // No program with a race is for it.
            What::Run(_) | What::Race => {}
            What::Sleep(_) | What::SleepUntil(_) => {
                part.state = State::Waiting;
                part.tell = Some(Tell::Sleep);
            }
            What::Skip => {
                part.state = State::Waiting;
                part.tell = Some(Tell::Skip);
            }
            What::Wait(_) => {
                part.state = State::Waiting;
                part.tell = Some(Tell::Wait);
            }
            What::Emit(_) => {
                part.state = State::Waiting;
                part.tell = Some(Tell::Emit);
            }
            What::Invoke(_) => {
                part.state = State::Waiting;
                part.tell = Some(Tell::Invoke);
            }
        }
        self.tell(copy, place, port);
    }

    /// Gives the code the next end that it waits for. Tells whether there was one.
    fn deliver(&mut self, copy: &mut Copy, port: &mut Port<'_>) -> bool {
        while let Some(first) = copy.queue.front()
            && copy.dropped.contains(&first.place)
        {
            let place = first.place;
            copy.queue.pop_front();
            copy.passed += 1;
            if copy.parts.get(&place).is_some_and(|part| part.stray.is_none()) {
                copy.parts.remove(&place);
            }
        }
        if copy.paused {
            return false;
        }
        let asked = |one: &Queued| copy.parts.get(&one.place).is_some_and(|part| part.asked);
        let Some(at) = copy.queue.iter().position(asked) else { return false };
        if at > 0
            && let (Some(a), Some(first)) = (copy.a, copy.queue.front())
        {
            let name = |place: usize| copy.program.steps[place].id.to_string().into();
            let (expected, found) = (name(first.place), name(copy.queue[at].place));
            self.out.push(&ToNode::Order(Order { a, expected, found }));
        }
        let Some(end) = copy.queue.remove(at) else { return false };
        copy.passed += 1;
        copy.parts.remove(&end.place);
        let step = copy.program.steps[end.place].id.clone();
        let (status, output) = (end.status, end.output.clone());
        let (by, run) = (port.process, copy.held.run);
        port.env.line(format_args!("{by:?} gives {run} {step} {status:?}"));
        let told = End { step, status, output: output.clone() };
        port.env.fact(Fact::Delivered { by: port.process, held: copy.held, end: told });
        copy.given.insert(end.place, Delivered { status, output });
        copy.active_at = port.now();
        true
    }

    /// Begins functions whose time has come, if the grant lasts.
    fn begin_due(&mut self, copy: &mut Copy, port: &mut Port<'_>) {
        let now = port.now();
        // A run from a connection before may be another's by now, until the node says `resumed`.
        if copy.paused {
            return;
        }
        let may = now < self.grant_until && copy.a.is_some();
        if !may && !port.bug().ignores_grant() {
            return;
        }
        let due = |(place, part): (&usize, &Part)| {
            let blocked = part.stray.is_some_and(|(_, since)| now < since + STRAY_MAX);
            let begins = part.asked && part.state == State::Due && part.due <= now && !blocked;
            begins.then_some(*place)
        };
        let due: Vec<usize> = copy.parts.iter().filter_map(due).collect();
        for place in due {
            self.begin(copy, place, port);
        }
    }

    fn begin(&mut self, copy: &mut Copy, place: usize, port: &mut Port<'_>) {
        let step = copy.program.steps[place].clone();
        let What::Run(function) = &step.what else { return };
        let now = port.now();
        let Some(part) = copy.parts.get_mut(&place) else { return };
        let n = part.attempts + 1;
        let first = *part.first_started.get_or_insert(now);
        let own = function.timeout_ms.map(|ms| now + ms * 1_000);
        let total = function.total_timeout_ms.map(|ms| first + ms * 1_000);
        let deadline = own.into_iter().chain(total).min();
        let overlapped = part.stray.is_some();
        let does = *function.attempt(n);
        let call = port.begin((copy.held, &step.id), (does, n), self.grant_until, part.due);
        let started_at = now;
        let attempt = Attempt { call, n, started_at, deadline, overlapped, start_told: false };
        part.state = State::Running(attempt);
        copy.active_at = now;
    }

    /// A function ended.
    pub(super) fn on_call(&mut self, call: Call, outcome: &calls::Outcome, port: &mut Port<'_>) {
        let found = self.copies.iter().find_map(|(run, copy)| Some((*run, copy.place_of(call)?)));
        let Some((run, place)) = found else { return };
        let Some(mut copy) = self.copies.remove(&run) else { return };
        self.end_attempt(&mut copy, place, (call, outcome), port);
        self.turn(&mut copy, port);
        self.copies.insert(run, copy);
    }

    fn end_attempt(
        &mut self,
        copy: &mut Copy,
        place: usize,
        (call, outcome): (Call, &calls::Outcome),
        port: &mut Port<'_>,
    ) {
        let now = port.now();
        copy.active_at = now;
        let step = copy.program.steps[place].clone();
        let Some(part) = copy.parts.get_mut(&place) else { return };
        if part.stray.is_some_and(|(stray, _)| stray == call) {
            part.stray = None;
            return;
        }
        let State::Running(attempt) = part.state else { return };
        let outcome = match outcome {
            // What is over the limit is refused before it is sent.
            calls::Outcome::Returned(Some(text)) if text.len() > self.payload_max => {
                Outcome::Error { terminal: true, timed_out: false, retry_in_ms: None }
            }
            calls::Outcome::Returned(text) => Outcome::Value(text.clone()),
            calls::Outcome::Failed { terminal, retry_in_ms } => {
                let (terminal, retry_in_ms) = (*terminal, *retry_in_ms);
                Outcome::Error { terminal, timed_out: false, retry_in_ms }
            }
            calls::Outcome::Stopped | calls::Outcome::Killed => {
                Outcome::Error { terminal: false, timed_out: false, retry_in_ms: None }
            }
        };
        if let (Some(a), What::Run(function)) = (copy.a, &step.what) {
            let logs = function.attempt(attempt.n).logs;
            if logs > 0 {
                self.tell_logs(a, &step.id, logs);
            }
        }
        if copy.phase == Phase::Finished {
            part.state = State::Waiting;
            return;
        }
        self.tell_end(copy, place, (attempt, outcome), port);
    }

    fn tell_end(
        &mut self,
        copy: &mut Copy,
        place: usize,
        (attempt, outcome): (Attempt, Outcome),
        port: &mut Port<'_>,
    ) {
        let ended_at = port.now();
        let Some(part) = copy.parts.get_mut(&place) else { return };
        part.result = match &outcome {
            Outcome::Value(value) => value.clone(),
            Outcome::Error { .. } => None,
        };
        part.state = State::Waiting;
        let Attempt { n, started_at, overlapped, .. } = attempt;
        part.tell = Some(Tell::Ended { n, started_at, ended_at, overlapped, outcome });
        self.tell(copy, place, port);
        if port.bug().delivers_early()
            && let Some(part) = copy.parts.get_mut(&place)
        {
            let status = StepStatus::Completed;
            copy.queue.push_back(Queued { place, status, output: part.result.clone() });
            part.state = State::Ended;
        }
    }

    /// Looks at what is late: attempts that ran too long, functions that are not quick.
    pub(super) fn look_at_clock(&mut self, copy: &mut Copy, port: &mut Port<'_>) {
        let now = port.now();
        let running: Vec<(usize, Attempt)> = copy
            .parts
            .iter()
            .filter_map(|(place, part)| match part.state {
                State::Running(attempt) => Some((*place, attempt)),
                State::Due | State::Waiting | State::Ended => None,
            })
            .collect();
        for (place, attempt) in running {
            if attempt.deadline.is_some_and(|deadline| deadline <= now) {
                if let Some(part) = copy.parts.get_mut(&place) {
                    part.stray = Some((attempt.call, now));
                }
                port.env.signal(attempt.call);
                let outcome =
                    Outcome::Error { terminal: false, timed_out: true, retry_in_ms: None };
                self.tell_end(copy, place, (attempt, outcome), port);
            } else if !attempt.start_told && attempt.started_at + QUICK <= now {
                let told = Attempt { start_told: true, ..attempt };
                if let Some(part) = copy.parts.get_mut(&place) {
                    part.state = State::Running(told);
                }
                self.tell_started(copy, place, told, port);
            }
        }
    }

    /// The node says that a step ended.
    pub(super) fn settle(copy: &mut Copy, step: &str, end: Delivered, now: u64) {
        let Delivered { status, output: told } = end;
        copy.told += 1;
        copy.idle_unsure |= copy.idle_told;
        copy.idle_told = false;
        let Some(place) = copy.places.get(step).copied() else { return };
        let part = copy.parts.entry(place).or_insert_with(|| Part::new(now));
        part.tell = None;
        part.state = State::Ended;
        let output = part.result.take().or(told).filter(|_| status == StepStatus::Completed);
        copy.queue.push_back(Queued { place, status, output });
    }

    /// The node says when the next attempt begins.
    pub(super) fn retry(copy: &mut Copy, step: &str, n: u32, wait: Duration, now: u64) {
        let Some(part) = copy.places.get(step).and_then(|place| copy.parts.get_mut(place)) else {
            return;
        };
        let answered = match &part.tell {
            Some(Tell::Ended { n: told, .. }) => *told < n,
            Some(Tell::Dropped) => false,
            Some(Tell::Sleep | Tell::Skip | Tell::Wait | Tell::Emit | Tell::Invoke) | None => {
                part.state == State::Due
            }
        };
        if answered {
            let due = now + u64::try_from(wait.as_micros()).unwrap_or(u64::MAX / 2);
            // What was said of this attempt first stands, unless it is due earlier now (§9.5).
            let known = part.state == State::Due && part.attempts + 1 == n;
            part.due = if known { part.due.min(due) } else { due };
            part.tell = None;
            part.state = State::Due;
            part.attempts = n - 1;
        }
    }

    /// An end of the journal waits to be delivered.
    pub(super) fn recall(copy: &mut Copy, step: &str, end: Delivered, now: u64) {
        copy.told += 1;
        let Some(place) = copy.places.get(step).copied() else { return };
        let part = copy.parts.entry(place).or_insert_with(|| Part::new(now));
        part.state = State::Ended;
        let Delivered { status, output } = end;
        copy.queue.push_back(Queued { place, status, output });
    }
}
