//! Which entities the samples speak of, where their records lie, and which source fills which field.

use crate::anchor::{self, Anchor, Key};
use crate::assign::{Found, Scene, assign, own_words};
use crate::leaf::below;
use crate::observe::Observed;
use crate::synonyms::Vocabulary;
use crate::targets::{self, Make};
use crate::text::quoted;
use crate::{Request, TAKE};
use hub_model::{ENTITIES, EntityType};
use std::collections::{BTreeMap, BTreeSet};

/// Points that choose an entity: ten for each field that was found, so many for its name.
const NAME_POINTS: u32 = 40;
/// An entity with fewer points is not chosen.
const ENOUGH: u32 = 40;
/// A reference whose name fits and whose id is not sure has at least this confidence.
const WAITING: u32 = 60;
/// Two entities with so many fields in common that are taken from the same sources describe the same thing.
const TWINS: usize = 3;

/// A record that the proposal makes.
#[derive(Debug)]
pub(crate) struct Emit<'t> {
    pub(crate) entity: &'static EntityType,
    pub(crate) anchor: Anchor<'t>,
    /// How rules name the record's object.
    pub(crate) base: String,
    /// The expression of the key; none when it is not sure.
    pub(crate) key: Option<String>,
    pub(crate) key_source: String,
    pub(crate) key_confidence: u32,
    pub(crate) key_reason: String,
    pub(crate) found: Vec<Found>,
}

/// The whole proposal before it is written.
#[derive(Debug)]
pub(crate) struct Plan<'t> {
    /// Names for objects, with their expressions, those above first.
    pub(crate) lets: Vec<(String, String)>,
    pub(crate) emits: Vec<Emit<'t>>,
    pub(crate) notes: Vec<String>,
}

struct Candidate<'t> {
    entity: &'static EntityType,
    anchor: Anchor<'t>,
    found: Vec<Found>,
    points: u32,
    why: String,
}

/// Makes the plan.
pub(crate) fn plan<'t>(request: &Request<'_>, observed: &'t Observed, vocabulary: &Vocabulary) -> Plan<'t> {
    let mut notes = observed.notes.clone();
    if observed.samples < 3 {
        notes.push(format!(
            "{} samples show little: with more, enums, formats and optional fields become surer",
            observed.samples
        ));
    }
    let wanted: Vec<&'static EntityType> = match &request.entities {
        Some(names) => {
            let unknown = names.iter().filter(|name| hub_model::entity(name).is_none());
            notes.extend(unknown.map(|name| {
                let known: Vec<&str> = ENTITIES.iter().map(|entity| entity.name).collect();
                format!("there is no entity `{name}`; there are {}", known.join(", "))
            }));
            ENTITIES.iter().copied().filter(|entity| names.contains(&entity.name)).collect()
        }
        None => Vec::new(),
    };
    let anchors: BTreeMap<&str, Anchor<'t>> =
        ENTITIES.iter().map(|entity| (entity.name, anchor::find(entity, observed, vocabulary))).collect();
    let mut chosen = wanted;
    if chosen.is_empty() {
        chosen = choose(request, observed, vocabulary, &anchors, &mut notes);
    } else {
        notes.push("the entities are those that were asked for".to_owned());
    }
    chosen.sort_by_key(|entity| (vocabulary.rank(entity.name), entity.name));
    let (lets, bases) = name_objects(&chosen, &anchors);
    let mut emits: Vec<Emit<'t>> = Vec::new();
    for entity in &chosen {
        let (Some(anchor), Some(base)) = (anchors.get(entity.name), bases.get(entity.name)) else { continue };
        let without = apart(entity, &chosen, &anchors);
        let found = weigh(entity, anchor, base, &without, &anchors, observed, vocabulary);
        emits.push(Emit {
            entity,
            anchor: anchor.clone(),
            base: base.clone(),
            key: None,
            key_source: String::new(),
            key_confidence: 0,
            key_reason: String::new(),
            found,
        });
    }
    share_sources(&mut emits);
    keys(request, &mut emits, observed, vocabulary);
    refer(&mut emits);
    Plan { lets, emits, notes }
}

/// Paths of objects that are records of their own, so that their fields are not those of `entity`.
fn apart(
    entity: &EntityType,
    others: &[&'static EntityType],
    anchors: &BTreeMap<&str, Anchor<'_>>,
) -> BTreeSet<String> {
    let here = anchors.get(entity.name).map(|anchor| anchor.path.as_str()).unwrap_or_default();
    let others = others.iter().filter(|other| other.name != entity.name);
    others
        .filter_map(|other| anchors.get(other.name))
        .map(|anchor| anchor.path.clone())
        .filter(|path| path != here)
        .collect()
}

fn weigh(
    entity: &'static EntityType,
    anchor: &Anchor<'_>,
    base: &str,
    without: &BTreeSet<String>,
    anchors: &BTreeMap<&str, Anchor<'_>>,
    observed: &Observed,
    vocabulary: &Vocabulary,
) -> Vec<Found> {
    let foreign = !anchor.named && anchors.values().any(|other| other.named && other.path == anchor.path);
    let mut own = own_words(entity.name, vocabulary);
    own.extend(vocabulary.also(entity.name).iter().flatten().cloned());
    let scene = Scene {
        vocabulary,
        own,
        foreign,
        base,
        path: &anchor.path,
        samples: anchor.node.samples.max(observed.samples.min(1)),
    };
    assign(&targets::of_entity(entity, vocabulary), &below(anchor.node, &anchor.path, without, vocabulary), &scene)
}

/// Chooses entities by the fields that are found and by what objects are called.
fn choose(
    request: &Request<'_>,
    observed: &Observed,
    vocabulary: &Vocabulary,
    anchors: &BTreeMap<&str, Anchor<'_>>,
    notes: &mut Vec<String>,
) -> Vec<&'static EntityType> {
    let named: Vec<&'static EntityType> =
        ENTITIES.iter().copied().filter(|entity| anchors.get(entity.name).is_some_and(|a| a.named)).collect();
    let object = vocabulary.words(request.object);
    let mut candidates: Vec<Candidate<'_>> = Vec::new();
    for entity in ENTITIES {
        let Some(anchor) = anchors.get(entity.name) else { continue };
        let found = weigh(entity, anchor, "payload", &apart(entity, &named, anchors), anchors, observed, vocabulary);
        let fields = found.iter().filter(|found| found.taken).count();
        let own = own_words(entity.name, vocabulary);
        let called = vocabulary.entity(entity.name).contains(&object);
        let by_id = anchor::key(entity, anchor, &own, observed.samples, vocabulary)
            .is_some_and(|key| !key.bare && key.confidence > anchor::ALSO);
        let mut why = vec![format!("{fields} fields found")];
        for (holds, reason) in [
            (anchor.named, format!("an object called like it at {}", anchor.path)),
            (called && !anchor.named, "the object of the file is called like it".to_owned()),
            (by_id && !anchor.named && !called, "an id called like it".to_owned()),
        ] {
            if holds {
                why.push(reason);
            }
        }
        let name_points = if why.len() > 1 { NAME_POINTS } else { 0 };
        let points = u32::try_from(fields).unwrap_or(u32::MAX).saturating_mul(10).saturating_add(name_points);
        candidates.push(Candidate { entity, anchor: anchor.clone(), found, points, why: why.join(", ") });
    }
    candidates.sort_by_key(|one| (std::cmp::Reverse(one.points), vocabulary.rank(one.entity.name), one.entity.name));
    let mut chosen: Vec<&Candidate<'_>> = Vec::new();
    for one in &candidates {
        let taken = |one: &Candidate<'_>| -> BTreeSet<String> {
            one.found.iter().filter(|found| found.taken).map(|found| found.source.clone()).collect()
        };
        let others: BTreeSet<String> = chosen.iter().flat_map(|other| taken(other)).collect();
        let alone = taken(one).difference(&others).count();
        let named = one.points >= NAME_POINTS && one.why.contains("called like");
        let shares = chosen.iter().any(|other| other.anchor.path == one.anchor.path);
        let enough = one.points >= ENOUGH && alone > 0 && (named || !shares && alone > 1 || alone > 2);
        if chosen.is_empty() || enough {
            notes.push(format!("{} is chosen: {} points, {}", one.entity.name, one.points, one.why));
            chosen.push(one);
        } else if one.points >= ENOUGH {
            notes.push(format!(
                "{} is not chosen: {} points, but only {alone} sources that no chosen entity has; ask for it by name",
                one.entity.name, one.points
            ));
        }
    }
    chosen.iter().map(|one| one.entity).collect()
}

type Lets = Vec<(String, String)>;

/// Names for the objects of records, so that paths stay short, and how rules name each record's object.
fn name_objects(
    chosen: &[&'static EntityType],
    anchors: &BTreeMap<&str, Anchor<'_>>,
) -> (Lets, BTreeMap<&'static str, String>) {
    let mut named: Vec<(String, String)> = Vec::new();
    for entity in chosen {
        let Some(anchor) = anchors.get(entity.name).filter(|anchor| anchor.list.is_none()) else { continue };
        if anchor.path != "payload" && !named.iter().any(|(path, _)| *path == anchor.path) {
            named.push((anchor.path.clone(), entity.name.to_owned()));
        }
    }
    named.sort_by_key(|(path, name)| (path.len(), name.clone()));
    let shorten = |path: &str, above: &[(String, String)]| -> String {
        let found = above.iter().rev().find_map(|(known, name)| {
            let rest = path.strip_prefix(known.as_str())?;
            (rest.is_empty() || rest.starts_with('.')).then(|| format!("{name}{rest}"))
        });
        found.unwrap_or_else(|| path.to_owned())
    };
    let lets = named
        .iter()
        .enumerate()
        .map(|(index, (path, name))| (name.clone(), shorten(path, named.get(..index).unwrap_or_default())))
        .collect();
    let bases = chosen.iter().filter_map(|entity| {
        let anchor = anchors.get(entity.name)?;
        let base = if anchor.list.is_some() { format!("item{}", anchor.inner) } else { shorten(&anchor.path, &named) };
        Some((entity.name, base))
    });
    (lets, bases.collect())
}

/// A source that feeds one field of one entity feeds another entity only in a field of the same name. A title that may
/// be that of the vacancy is not taken as the title of the person.
fn share_sources(emits: &mut [Emit<'_>]) {
    let waiting: Vec<(String, &'static str, String)> = emits
        .iter()
        .flat_map(|emit| emit.found.iter().map(|found| (emit.entity.name, found)))
        .filter(|(_, found)| matches!(found.make, Make::Ref(_)) && !found.taken && found.confidence >= WAITING)
        .map(|(entity, found)| (found.source.clone(), entity, found.target.clone()))
        .collect();
    for emit in emits.iter_mut() {
        for found in emit.found.iter_mut().filter(|found| found.taken) {
            let other =
                waiting.iter().find(|(source, entity, _)| *source == found.source && *entity != emit.entity.name);
            if let Some((_, entity, target)) = other {
                found.doubt(&format!("it may be what `{entity}.{target}` needs an id for"));
            }
        }
    }
    let mut owners: BTreeMap<String, (u32, &'static str, String)> = BTreeMap::new();
    for emit in emits.iter() {
        for found in emit.found.iter().filter(|found| found.taken) {
            let claim = (found.confidence, emit.entity.name, found.target.clone());
            match owners.get(&found.source) {
                Some((confidence, ..)) if *confidence >= claim.0 => {}
                _ => {
                    owners.insert(found.source.clone(), claim);
                }
            }
        }
    }
    for emit in emits {
        for found in emit.found.iter_mut().filter(|found| found.taken) {
            if let Some((_, entity, target)) = owners.get(&found.source)
                && *entity != emit.entity.name
                && *target != found.target
            {
                found.doubt(&format!("it feeds `{entity}.{target}` already"));
            }
        }
    }
}

fn keys(request: &Request<'_>, emits: &mut [Emit<'_>], observed: &Observed, vocabulary: &Vocabulary) {
    let object = vocabulary.words(request.object);
    let found: Vec<Option<Key<'_>>> = emits
        .iter()
        .map(|emit| {
            let own = own_words(emit.entity.name, vocabulary);
            anchor::key(emit.entity, &emit.anchor, &own, observed.samples, vocabulary)
        })
        .collect();
    // A bare id belongs to the record that the object is called after.
    let claims: Vec<bool> = emits
        .iter()
        .zip(&found)
        .map(|(emit, key)| {
            let called = emit.anchor.named || vocabulary.entity(emit.entity.name).contains(&object);
            called && key.as_ref().is_some_and(|key| key.bare)
        })
        .collect();
    let paths: Vec<String> = emits.iter().map(|emit| emit.anchor.path.clone()).collect();
    let twins: Vec<Vec<usize>> = (0..emits.len()).map(|index| twins(emits, index)).collect();
    for (index, (emit, key)) in emits.iter_mut().zip(&found).enumerate() {
        let Some(key) = key else {
            emit.key_reason = "nothing in the samples looks like the record's id".to_owned();
            continue;
        };
        emit.key_source = key.leaf.read.shown(&emit.anchor.path);
        emit.key_confidence = key.confidence;
        emit.key_reason.clone_from(&key.reason);
        let others = |other: &usize| {
            *other != index
                && paths.get(*other) == paths.get(index)
                && !twins.get(index).is_some_and(|twins| twins.contains(other))
        };
        let mine = claims.get(index) == Some(&true);
        let contested = key.bare
            && !mine
            && (0..paths.len()).any(|other| {
                let own_key = found.get(other).and_then(Option::as_ref).is_some_and(|key| !key.bare);
                others(&other) && !own_key
            });
        if contested {
            emit.key_confidence = emit.key_confidence.min(60);
            emit.key_reason += "; the object holds other records too, and it may be theirs";
        }
        if emit.key_confidence >= TAKE {
            emit.key = Some(key.leaf.read.expr(&emit.base));
        }
    }
    for index in 0..emits.len() {
        let Some(emit) = emits.get(index).filter(|emit| emit.key.is_none()) else { continue };
        let same = |other: &&Emit<'_>| other.anchor.path == emit.anchor.path && other.key.is_some();
        let twin = twins.get(index).and_then(|twins| twins.iter().filter_map(|at| emits.get(*at)).find(same));
        if let Some(twin) = twin {
            let (key, source, name) = (twin.key.clone(), twin.key_source.clone(), twin.entity.name);
            if let Some(emit) = emits.get_mut(index) {
                emit.key = key;
                emit.key_source = source;
                emit.key_confidence = 80;
                emit.key_reason = format!("no id of its own: it shares that of {name}, which it describes");
            }
        }
    }
}

/// The other records that describe the same thing: several fields of one name from the same sources.
fn twins(emits: &[Emit<'_>], index: usize) -> Vec<usize> {
    let fields = |emit: &Emit<'_>| -> BTreeSet<(String, String)> {
        emit.found
            .iter()
            .filter(|found| found.taken)
            .map(|found| (found.target.clone(), found.source.clone()))
            .collect()
    };
    let Some(mine) = emits.get(index).map(fields) else { return Vec::new() };
    let others = emits.iter().enumerate().filter(|(other, _)| *other != index);
    others.filter(|(_, other)| fields(other).intersection(&mine).count() >= TWINS).map(|(other, _)| other).collect()
}

/// References between the proposed records: by the key of the other one, where it is known which one that is.
fn refer(emits: &mut [Emit<'_>]) {
    struct Known {
        entity: &'static str,
        list: Option<String>,
        source: String,
        key: String,
    }
    let known = |emit: &Emit<'_>| {
        let (list, source) = (emit.anchor.list.clone(), emit.key_source.clone());
        emit.key.clone().map(|key| Known { entity: emit.entity.name, list, source, key })
    };
    let keys: Vec<Known> = emits.iter().filter_map(known).collect();
    for emit in emits {
        let mut done = BTreeSet::new();
        for field in emit.entity.fields {
            let hub_model::Type::Ref(to) = field.ty else { continue };
            if *to == emit.entity.name || !done.insert(*to) {
                continue;
            }
            let Some(other) = keys.iter().find(|other| other.entity == *to) else { continue };
            if other.list.is_some() && other.list != emit.anchor.list {
                continue;
            }
            let found = Found {
                target: field.name.to_owned(),
                make: Make::Ref(to),
                source: other.source.clone(),
                confidence: 97,
                reason: format!("the {to} of the same payload"),
                rule: format!("{{ ref: {to}, key: {} }}", quoted(&other.key)),
                taken: true,
                also: Vec::new(),
                items: None,
            };
            emit.found.retain(|known| known.target != field.name);
            emit.found.push(found);
        }
        let fields = emit.entity.fields;
        let place = |target: &str| {
            let first = target.split('.').next().unwrap_or_default();
            fields.iter().position(|field| field.name == first)
        };
        emit.found.sort_by_key(|found| place(&found.target));
    }
}
