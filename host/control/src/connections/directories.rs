//! Directories of this machine that its operator lets admins of organizations grant. Admins name them; where they lie only the
//! operator says, and each organization has a folder of its own there, unless the operator shares the directory as a whole.

use super::Connections;
use super::consent::{Consent, GrantedDirectory};
use crate::access::Action;
use crate::error::Error;
use manifest::{Access, AddressGrant, Asks, ConfigFault, DirectoryGrant, Offer};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// As long as a name of a directory that a connector asks for.
const NAME_BYTES_MAX: usize = 63;
/// Beside the operator's own path it has room in the 4,096 bytes that the kernel takes.
const BELOW_BYTES_MAX: usize = 1_024;
/// What a file system takes.
const PART_BYTES_MAX: usize = 255;

/// What the operator of this process lets admins of organizations grant beside hosts.
#[derive(Debug, Clone, Default)]
pub struct Grantable {
    /// Addresses of private networks.
    pub addresses: Vec<AddressGrant>,
    /// Directories of this machine.
    pub directories: Vec<OfferedDirectory>,
}

/// A directory of this machine that admins may grant by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedDirectory {
    /// What the operator calls it.
    pub name: String,
    /// Where it is: whole, and without links.
    pub root: PathBuf,
    /// What may be done there at most.
    pub access: Access,
    /// The organizations, by their ids, that may grant it; none: every one.
    pub organizations: Option<BTreeSet<String>>,
    /// Whether they see all of it instead of a folder of their own.
    pub shared: bool,
}

impl OfferedDirectory {
    /// Whether a directory may be called so: as a connector may call one that it asks for.
    #[must_use]
    pub fn is_name(text: &str) -> bool {
        let letters = text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        letters && text.starts_with(|first: char| first.is_ascii_lowercase()) && text.len() <= NAME_BYTES_MAX
    }

    fn is_for(&self, organization: &str) -> bool {
        self.organizations.as_ref().is_none_or(|organizations| organizations.contains(organization))
    }

    /// The part of it that an organization may grant. Its id is drawn, so it leads nowhere else and stays the same.
    fn granted(&self, organization: &str, granted: &GrantedDirectory) -> DirectoryGrant {
        let mut path = self.root.clone();
        if !self.shared {
            path.push(organization);
        }
        path.extend(&granted.below);
        let offer = Offer { name: self.name.clone(), root: self.root.clone() };
        DirectoryGrant { path, access: granted.access.min(self.access), offer: Some(offer) }
    }
}

impl Connections {
    /// The directories that an admin of this organization may grant. Where they lie is not for its people.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::UnknownOrganization`], or when storage cannot be read.
    pub async fn offered(&self, by: &str, organization: &str) -> Result<Vec<OfferedDirectory>, Error> {
        self.organizations.may(by, organization, Action::ReadConfigurations).await?;
        let all = self.grantable.directories.iter();
        Ok(all.filter(|offered| offered.is_for(organization)).cloned().collect())
    }

    /// Names of the directories in which files of an organization may lie, also where it is deleted: they are the operator's.
    #[must_use]
    pub fn directories_of(&self, organization: &str) -> Vec<String> {
        let all = self.grantable.directories.iter().filter(|offered| offered.is_for(organization));
        all.map(|offered| offered.name.clone()).collect()
    }

    /// Where what was consented to lies now.
    pub(super) fn granted_directories(
        &self,
        organization: &str,
        consent: &Consent,
    ) -> Result<BTreeMap<String, DirectoryGrant>, Error> {
        let granted = consent.directories.iter().map(|(ask, granted)| {
            let not_offered = || Error::DirectoryNotOffered {
                ask: ask.clone(),
                directory: granted.directory.clone(),
                line: line_to_offer(organization, granted),
            };
            let offered = self.offer(organization, &granted.directory).ok_or_else(not_offered)?;
            Ok((ask.clone(), offered.granted(organization, granted)))
        });
        granted.collect()
    }

    fn offer(&self, organization: &str, name: &str) -> Option<&OfferedDirectory> {
        let mut all = self.grantable.directories.iter();
        all.find(|offered| offered.name == name && offered.is_for(organization))
    }

    pub(super) fn directory_faults(
        &self,
        organization: &str,
        asks: &Asks,
        consent: &Consent,
    ) -> Vec<ConfigFault> {
        let mut faults = Vec::new();
        for (ask, granted) in &consent.directories {
            let mut fault = |rest: &str, message: String| {
                faults
                    .push(ConfigFault::new(format!("/directories/{}{rest}", ask.escape_default()), message));
            };
            let Some(asked) = asks.directories.iter().find(|asked| asked.name == *ask) else {
                fault("", "the connector does not ask for this directory".to_owned());
                continue;
            };
            if granted.access > asked.access {
                fault("/access", "the connector asks only to read there".to_owned());
            }
            if let Some(message) = below_fault(granted.below.as_deref()) {
                fault("/below", message);
            }
            if !OfferedDirectory::is_name(&granted.directory) {
                fault("/directory", "is no name of a directory, such as `imports`".to_owned());
                continue;
            }
            match self.offer(organization, &granted.directory) {
                Some(offered) if granted.access > offered.access => {
                    fault("/access", "the operator of this server offers it only to be read".to_owned());
                }
                Some(_) => {}
                None => fault("/directory", not_offered(&line_to_offer(organization, granted))),
            }
        }
        faults
    }
}

/// One answer for what is not there and for what is for others.
fn not_offered(line: &str) -> String {
    format!(
        "the operator of this server offers this organization no such directory; in its settings this would: `{line}`"
    )
}

/// What the operator would write.
fn line_to_offer(organization: &str, granted: &GrantedDirectory) -> String {
    let (name, access) = (&granted.directory, granted.access.as_str());
    format!(
        "[[directories]]; name = \"{name}\"; path = \"/…\"; access = \"{access}\"; organizations = [\"{organization}\"]"
    )
}

/// Parts that lead down, and nothing else.
fn below_fault(below: Option<&str>) -> Option<String> {
    let below = below?;
    let is_part = |part: &str| !matches!(part, "" | "." | "..") && part.len() <= PART_BYTES_MAX;
    if below.len() > BELOW_BYTES_MAX {
        return Some(format!("has more than {BELOW_BYTES_MAX} bytes"));
    }
    let is_sound = below.split('/').all(is_part) && !below.contains(char::is_control);
    (!is_sound).then(|| "is no path that leads down from the directory, such as `daily/orders`".to_owned())
}
