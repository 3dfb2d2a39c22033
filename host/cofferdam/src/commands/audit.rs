//! `cofferdam audit`: what was done, and whether that is still what was written down then.

mod export;
mod remembered;
mod source;
mod verify;

use crate::arguments::{Audit, AuditCommand, AuditList};
use crate::output::Output;
use crate::problem::Problems;
use crate::remote::audit_entries;

pub(super) async fn run(audit: Audit, output: &Output) -> Result<(), Problems> {
    match audit.command {
        AuditCommand::List(command) => list(&command, output).await,
        AuditCommand::Export(command) => export::run(&command, output).await,
        AuditCommand::Verify(command) => verify::run(&command, output).await,
    }
}

async fn list(command: &AuditList, output: &Output) -> Result<(), Problems> {
    audit_entries(command.installation, command.limit).perform(&command.server, output).await
}
