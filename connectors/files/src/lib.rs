//! Spreadsheets and CSV.
