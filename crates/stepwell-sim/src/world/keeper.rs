//! Who makes backups, and begins another server with one of them where the server is lost.

use super::sim::Sim;
use crate::clock::{MILLI, SECOND};
use crate::env::Event;

impl Sim {
    /// Plans when backups are made and when the server is lost.
    pub(super) fn plan_backups(&mut self) {
        let chaos = self.env.plan.chaos;
        for _ in 0..self.env.plan.backups {
            let at = self.keeper.within(SECOND, chaos * 2 / 3);
            self.env.after(at, Event::BacksUp);
        }
        if self.env.plan.server_lost {
            let at = self.keeper.within(chaos / 4, chaos);
            self.env.after(at, Event::ServerLost);
        }
    }

    /// Makes a backup, as soon as the server is there to be asked.
    pub(super) fn back_up(&mut self) {
        if self.env.chaos && !self.machines[0].back_up(&mut self.env) {
            let later = self.keeper.spread(10 * MILLI, SECOND);
            self.env.after(later, Event::BacksUp);
        }
    }

    /// The server is lost, once there is a backup of it; mostly the last one is taken.
    pub(super) fn lose_server(&mut self) {
        if !self.env.chaos {
            return;
        }
        let kept = self.machines[0].backups();
        let which =
            if self.keeper.chance(700) { kept.saturating_sub(1) } else { self.keeper.place(kept) };
        if kept == 0 || !self.machines[0].lose(which, &mut self.env) {
            let later = self.keeper.spread(10 * MILLI, SECOND);
            return self.env.after(later, Event::ServerLost);
        }
        // Somebody looks at what there is first; at times nobody does.
        let least = if self.keeper.chance(300) { MILLI } else { 2 * SECOND };
        let looks = self.keeper.spread(least, 20 * SECOND);
        self.env.after(looks, Event::LetsGo);
    }

    /// Lets the runs of a restored server go, as soon as it is there to be asked.
    pub(super) fn let_go(&mut self) {
        if self.machines[0].is_held() && !self.machines[0].let_go(&mut self.env) {
            let later = self.keeper.spread(50 * MILLI, SECOND);
            self.env.after(later, Event::LetsGo);
        }
    }
}
