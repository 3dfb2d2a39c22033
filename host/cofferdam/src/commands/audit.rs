//! `cofferdam audit`: what was done, and whether that is still what was written down then.

mod export;
mod remembered;
mod source;
mod verify;

use crate::arguments::{Audit, AuditCommand, AuditCompare, AuditConsistency, AuditInclusion, AuditList};
use crate::output::Output;
use crate::problem::Problems;
use crate::remote::{audit_checkpoint, audit_compare, audit_consistency, audit_entries, audit_inclusion};

pub(super) async fn run(audit: Audit, output: &Output) -> Result<(), Problems> {
    match audit.command {
        AuditCommand::List(command) => list(&command, output).await,
        AuditCommand::Export(command) => export::run(&command, output).await,
        AuditCommand::Verify(command) => verify::run(&command, output).await,
        AuditCommand::Checkpoint(command) => {
            audit_checkpoint(command.installation).perform(&command.server, output).await
        }
        AuditCommand::Compare(AuditCompare { checkpoint, log }) => {
            let checkpoint = verify::checkpoint(&checkpoint)?;
            audit_compare(log.installation, checkpoint).perform(&log.server, output).await
        }
        AuditCommand::Inclusion(AuditInclusion { number, size, server }) => {
            audit_inclusion(number, size).perform(&server, output).await
        }
        AuditCommand::Consistency(AuditConsistency { earlier, size, server }) => {
            audit_consistency(earlier, size).perform(&server, output).await
        }
    }
}

async fn list(command: &AuditList, output: &Output) -> Result<(), Problems> {
    audit_entries(command.installation, command.limit).perform(&command.server, output).await
}
