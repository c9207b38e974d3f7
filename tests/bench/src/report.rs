//! What was measured.

use serde_json::json;
use std::fmt;

/// One contestant.
pub struct Row {
    pub name: String,
    /// One value per round.
    pub values: Vec<f64>,
    /// Allocations per unit of work, where they are counted.
    pub allocations: Option<u64>,
}

/// All contestants of one run.
pub struct Report {
    pub bench: &'static str,
    pub unit: &'static str,
    pub rows: Vec<Row>,
    /// Which row is compared with which: ours, the limit.
    pub pairs: Vec<(String, String)>,
}

impl Row {
    /// A contestant without values.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), values: Vec::new(), allocations: None }
    }

    fn sorted(&self) -> Vec<f64> {
        let mut values = self.values.clone();
        values.sort_by(f64::total_cmp);
        values
    }

    fn median(&self) -> f64 {
        let values = self.sorted();
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

impl Report {
    pub fn to_json(&self) -> String {
        let row = |row: &Row| {
            let values = row.sorted();
            let (min, max) = (values.first(), values.last());
            json!({ "name": row.name, "value": row.median(), "min": min, "max": max, "allocations": row.allocations })
        };
        let rows: Vec<_> = self.rows.iter().map(row).collect();
        json!({ "bench": self.bench, "unit": self.unit, "rows": rows }).to_string()
    }

    fn median_of(&self, name: &str) -> f64 {
        self.rows.iter().find(|row| row.name == name).map_or(f64::NAN, Row::median)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, {} (median of {} rounds, least to most)", self.bench, self.unit, self.rows[0].values.len())?;
        for row in &self.rows {
            let values = row.sorted();
            let (least, most) = (values[0], values[values.len() - 1]);
            write!(f, "  {:<24} {:>10.0}   {:<20}", row.name, row.median(), format!("{least:.0} to {most:.0}"))?;
            match row.allocations {
                Some(count) => writeln!(f, " {count} allocations each")?,
                None => writeln!(f)?,
            }
        }
        for (ours, limit) in &self.pairs {
            writeln!(f, "  {ours} / {limit}: {:.2}", self.median_of(ours) / self.median_of(limit))?;
        }
        Ok(())
    }
}
