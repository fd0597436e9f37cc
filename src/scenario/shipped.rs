//! The scenarios that come with the program.

/// Name and text of each.
pub const SHIPPED: [(&str, &str); 3] = [
    ("order-shipping", include_str!("../../scenarios/order-shipping.json")),
    ("transaction-component", include_str!("../../scenarios/transaction-component.json")),
    ("transaction-component-old", include_str!("../../scenarios/transaction-component-old.json")),
];

/// The text of the scenario of that name.
#[must_use]
pub fn shipped(name: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        scenario::{Action, read},
        wechat::catalogue,
    };

    #[test]
    fn every_shipped_scenario_is_right_and_calls_only_what_exists() {
        for (name, text) in SHIPPED {
            let scenario = read(text).unwrap_or_else(|mistakes| panic!("{name}: {mistakes:#?}"));
            assert_eq!(scenario.name, name);
            assert!(!scenario.about.is_empty(), "{name}");
            assert_eq!(scenario.missing_vars().count(), 0, "{name} runs as it is");
            for step in &scenario.steps {
                assert!(step.note.is_some(), "{name}:{}", step.line);
                if let Action::Call { path, .. } = &step.action {
                    assert!(catalogue::lookup_path(path).is_some(), "{name}:{} {path}", step.line);
                }
            }
        }
        assert!(shipped("nothing").is_none());
    }

    #[test]
    fn the_component_has_all_its_steps_in_order() {
        let scenario = read(shipped("transaction-component").unwrap()).unwrap();
        let mut numbers: Vec<u32> = scenario
            .steps
            .iter()
            .filter_map(|step| step.note.as_deref()?.split([' ', '.']).next()?.parse().ok())
            .collect();
        assert!(numbers.is_sorted(), "{numbers:?}");
        numbers.dedup();
        assert_eq!(numbers, (1..=38).collect::<Vec<_>>());
    }
}
