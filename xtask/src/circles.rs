//! No file of a crate asks one that asks it, but for those of `xtask/circles.golden`, each with its reason. Tests are left out.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use syn::{
    Attribute, Item, ItemMod, ItemUse, UseTree,
    visit::{self, Visit},
};

use crate::shell::root;

const GOLDEN: &str = "xtask/circles.golden";

/// A module by the names on its way from the crate's root.
type Module = Vec<String>;
type Edges = BTreeMap<Module, BTreeSet<Module>>;

/// Compares the circles of all crates with the list.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut found = BTreeSet::new();
    let mut files = 0;
    for folder in fs::read_dir(root().join("crates"))? {
        let folder = folder?.path();
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let edges = edges(&folder.join("src"))?;
        files += edges.len();
        found.extend(circles(&edges).into_iter().map(|circle| format!("{name}: {circle}")));
    }
    let golden = fs::read_to_string(root().join(GOLDEN)).context(GOLDEN)?;
    let golden: BTreeSet<_> =
        golden.lines().filter(|l| !l.is_empty() && !l.starts_with('#')).map(str::to_owned).collect();
    let added: Vec<_> = found.difference(&golden).collect();
    let gone: Vec<_> = golden.difference(&found).collect();
    if !added.is_empty() || !gone.is_empty() {
        bail!("circles between files differ from {GOLDEN}\n  new: {added:#?}\n  gone: {gone:#?}");
    }
    println!("{files} files, {} circles as in {GOLDEN}", found.len());
    Ok(())
}

/// What each file asks of which other.
fn edges(source: &Path) -> anyhow::Result<Edges> {
    let mut files = BTreeMap::new();
    walk(source, source, &mut files)?;
    let modules: BTreeSet<Module> = files.keys().cloned().collect();
    let mut edges = Edges::new();
    for (module, path) in files {
        let file =
            syn::parse_file(&fs::read_to_string(&path)?).with_context(|| path.display().to_string())?;
        let mut asked =
            Asked { module: &module, modules: &modules, names: HashMap::new(), edges: BTreeSet::new() };
        for item in &file.items {
            if let Item::Use(item) = item {
                asked.import(item);
            }
        }
        asked.visit_file(&file);
        edges.insert(module.clone(), asked.edges);
    }
    Ok(edges)
}

fn walk(source: &Path, folder: &Path, files: &mut BTreeMap<Module, PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(source, &path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let relative = path.strip_prefix(source)?.with_extension("");
            let mut module: Module =
                relative.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
            if module.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
                module.pop();
            }
            if !module.iter().any(|part| part == "tests") {
                files.insert(module, path);
            }
        }
    }
    Ok(())
}

struct Asked<'f> {
    module: &'f Module,
    modules: &'f BTreeSet<Module>,
    /// What an import made known by a name of its own.
    names: HashMap<String, Module>,
    edges: BTreeSet<Module>,
}

impl Asked<'_> {
    /// The path from the crate's root, where that is where it leads.
    fn absolute(&self, path: &[String]) -> Option<Module> {
        let mut base = match path.first()?.as_str() {
            "crate" => return Some(path[1..].to_vec()),
            "self" | "super" => self.module.clone(),
            name => {
                let mut known = self.names.get(name)?.clone();
                known.extend_from_slice(&path[1..]);
                return Some(known);
            }
        };
        let mut rest = path;
        while let Some((first, after)) = rest.split_first() {
            match first.as_str() {
                "self" => {}
                "super" => {
                    base.pop();
                }
                _ => break,
            }
            rest = after;
        }
        base.extend_from_slice(rest);
        Some(base)
    }

    /// Notes the file that the longest beginning of a path names.
    fn note(&mut self, path: &[String]) {
        let named = (0..=path.len()).rev().map(|length| path[..length].to_vec());
        let named = named.into_iter().find(|module| self.modules.contains(module));
        if let Some(module) = named.filter(|module| module != self.module) {
            self.edges.insert(module);
        }
    }

    fn import(&mut self, item: &ItemUse) {
        if for_tests(&item.attrs) {
            return;
        }
        let mut paths = Vec::new();
        flatten(&item.tree, &mut Vec::new(), &mut paths);
        for (path, name) in paths {
            let Some(path) = self.absolute(&path) else { continue };
            // A module alone is a way to others, which are noted where they are named.
            if !self.modules.contains(&path) {
                self.note(&path);
            }
            self.names.insert(name, path);
        }
    }
}

impl<'a> Visit<'a> for Asked<'_> {
    fn visit_item_mod(&mut self, item: &'a ItemMod) {
        if !for_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        let names: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if names.len() > 1
            && let Some(path) = self.absolute(&names)
        {
            self.note(&path);
        }
        visit::visit_path(self, path);
    }
}

fn for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.meta.require_list().is_ok_and(|list| list.tokens.to_string() == "test")
    })
}

/// Every path of an import with the name that it makes known.
fn flatten(tree: &UseTree, before: &mut Module, paths: &mut Vec<(Module, String)>) {
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, paths);
            before.pop();
        }
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, before, paths)),
        UseTree::Name(name) if name.ident == "self" => {
            paths.push((before.clone(), before.last().cloned().unwrap_or_default()));
        }
        UseTree::Name(name) => {
            paths.push(([before.as_slice(), &[name.ident.to_string()]].concat(), name.ident.to_string()));
        }
        UseTree::Rename(name) => {
            paths.push(([before.as_slice(), &[name.ident.to_string()]].concat(), name.rename.to_string()));
        }
        UseTree::Glob(_) => paths.push((before.clone(), "*".to_owned())),
    }
}

/// Files that ask each other in a circle, by the way from each to each.
fn circles(edges: &Edges) -> Vec<String> {
    let reach: BTreeMap<_, _> = edges.keys().map(|from| (from, reached(edges, from))).collect();
    let mut circles = BTreeSet::new();
    for (from, reached) in &reach {
        let circle: Vec<_> =
            reach.iter().filter(|(to, back)| reached.contains(**to) && back.contains(*from)).collect();
        if circle.len() > 1 {
            let names = circle
                .iter()
                .map(|(module, _)| if module.is_empty() { "lib".to_owned() } else { module.join("::") });
            circles.insert(names.collect::<Vec<_>>().join(" "));
        }
    }
    circles.into_iter().collect()
}

fn reached<'e>(edges: &'e Edges, from: &Module) -> BTreeSet<&'e Module> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<_> = edges.get(from).into_iter().flatten().collect();
    while let Some(module) = next.pop() {
        if reached.insert(module) {
            next.extend(edges.get(module).into_iter().flatten());
        }
    }
    reached
}
