//! Events that a client sends.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::desk::Desk;
use crate::client::Event;
use crate::dice::Dice;
use crate::error::Error;
use crate::ledger::{Hash, What};
use crate::plan::Plan;
use crate::workflows::{GO, SAY};

/// How long a client tries to have an event accepted.
const INSIST: Duration = Duration::from_mins(1);

/// An event that is on its way.
#[derive(Debug)]
struct Sending {
    at: Instant,
    id: String,
    data: Value,
    /// What the waits say that it is for; otherwise it starts a run.
    offer: Option<Value>,
}

/// The events that a client has to send yet.
#[derive(Debug)]
pub(crate) struct Post {
    dice: Dice,
    sendings: Vec<Sending>,
}

impl Post {
    pub(crate) fn new(dice: Dice) -> Self {
        Self { dice, sendings: Vec::new() }
    }

    /// Takes the events for the waits of a plan. Some come before their waits are parked, some long after.
    pub(crate) fn take(&mut self, plan: &Plan) {
        for letter in plan.letters() {
            let late_ms = if self.dice.one_in(6) { 4_000 } else { 400 };
            let at = Instant::now() + Duration::from_millis(self.dice.within(0, late_ms));
            let data = json!({ "number": self.dice.next() });
            let offer = Some(json!({ "token": letter.token, "group": letter.group }));
            self.sendings.push(Sending { at, id: self.dice.text(16), data, offer });
        }
    }

    /// Takes an event that starts a run.
    pub(crate) fn say(&mut self) {
        let id = self.dice.text(16);
        let data = json!({ "by": id });
        self.sendings.push(Sending { at: Instant::now(), id, data, offer: None });
    }

    /// Sends what is due.
    pub(crate) fn send_due(&mut self, desk: &Desk) -> Result<(), Error> {
        let now = Instant::now();
        while let Some(at) = self.sendings.iter().position(|sending| sending.at <= now) {
            let sending = self.sendings.swap_remove(at);
            self.send(desk, &sending)?;
        }
        Ok(())
    }

    /// Sends everything.
    pub(crate) fn send_all(&mut self, desk: &Desk) -> Result<(), Error> {
        while let Some(sending) = self.sendings.pop() {
            self.send(desk, &sending)?;
        }
        Ok(())
    }

    /// Sends an event, and notes it before and once the answer was read.
    fn send(&mut self, desk: &Desk, sending: &Sending) -> Result<(), Error> {
        let (id, data) = (&sending.id, &sending.data);
        let name = if sending.offer.is_some() { GO } else { SAY };
        let note = |what| desk.pen.note(what).map_err(Error::io("an event is noted"));
        note(What::AskedEvent { id: id.clone(), value: Hash::of(data) })?;
        // Sent again, an event does nothing more (§8.7).
        for _ in 0..=u8::from(self.dice.one_in(8)) {
            let event = Event { name, id, data, offer: sending.offer.clone() };
            desk.api.insist("an event was due", INSIST, |api| api.send(desk.app, &event))?;
        }
        note(What::AckedEvent { id: id.clone(), starts: sending.offer.is_none() }).map(drop)
    }
}
