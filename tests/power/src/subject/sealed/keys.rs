//! Every key gets a successor while rows are there.

use std::sync::Arc;

use anyhow::{Result, ensure};
use storage::{Change, Life, Table};
use vault::{Bucket, Class};

use super::Host;
use super::rows::organization;
use crate::home::{DEPLOYMENT, Home};

const ROUNDS: u32 = 3;
const STEPS: u32 = 8;
/// Where nobody looks for what is there.
const ERASED: Table = Table { name: "erased", class: Class::Rows, schema_version: 1 };

pub(super) async fn write(host: &Host, home: &Home<'_>) -> Result<()> {
    host.create_organizations().await?;
    let (own, other) = (organization(0), organization(1));
    host.canary("other", &other, Bucket::Standing)?;
    for round in 0..ROUNDS {
        host.steps(round * STEPS..(round + 1) * STEPS).await?;
        let file = home.key_file();
        host.storage
            .with_keyring_mut(move |keyring| {
                file.add_key(&DEPLOYMENT, &keyring.kek_id())?;
                keyring.rotate_kek(Arc::new(file))
            })
            .await?;
        let part = format!("own-{round}-");
        host.canary(&format!("{part}standing"), &own, Bucket::Standing)?;
        host.doom(&part)?;
        host.storage.rotate_organization(&own).await?;
        host.doomed(&part)?;
        let part = format!("erased-{round}-");
        host.canary(&format!("{part}standing"), &own, Bucket::Standing)?;
        let row = Change::new(&own).put(ERASED, "erased", Life::Standing, b"for good".to_vec());
        host.storage.commit(row).await?;
        host.storage.commit(Change::new(&own).delete(ERASED, "erased")).await?;
        host.doom(&part)?;
        ensure!(host.storage.erase_now(&own).await?.is_some(), "there was something to erase");
        host.doomed(&part)?;
    }
    Ok(())
}
