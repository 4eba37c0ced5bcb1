//! The plan of a scenario: who buys when, and what goes wrong.

use std::rc::Rc;

use coinop::{
    core::{
        board::Direction,
        session::{Order, Patience, Witness},
        tariff::{Price, Quantity},
    },
    notice::Fact,
    party::Want,
    restore::Restored,
};

use super::{DIRECTOR, HARDWARE, Stage, Thing, intervention::By};
use crate::{
    devices,
    scenario::{Buy, Control},
};

/// How long until a hand that found nothing to do tries again.
const AGAIN: std::time::Duration = std::time::Duration::from_millis(500);
/// How often it tries.
const TRIES: u32 = 40;

impl Stage {
    /// Puts everything that is to happen on the agenda; what was done before a restart is not done again.
    pub(super) fn plan(self: &Rc<Self>) {
        let stage = Rc::clone(self);
        self.shell.agenda().soon(HARDWARE, async move { stage.tick().await });
        self.audit_on(self.shell.now());
        for (index, buy) in self.scenario.buy.iter().enumerate() {
            let plan = u32::try_from(index).unwrap_or(u32::MAX);
            let (stage, buy) = (Rc::clone(self), buy.clone());
            self.shell.agenda().at(self.at(buy.at.0), DIRECTOR, async move { stage.buy(plan, &buy) });
        }
        let begun = self.shell.now();
        for fault in &self.scenario.fault {
            let at = self.at(fault.at.get_ref().0);
            if at < begun {
                continue;
            }
            // A scenario was checked: what is refused here was refused then.
            let Ok(what) = fault.intervention(&self.scenario) else { continue };
            let stage = Rc::clone(self);
            self.shell.agenda().at(at, DIRECTOR, async move {
                let _ = stage.intervene(By::Scenario, &what).await;
            });
        }
    }

    fn audit_on(self: &Rc<Self>, at: coinop::core::Timestamp) {
        let stage = Rc::downgrade(self);
        self.shell.agenda().at(at, DIRECTOR, async move {
            if let Some(stage) = stage.upgrade() {
                stage.audit();
                stage.audit_on(stage.shell.now().after(super::AUDIT_EVERY));
            }
        });
    }

    fn buy(self: &Rc<Self>, plan: u32, buy: &Buy) {
        let Some(want) = self.want(plan, buy) else { return };
        let Some(party) = self.party(buy.buyer.get_ref()) else { return };
        party.buy(want);
        for control in &buy.control {
            let at = self.at(buy.at.0).after(control.at.0);
            self.control_at(at, plan, buy, control.clone(), TRIES);
        }
    }

    fn want(&self, plan: u32, buy: &Buy) -> Option<Want> {
        let device = devices::of(buy.kind.get_ref())?;
        let wanted = devices::quantity(device.unit, buy.amount.get_ref()).ok()?;
        // The limit is for the same `per` as the first thing of this kind asks: its unit of price.
        let thing = self.scenario.thing.iter().find(|thing| thing.kind.get_ref() == buy.kind.get_ref())?;
        let per = devices::quantity(device.unit, thing.per.get_ref()).ok()?;
        let order = Order {
            wanted: Some(Quantity::new(wanted)),
            longest_ms: None,
            budget: buy.budget.as_ref().unwrap_or(&buy.deposit).get_ref().0,
            unit: device.unit,
            limit: Price { bytes: buy.limit.get_ref().0, per: Quantity::new(per) },
            deposit: buy.deposit.get_ref().0,
            witness: Witness::Own,
            error_permille: devices::APART,
            patience: Patience { retry_ms: 1_000, deposit_ms: 30_000, stall_ms: 5_000, settle_ms: 1_500 },
        };
        Some(Want {
            plan,
            kind: buy.kind.get_ref().clone(),
            unit: device.unit,
            order,
            from: buy.from.as_ref().map(|from| from.get_ref().clone()),
        })
    }

    /// Asks for an action once the session runs; another party tries it with its own signature.
    fn control_at(
        self: &Rc<Self>,
        at: coinop::core::Timestamp,
        plan: u32,
        buy: &Buy,
        control: Control,
        tries: u32,
    ) {
        let (stage, buyer, buy) = (Rc::clone(self), buy.buyer.get_ref().clone(), buy.clone());
        self.shell.agenda().at(at, DIRECTOR, async move {
            let Some(party) = stage.party(&buyer) else { return };
            if !party.is_running(plan) {
                if tries > 0 {
                    let later = stage.shell.now().after(AGAIN);
                    stage.control_at(later, plan, &buy, control, tries - 1);
                }
                return;
            }
            match &control.by {
                None => party.control(plan, control.action.get_ref()).await,
                Some(by) => {
                    let other = stage.party(by.get_ref());
                    if let (Some(other), Some((session, seller))) = (other, party.session_with(plan)) {
                        other.intrude(session, seller, control.action.get_ref());
                    }
                }
            }
        });
    }

    fn is_output(&self, board_name: &str) -> bool {
        self.scenario.thing.iter().any(|entry| {
            let device = devices::of(entry.kind.get_ref());
            device.is_some_and(|device| {
                device.lines.iter().any(|line| {
                    line.direction == Direction::Output
                        && self.line_of(entry.name.get_ref(), line.name) == board_name
                })
            })
        })
    }

    /// A thing's own line as the board calls it.
    pub(super) fn line_of(&self, name: &str, own: &str) -> String {
        let entry = self.scenario.thing.iter().find(|entry| entry.name.get_ref() == name);
        entry.map_or(own, |entry| entry.line(own)).to_owned()
    }

    /// A party loses its process: its power is off, its memory is gone.
    pub(super) fn kill(&self, name: &str) {
        let now = self.shell.now();
        let party = self.cast.borrow_mut().get_mut(name).and_then(|role| {
            role.killed = Some(now);
            role.party.take()
        });
        let Some(party) = party else { return };
        party.kill();
        let lines: Vec<_> = self
            .things
            .borrow()
            .iter()
            .filter(|thing| thing.name == name)
            .flat_map(|thing| thing.device.lines.iter().map(|line| self.line_of(&thing.name, line.name)))
            .filter(|line| self.is_output(line))
            .collect();
        for line in &lines {
            self.release(now, line);
        }
        self.count(now);
        if let Some(thing) = self.things.borrow_mut().iter_mut().find(|thing| thing.name == name) {
            thing.reset();
        }
    }

    pub(super) async fn revive(self: &Rc<Self>, name: &str) {
        let restored = match self.shell.entries() {
            Ok(entries) => Restored::new(entries),
            Err(error) => {
                let what = format!("{name} cannot come back: {error}");
                return self.tell("director", Fact::Fault { what });
            }
        };
        // What happened meanwhile is news to one who was away.
        self.things.borrow_mut().iter_mut().for_each(Thing::tell_again);
        let what = match self.enter(name, &restored).await {
            Ok(_) => format!("{name} is back"),
            Err(error) => format!("{name} cannot come back: {error}"),
        };
        self.tell("director", Fact::Fault { what });
    }
}
