//! The rules of this repository that no lint knows. Each rule returns its faults; none prints or stops early.

mod codes;
mod dependencies;
mod floors;
mod leftovers;
mod licences;
mod metadata;
mod sources;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use self::{metadata::Metadata, sources::Sources};

/// Applies all rules and prints every fault.
pub(crate) fn run(root: &Path, workspaces: &[PathBuf]) -> Result<()> {
    let faults = faults(root, workspaces)?;
    for fault in &faults {
        println!("{fault}");
    }
    match faults.len() {
        0 => Ok(()),
        count => bail!("{count} rules of the repository are broken (see above)"),
    }
}

fn faults(root: &Path, workspaces: &[PathBuf]) -> Result<Vec<String>> {
    let sources = Sources::read(root)?;
    let mut faults = sources.too_long();
    faults.extend(leftovers::faults(&sources));
    faults.extend(codes::faults(&sources, &codes::pages(root)?));
    for workspace in workspaces {
        let metadata = Metadata::read(workspace)?;
        faults.extend(dependencies::faults(&metadata));
        faults.extend(licences::faults(&metadata));
        if workspace == root {
            faults.extend(floors::faults(&metadata));
        }
    }
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use super::{Metadata, floors};
    use crate::paths::root;

    #[test]
    fn arrows_of_this_repository_point_down() {
        assert_eq!(floors::faults(&Metadata::read(&root()).unwrap()), Vec::<String>::new());
    }
}
