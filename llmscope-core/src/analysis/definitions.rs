//! Keeps times per token of different definitions apart.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Measure, Origin, Plan, Series};
use crate::metric::{Metric, TpotDefinition};
use crate::quantity::counted;
use crate::transform::{PowerTransform, Transform};

impl Series {
    /// The definition of the values, if they are times per token.
    #[must_use]
    pub fn definition(&self) -> Option<TpotDefinition> {
        let has_values = || self.values.iter().any(|value| !value.is_nan());
        (self.is_of_tpot() && has_values()).then_some(self.tpot_definition)
    }

    /// False if both are times per token, of different definitions.
    #[must_use]
    pub fn has_definition_of(&self, other: &Self) -> bool {
        self.definition().zip(other.definition()).is_none_or(|(one, other)| one == other)
    }

    /// The properties that the requests have in common, with the definition of the time per token if it distinguishes
    /// this series from another one of the group.
    #[must_use]
    pub fn labels(&self) -> BTreeMap<String, String> {
        let definition = self.is_part.then(|| (TpotDefinition::ATTRIBUTE, self.tpot_definition.number()));
        let mut labels = self.group.clone();
        labels.extend(definition.map(|(name, number)| (name.to_owned(), number.to_string())));
        labels
    }

    /// One series for each definition of the time per token; a series of another measure stays whole. A request without
    /// a value follows the one before it.
    #[must_use]
    pub fn by_definition(mut self) -> Vec<Self> {
        if !self.is_of_tpot() {
            return vec![self];
        }
        let mut present: BTreeMap<TpotDefinition, (usize, Vec<usize>)> = BTreeMap::new();
        let (mut last, mut leading) = (None, Vec::new());
        for (row, value) in self.values.iter().enumerate() {
            if !value.is_nan() {
                let definition = self.observations.definition(row);
                present.entry(definition).or_default().0 += 1;
                last = Some(definition);
            }
            match last {
                None => leading.push(row),
                Some(last) => present.entry(last).or_default().1.append(&mut leading),
            }
            last.into_iter().for_each(|last| present.entry(last).or_default().1.push(row));
        }
        if present.len() < 2 {
            self.tpot_definition = present.into_keys().next().unwrap_or_default();
            return vec![self];
        }
        let counts = present.iter().map(|(definition, (n, _))| format!("{} of {definition}", counted(*n, "value")));
        let counts = counts.collect::<Vec<_>>().join(", ");
        let name = self.measure.name();
        self.warnings.push(format!("{name} has several definitions: {counts}; each is judged on its own"));
        present.into_iter().map(|(definition, (_, rows))| self.part(definition, &rows)).collect()
    }

    fn part(&self, definition: TpotDefinition, rows: &[usize]) -> Self {
        let mut observations = (*self.observations).clone();
        observations.select(rows);
        Self {
            values: rows.iter().map(|&row| self.values[row]).collect(),
            observations: Arc::new(observations),
            tpot_definition: definition,
            is_part: true,
            ..self.clone()
        }
    }

    fn is_of_tpot(&self) -> bool {
        self.measure == Measure::Metric(Metric::Tpot)
    }
}

/// The plan with limits of these measurements, and the reason, if the plan's frozen limits have another definition.
pub(super) fn learned_again(series: &Series, plan: &Plan) -> Option<(Plan, String)> {
    let Origin::Baseline(baselines) = &plan.origin else { return None };
    let definition = series.definition()?;
    let frozen = baselines.iter().filter(|baseline| baseline.names(series)).collect::<Vec<_>>();
    let other = frozen.first()?;
    if frozen.iter().any(|baseline| baseline.tpot_definition == definition) {
        return None;
    }
    let was_log = other.standards.transform == Some(PowerTransform::LOG);
    let transform = if was_log { Transform::Log } else { plan.transform };
    let warning = format!(
        "the frozen limits have {} of {}, these measurements {definition}: limits are learned again from these \
         measurements; save them as the baseline",
        other.tpot_definition,
        series.measure.name(),
    );
    Some((Plan { origin: Origin::LastStage, transform, ..plan.clone() }, warning))
}
