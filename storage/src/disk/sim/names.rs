//! The names of a simulated file system: as they are seen, as they are on the disk, and the
//! changes between, in order.
//!
//! Invariant: of one directory's unsynced changes a crash keeps the first ones, as a journal
//! would; a rename is kept or lost as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::rng::Rng;

/// What has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Dir,
    File(usize),
}

type Tree = BTreeMap<PathBuf, Node>;

/// Names of one directory that change together: to a node, or to nothing.
#[derive(Debug)]
struct Change {
    dir: PathBuf,
    to: Vec<(PathBuf, Option<Node>)>,
}

#[derive(Debug)]
pub(super) struct Names {
    seen: Tree,
    synced: Tree,
    changes: Vec<Change>,
}

impl Names {
    /// Only the root, and the current directory.
    pub fn new() -> Self {
        let roots = ["/", "."].map(|root| (PathBuf::from(root), Node::Dir));
        Self { seen: Tree::from(roots.clone()), synced: Tree::from(roots), changes: Vec::new() }
    }

    pub fn node(&self, path: &Path) -> Option<Node> {
        self.seen.get(path).copied()
    }

    pub fn file(&self, path: &Path) -> io::Result<usize> {
        match self.node(path) {
            Some(Node::File(inode)) => Ok(inode),
            Some(Node::Dir) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Every file that has a name.
    pub fn files(&self) -> impl Iterator<Item = usize> {
        self.seen.values().filter_map(|node| match node {
            Node::File(inode) => Some(*inode),
            Node::Dir => None,
        })
    }

    pub fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.expect_dir(path)?;
        let children = self.seen.keys().filter(|name| parent_of(name) == path && *name != path);
        let name = |path: &PathBuf| path.file_name().map(|name| name.to_string_lossy().into());
        Ok(children.filter_map(name).collect())
    }

    pub fn create_dir_all(&mut self, path: &Path) -> io::Result<()> {
        match self.node(path) {
            Some(Node::Dir) => Ok(()),
            Some(Node::File(_)) => Err(io::ErrorKind::NotADirectory.into()),
            None => {
                self.create_dir_all(parent_of(path))?;
                self.change(vec![(path.to_path_buf(), Some(Node::Dir))]);
                Ok(())
            }
        }
    }

    pub fn create_file(&mut self, path: &Path, inode: usize) -> io::Result<()> {
        self.expect_dir(parent_of(path))?;
        if self.node(path).is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.change(vec![(path.to_path_buf(), Some(Node::File(inode)))]);
        Ok(())
    }

    pub fn remove_file(&mut self, path: &Path) -> io::Result<()> {
        self.file(path)?;
        self.change(vec![(path.to_path_buf(), None)]);
        Ok(())
    }

    pub fn remove_dir_all(&mut self, path: &Path) -> io::Result<()> {
        self.expect_dir(path)?;
        let inside: Vec<_> =
            self.seen.keys().filter(|name| name.starts_with(path)).cloned().collect();
        // Sorted, a directory comes before what is in it, and must go after it.
        for name in inside.into_iter().rev() {
            self.change(vec![(name, None)]);
        }
        Ok(())
    }

    pub fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let inode = self.file(from)?;
        self.expect_dir(parent_of(to))?;
        self.change(vec![
            (from.to_path_buf(), None),
            (to.to_path_buf(), Some(Node::File(inode))),
        ]);
        Ok(())
    }

    pub fn sync_dir(&mut self, path: &Path) -> io::Result<()> {
        self.expect_dir(path)?;
        let (synced, rest) = std::mem::take(&mut self.changes)
            .into_iter()
            .partition(|change| change.dir == path);
        self.changes = rest;
        let synced: Vec<Change> = synced;
        synced.iter().for_each(|change| apply(&mut self.synced, change));
        Ok(())
    }

    pub fn crash(&mut self, rng: &mut Rng) {
        let mut kept: BTreeMap<PathBuf, bool> = BTreeMap::new();
        // For each directory the changes end somewhere: at the first that chance refuses.
        let stop_in = [2, 4, 1000][rng.below(3) as usize];
        for change in std::mem::take(&mut self.changes) {
            let keeps = kept.entry(change.dir.clone()).or_insert(true);
            *keeps = *keeps && !rng.one_in(stop_in);
            if *keeps {
                apply(&mut self.synced, &change);
            }
        }
        // What is in a directory that was lost is lost with it.
        let dirs: BTreeSet<PathBuf> = self
            .synced
            .iter()
            .filter(|(_, node)| **node == Node::Dir)
            .map(|(path, _)| path.clone())
            .collect();
        let found = |dir: &Path| dir.as_os_str().is_empty() || dirs.contains(dir);
        self.synced.retain(|path, _| path.ancestors().skip(1).all(found));
        self.seen.clone_from(&self.synced);
    }

    fn expect_dir(&self, path: &Path) -> io::Result<()> {
        match self.node(path) {
            Some(Node::Dir) => Ok(()),
            Some(Node::File(_)) => Err(io::ErrorKind::NotADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn change(&mut self, to: Vec<(PathBuf, Option<Node>)>) {
        let dir = parent_of(&to[0].0).to_path_buf();
        let change = Change { dir, to };
        apply(&mut self.seen, &change);
        self.changes.push(change);
    }
}

fn apply(tree: &mut Tree, change: &Change) {
    for (path, node) in &change.to {
        match node {
            Some(node) => tree.insert(path.clone(), *node),
            None => tree.remove(path),
        };
    }
}

fn parent_of(path: &Path) -> &Path {
    super::super::parent_of(path)
}
