//! The files that describe vendors, mappings, models, flows, schedules and calendars: those that ship with the program,
//! and over them those of a configuration folder.

use hub_tree::Source;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Files by their place in the catalog, such as `connectors/greenhouse/manifest.yaml`.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// The lowest layer first.
    files: BTreeMap<String, Vec<Arc<Source>>>,
}

/// Folders beside a vendor's mappings that are no connection's layer.
const NO_CONNECTION: [&str; 2] = ["cases", "lists"];

fn is_mapping(file: &str) -> bool {
    file.ends_with(".in.yaml") || file.ends_with(".out.yaml")
}

/// Where files lie in the project and in a configuration folder, and their place in the catalog.
const PLACES: &[(&str, &str, &str)] = &[
    ("connectors/vendors/", "connectors/", "connectors/"),
    ("mappings/", "mappings/", "mappings/"),
    ("scoring/models/", "models/", "models/"),
    ("gateway/flow/flows/", "flows/", "flows/"),
    ("gateway/flow/calendars/", "calendars/", "calendars/"),
    ("gateway/flow/schedules/", "schedules/", "schedules/"),
];

impl Catalog {
    /// An empty catalog.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file of the project, by its path there; files that are no catalog data are passed over.
    pub fn add_built_in(&mut self, path: &str, text: &str) {
        for (project, _, place) in PLACES {
            if let Some(rest) = path.strip_prefix(project) {
                self.files.insert(format!("{place}{rest}"), vec![Source::new(path, text)]);
            }
        }
    }

    /// Lays the files of a configuration folder over what is there.
    ///
    /// # Errors
    /// A folder or file that cannot be read, with its path.
    pub fn overlay(&mut self, folder: &Path) -> Result<(), (String, std::io::Error)> {
        for (_, config, place) in PLACES {
            self.overlay_folder(&folder.join(config), place)?;
        }
        Ok(())
    }

    fn overlay_folder(&mut self, folder: &Path, place: &str) -> Result<(), (String, std::io::Error)> {
        let shown = |path: &Path| path.display().to_string();
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err((shown(folder), error)),
        };
        for entry in entries {
            let path = entry.map_err(|error| (shown(folder), error))?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if name.starts_with('.') {
                continue;
            }
            if path.is_dir() {
                self.overlay_folder(&path, &format!("{place}{name}/"))?;
            } else if is_text(name) {
                let text = std::fs::read_to_string(&path).map_err(|error| (shown(&path), error))?;
                self.files.entry(format!("{place}{name}")).or_default().push(Source::new(shown(&path), text));
            }
        }
        Ok(())
    }

    /// The file at a place; of several layers, the last.
    #[must_use]
    pub fn file(&self, place: &str) -> Option<&Arc<Source>> {
        self.layers(place).last()
    }

    /// The files at a place: the one that ships with the program, and what a configuration folder lays over it.
    #[must_use]
    pub fn layers(&self, place: &str) -> &[Arc<Source>] {
        self.files.get(place).map_or(&[], Vec::as_slice)
    }

    /// The files below a place, in order; of several layers, the last.
    pub fn below<'c>(&'c self, place: &'c str) -> impl Iterator<Item = (&'c str, &'c Arc<Source>)> {
        let files = self.files.range(place.to_owned()..).take_while(move |(key, _)| key.starts_with(place));
        files.filter_map(|(key, layers)| layers.last().map(|source| (key.as_str(), source)))
    }

    /// The vendors that have a manifest.
    pub fn vendors(&self) -> impl Iterator<Item = &str> {
        self.below("connectors/").filter_map(|(place, _)| {
            place.strip_prefix("connectors/")?.strip_suffix("/manifest.yaml").filter(|vendor| !vendor.contains('/'))
        })
    }

    /// The mappings of a vendor: the layers of each, the lowest first.
    pub fn mappings<'c>(&'c self, vendor: &str) -> impl Iterator<Item = &'c [Arc<Source>]> {
        self.mapping_files(vendor).filter(|(rest, _)| !rest.contains('/')).map(|(_, layers)| layers)
    }

    /// What connections lay over the mappings of a vendor: `mappings/<vendor>/<connection>/<object>.in.yaml`. The
    /// connection, and all layers, the lowest first.
    pub fn connection_mappings<'c>(&'c self, vendor: &'c str) -> impl Iterator<Item = (&'c str, Vec<Arc<Source>>)> {
        self.mapping_files(vendor).filter_map(move |(rest, _)| {
            let (connection, file) = rest.split_once('/')?;
            let counts = !NO_CONNECTION.contains(&connection) && !file.contains('/');
            counts.then(|| (connection, self.mapping_layers(vendor, file, Some(connection))))
        })
    }

    /// All layers of one mapping file of a vendor, such as `application.in.yaml`, with what a connection lays over
    /// them; the lowest first.
    #[must_use]
    pub fn mapping_layers(&self, vendor: &str, file: &str, connection: Option<&str>) -> Vec<Arc<Source>> {
        let own = connection.map(|connection| self.layers(&format!("mappings/{vendor}/{connection}/{file}")));
        let below = self.layers(&format!("mappings/{vendor}/{file}"));
        below.iter().chain(own.unwrap_or_default()).map(Arc::clone).collect()
    }

    /// The files of mappings below a vendor's folder, by their path there.
    fn mapping_files<'c>(&'c self, vendor: &str) -> impl Iterator<Item = (&'c str, &'c [Arc<Source>])> {
        let place = format!("mappings/{vendor}/");
        self.files
            .range(place.clone()..)
            .map_while(move |(key, layers)| key.strip_prefix(&place).map(|rest| (rest, layers.as_slice())))
            .filter(|(rest, _)| is_mapping(rest))
    }

    /// The code lists that mappings of a vendor can look up in: those for all vendors, then the vendor's own.
    #[must_use]
    pub fn code_lists(&self, vendor: &str) -> Vec<Arc<Source>> {
        let places = ["mappings/lists/".to_owned(), format!("mappings/{vendor}/lists/")];
        places.iter().flat_map(|place| self.below(place).map(|(_, source)| Arc::clone(source))).collect()
    }
}

/// Case inputs are JSON or XML; everything else in the catalog is YAML.
fn is_text(name: &str) -> bool {
    [".yaml", ".json", ".xml"].iter().any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_folder_lies_over_what_ships() {
        let mut catalog = Catalog::new();
        catalog.add_built_in("connectors/vendors/kestrel/manifest.yaml", "built in");
        catalog.add_built_in("mappings/kestrel/candidate.in.yaml", "m");
        catalog.add_built_in("mappings/kestrel/cases/candidate.in/a.input.json", "{}");
        catalog.add_built_in("README.md", "no data");
        assert_eq!(catalog.vendors().collect::<Vec<_>>(), ["kestrel"]);
        assert_eq!(catalog.mappings("kestrel").count(), 1);
        assert_eq!(catalog.below("").count(), 3);
        catalog.add_built_in("connectors/vendors/kestrel/manifest.yaml", "newer");
        assert_eq!(catalog.file("connectors/kestrel/manifest.yaml").unwrap().text, "newer");
    }
}
