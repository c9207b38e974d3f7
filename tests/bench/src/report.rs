//! What was measured.

use serde_json::json;
use std::fmt;

/// One contestant.
pub struct Row {
    pub name: String,
    /// One value per round.
    pub values: Vec<f64>,
    /// What else was measured, and in what: allocations, memory, latencies.
    pub beside: Vec<(u64, &'static str)>,
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
        Self { name: name.into(), values: Vec::new(), beside: Vec::new() }
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
    /// A report without rows.
    pub fn new(bench: &'static str, unit: &'static str) -> Self {
        Self { bench, unit, rows: Vec::new(), pairs: Vec::new() }
    }

    /// The row of this name, made when there is none.
    pub fn row(&mut self, name: &str) -> &mut Row {
        let index = self.rows.iter().position(|row| row.name == name).unwrap_or_else(|| {
            self.rows.push(Row::new(name));
            self.rows.len() - 1
        });
        &mut self.rows[index]
    }

    /// Has ours compared with the limit.
    pub fn pair(&mut self, ours: String, limit: String) {
        if !self.pairs.iter().any(|(known, _)| *known == ours) {
            self.pairs.push((ours, limit));
        }
    }

    pub fn to_json(&self) -> String {
        let row = |row: &Row| {
            let values = row.sorted();
            let (min, max) = (values.first(), values.last());
            json!({ "name": row.name, "value": row.median(), "min": min, "max": max, "beside": row.beside })
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
            write!(f, "  {:<36} {:>10.0}   {:<20}", row.name, row.median(), format!("{least:.0} to {most:.0}"))?;
            for (value, unit) in &row.beside {
                write!(f, " {value} {unit}")?;
            }
            writeln!(f)?;
        }
        for (ours, limit) in &self.pairs {
            writeln!(f, "  {ours} / {limit}: {:.2}", self.median_of(ours) / self.median_of(limit))?;
        }
        Ok(())
    }
}
