//! Amounts that make no sense: nothing, or more than there is.

use toml::Spanned;

use super::{Page, ScenarioError};
use crate::{
    scenario::{Amount, Buy, Scenario},
    stage::{self, MIN_DEPOSIT},
};

impl Page<'_> {
    /// Checks prices, funds, limits and deposits, each by itself and against what it has to fit.
    pub(super) fn money(&self, scenario: &Scenario) -> Result<(), ScenarioError> {
        for buyer in &scenario.buyer {
            self.more_than_nothing("funds", &buyer.funds)?;
        }
        for thing in &scenario.thing {
            self.more_than_nothing("price", &thing.price)?;
            stage::tariff(self.device(&thing.kind)?, thing).map_err(|what| self.at(&thing.price, &what))?;
        }
        scenario.buy.iter().try_for_each(|buy| self.purse(scenario, buy))
    }

    fn purse(&self, scenario: &Scenario, buy: &Buy) -> Result<(), ScenarioError> {
        self.more_than_nothing("limit", &buy.limit)?;
        let (deposit, name) = (buy.deposit.get_ref().0, buy.buyer.get_ref());
        if deposit < MIN_DEPOSIT {
            let what = format!("a deposit of {deposit} is less than {MIN_DEPOSIT}, the least of every thing");
            return Err(self.at(&buy.deposit, &what));
        }
        let funds = scenario.buyer.iter().find(|buyer| buyer.name.get_ref() == name);
        if let Some(funds) = funds.map(|buyer| buyer.funds.get_ref().0).filter(|funds| deposit >= *funds) {
            let what =
                format!("a deposit of {deposit} and its fees are more than the {funds} that {name} has");
            return Err(self.at(&buy.deposit, &what));
        }
        let Some(budget) = &buy.budget else { return Ok(()) };
        self.more_than_nothing("budget", budget)?;
        if budget.get_ref().0 > deposit {
            let what = format!("a budget of {} is more than the deposit of {deposit}", budget.get_ref().0);
            return Err(self.at(budget, &what));
        }
        Ok(())
    }

    fn more_than_nothing(&self, what: &str, amount: &Spanned<Amount>) -> Result<(), ScenarioError> {
        if amount.get_ref().0.is_zero() {
            return Err(self.at(amount, &format!("the {what} is 0 B; it must be more")));
        }
        Ok(())
    }
}
