//! Writers beside each other, as runs are.

use anyhow::{Result, anyhow};
use futures::future::try_join_all;

use super::Host;

const WRITERS: u32 = 6;
const STEPS: u32 = 30;

pub(super) async fn write(host: &Host) -> Result<()> {
    host.create_organizations().await?;
    try_join_all((0..WRITERS).map(|writer| async move {
        for number in 0..STEPS {
            host.step(writer, number).await.map_err(|error| anyhow!("writer {writer}: {error:#}"))?;
        }
        Ok::<(), anyhow::Error>(())
    }))
    .await?;
    host.storage.maintain().await?;
    Ok(())
}
