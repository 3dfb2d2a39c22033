//! What a control group allows its processes, whichever of the two kinds it is.

use std::path::{Path, PathBuf};

use super::small;

const MOUNT: &str = "/sys/fs/cgroup";

/// The least that a group of this process, or one around it, says in a file of this name; none: no limit.
pub(super) fn least(controller: &str, files: &[&str]) -> Option<u64> {
    let groups = small::text("/proc/self/cgroup")?;
    let folders = folders(&groups, controller, Path::new(MOUNT));
    folders
        .iter()
        .flat_map(|folder| files.iter().map(|file| folder.join(file)))
        .filter_map(small::number)
        .min()
}

/// The folders of the group and of all around it. Within a container the path may be that of the machine, and lead nowhere:
/// then the group is what is mounted.
fn folders(groups: &str, controller: &str, mount: &Path) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let base = match controllers {
            "" => mount.to_owned(),
            names if names.split(',').any(|name| name == controller) => mount.join(controller),
            _ => continue,
        };
        let group = base.join(path.trim_start_matches('/'));
        folders.extend(group.ancestors().take_while(|folder| folder.starts_with(&base)).map(Path::to_owned));
    }
    folders
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::folders;

    #[test]
    fn a_group_and_all_around_it_count() {
        let check = |groups: &str, expected: &[&str]| {
            let expected: Vec<PathBuf> = expected.iter().map(PathBuf::from).collect();
            assert_eq!(folders(groups, "memory", Path::new("/m")), expected, "{groups}");
        };
        check("0::/a/b.service\n", &["/m/a/b.service", "/m/a", "/m"]);
        check("0::/\n", &["/m"]);
        check("4:memory:/a\n3:cpu,cpuacct:/b\n", &["/m/memory/a", "/m/memory"]);
        check("9:name=systemd:/\nnonsense\n", &[]);
    }
}
