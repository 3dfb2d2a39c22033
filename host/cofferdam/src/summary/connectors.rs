//! The budget report: what each connector used, and what it may use.

use super::Summary;
use crate::table::Table;
use crate::units;

impl Summary {
    /// A line for each limit of which something was used, a column for each connector.
    pub(super) fn budgets(&self) -> String {
        let title = |connector: &super::Connector| {
            format!("{} ({} {})", connector.name.to_uppercase(), connector.connector, connector.version)
        };
        let titles: Vec<String> = self.connectors.iter().map(title).collect();
        let headings: Vec<&str> =
            std::iter::once("BUDGET").chain(titles.iter().map(String::as_str)).collect();
        let mut table = Table::new(&headings);
        let limits = self.connectors.first().map_or(&[][..], |connector| connector.budget.as_slice());
        for usage in limits {
            let limit = usage.limit.as_str();
            if self.connectors.iter().any(|connector| used(connector, limit) > 0) {
                let cells = self.connectors.iter().map(|connector| cell(connector, limit));
                table.row(std::iter::once(limit.to_owned()).chain(cells));
            }
        }
        table.render(0)
    }
}

fn used(connector: &super::Connector, limit: &str) -> u64 {
    connector.budget.iter().find(|usage| usage.limit == limit).map_or(0, |usage| usage.used)
}

fn cell(connector: &super::Connector, limit: &str) -> String {
    let Some(usage) = connector.budget.iter().find(|usage| usage.limit == limit) else {
        return String::new();
    };
    format!("{} of {}", units::amount(limit, usage.used), units::amount(limit, usage.allowed))
}
