//! Tells the node what is in the outbox.

use std::borrow::Cow;
use std::collections::VecDeque;

use stepwell_protocol::to_node::{
    Block, Dropped, Invoke, Log, Order, Race, Search, Skip, Started, ToNode,
};

use super::cell::Cell;
use super::events;
use super::line::Line;
use super::message;
use super::state::{Core, Out, Step};
use crate::moment::Moment;
use crate::session::Outgoing;

/// Most bytes of payloads that travel in one message beside the message itself.
const ROOM_BYTES: usize = stepwell_core::limits::FRAME_ROOM_BYTES / 2;

impl Cell {
    /// Writes the outbox into the session's frames; keeps it where the run has no connection.
    pub(crate) fn flush(&self, core: &mut Core) {
        // §4.4: a function that ends its process at once counts only if the node knows of it.
        let begun = (core.idle_told || core.idle_unsure) && core.counts.running > 0;
        if core.outbox.is_empty() && core.lines.is_empty() && !begun {
            return;
        }
        let Some(attached) = core.attached else { return };
        let now = self.now();
        let busy = core.idle_told && !core.is_idle(now);
        let mut outbox = std::mem::take(&mut core.outbox);
        self.shared.link.write(attached.generation, |outgoing| {
            let mut writer = Writer { a: attached.a, now, outgoing };
            let ended = outbox.iter().any(|out| matches!(out, Out::Started(_) | Out::Ended(_)));
            if begun || busy && ended {
                writer.outgoing.push(&ToNode::Busy { a: attached.a }, 0);
                core.idle_told = false;
                core.idle_unsure = false;
            }
            for out in outbox.drain(..) {
                writer.write(core, out);
            }
            writer.lines(core, false);
        });
        // Keeps the room for the next messages.
        core.outbox = outbox;
    }
}

struct Writer<'a> {
    a: u32,
    now: Moment,
    outgoing: &'a mut Outgoing,
}

impl Writer<'_> {
    fn write(&mut self, core: &mut Core, out: Out) {
        let (a, now) = (self.a, self.now);
        match out {
            Out::Started(place) => self.started(&mut core.steps[place]),
            Out::Ended(place) => self.ended(&mut core.steps[place]),
            Out::Verified(place) => {
                let step = &core.steps[place];
                if let Some(verified) = message::verified(step, a) {
                    self.outgoing.push(&ToNode::Verified(verified), message::output_bytes(step));
                }
            }
            Out::Raced(place) => {
                let step = &core.steps[place];
                if let Some(raced) = message::raced(step, a, now) {
                    self.outgoing.push(&ToNode::Raced(raced), message::output_bytes(step));
                }
            }
            Out::Sleep(place)
            | Out::Skip(place)
            | Out::Invoke(place)
            | Out::Wait(place)
            | Out::Emit(place)
            | Out::Race(place)
            | Out::Dropped(place) => self.opens(&mut core.steps[place], &out),
            Out::Search => self.search(core),
            Out::Order { expected, found } => {
                let (expected, found) = ((&*expected).into(), (&*found).into());
                self.outgoing.push(&ToNode::Order(Order { a, expected, found }), 0);
            }
            Out::Block(cause) => self.outgoing.push(&ToNode::Block(Block { a, cause }), 0),
            Out::Idle => self.outgoing.push(&ToNode::Idle { a }, 0),
            Out::Released { seen, ready } => {
                self.search(core);
                self.lines(core, true);
                self.outgoing.push(&ToNode::Released { a, seen, ready }, 0);
            }
            Out::Finished => {
                self.search(core);
                self.lines(core, true);
                let finished = message::finished(core, a);
                let input = finished.continue_as.as_ref().and_then(|with| with.input);
                let bytes = finished.output.or(input).map_or(0, |raw| raw.get().len());
                self.outgoing.push(&ToNode::Finished(finished), bytes);
            }
        }
    }

    /// Writes a message that opens a step, or may.
    fn opens(&mut self, step: &mut Step, out: &Out) {
        let (a, now) = (self.a, self.now);
        let id = || Cow::Borrowed(&*step.id);
        let open = || message::opening(step, now);
        let told = match out {
            Out::Sleep(_) => message::sleep(step, a, now).map(ToNode::Sleep),
            Out::Skip(_) => Some(ToNode::Skip(Skip { a, step: id(), open: open() })),
            Out::Invoke(_) => Some(ToNode::Invoke(Invoke { a, step: id(), open: open() })),
            Out::Wait(_) => events::wait(step, a, now).map(ToNode::Wait),
            Out::Emit(_) => events::emit(step, a, now).map(ToNode::Emit),
            Out::Race(_) => Some(ToNode::Race(Race { a, step: id(), open: open() })),
            _ => {
                let open = (!step.opened).then(open);
                Some(ToNode::Dropped(Dropped { a, step: id(), open }))
            }
        };
        if let Some(told) = told {
            self.outgoing.push(&told, message::details_bytes(step) + events::bytes(step));
        }
        step.opened = true;
    }

    fn search(&mut self, core: &mut Core) {
        let set = std::mem::take(&mut core.search.telling);
        if !set.is_empty() {
            let bytes = set.keys().map(String::len).sum();
            self.outgoing.push(&ToNode::Search(Search { a: self.a, set }), bytes);
        }
    }

    fn started(&mut self, step: &mut Step) {
        let Some(attempt) = &step.attempt else { return };
        let started = Started {
            a: self.a,
            step: (&*step.id).into(),
            n: attempt.n,
            ago_us: self.now.micros_since(attempt.started_at),
            overlapped: attempt.overlapped,
            open: (!step.opened).then(|| message::opening(step, self.now)),
        };
        let bytes = if step.opened { 0 } else { message::details_bytes(step) };
        self.outgoing.push(&ToNode::Started(started), bytes);
        step.opened = true;
    }

    fn ended(&mut self, step: &mut Step) {
        let payloads = message::details_bytes(step) + message::output_bytes(step);
        if !step.opened && message::details_bytes(step) > 0 && payloads > ROOM_BYTES {
            // §12: a frame has room for one payload; the input goes ahead of the result.
            self.started(step);
        }
        let Some(ended) = message::ended(step, self.a, self.now) else { return };
        self.outgoing.push(&ToNode::Ended(ended), payloads);
        step.opened = true;
    }

    /// Writes lines of the handler and of steps that the node knows, or all of them.
    fn lines(&mut self, core: &mut Core, all: bool) {
        if core.lines.is_empty() {
            return;
        }
        let ready = |line: &Line| line.step.is_none_or(|place| core.steps[place].opened);
        let (now, later): (VecDeque<Line>, VecDeque<Line>) = if all {
            (std::mem::take(&mut core.lines), VecDeque::new())
        } else {
            std::mem::take(&mut core.lines).into_iter().partition(ready)
        };
        let mut rest = now.into_iter().peekable();
        while let Some(first) = rest.next() {
            let mut bytes = first.message.len();
            let mut lines = vec![first];
            while let Some(line) =
                rest.next_if(|line| line.step == lines[0].step && bytes < ROOM_BYTES)
            {
                bytes += line.message.len();
                lines.push(line);
            }
            let step = lines[0].step.map(|place| (&*core.steps[place].id).into());
            let lines = message::lines(&lines, self.now);
            self.outgoing.push(&ToNode::Log(Log { a: self.a, step, lines }), bytes);
        }
        core.lines = later;
    }
}
