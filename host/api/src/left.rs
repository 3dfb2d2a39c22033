//! What the records keep of syncs and connections that are gone. It goes with them; where a crash comes between the two, the next
//! start goes on.

use control::{Left, Organizations, stored_prefix};
use records::RecordsByOrganization;

/// Forgets what is kept of something that is gone. May be repeated.
///
/// # Errors
/// When storage refuses, or when a sync is held by a run that has not said yet that it has ended.
pub async fn forget<E: From<control::Error> + From<records::Error>>(
    organizations: &Organizations,
    records: &RecordsByOrganization,
    (organization, left): (&str, &Left),
) -> Result<(), E> {
    let records = records.of(&organizations.owner(organization));
    match left {
        Left::Sync(sync) => records.forget_sync(sync).await?,
        Left::Connection(connection) => {
            let prefix = stored_prefix(connection);
            for kept in records.credentials().await? {
                if kept.name.starts_with(&prefix) {
                    records.revoke_credential(&kept.name).await?;
                }
            }
        }
    }
    Ok(organizations.forgotten(organization, left).await?)
}
