//! The first minute of a new data directory.

use anyhow::Result;

use super::Host;

pub(super) async fn write(host: &Host) -> Result<()> {
    host.create_organizations().await?;
    host.steps(0..6).await
}
