//! A sync as the pipeline understands it: the same words, without the document.

use manifest::SyncFile;
use pipeline::model;
use pipeline::run::{ChosenStream, Options, RejectPolicy, Rejects, RowData, RunSpec};

use crate::opened::Ports;

/// What a run of this sync is asked to do.
pub(crate) fn spec(sync: &SyncFile, ports: Ports) -> RunSpec {
    let mut spec = RunSpec::new(sync.name.clone(), ports.source, ports.destination);
    spec.transforms = ports.transforms;
    spec.secrets = ports.secrets;
    spec.streams = sync.streams.as_ref().map(|streams| streams.iter().map(chosen).collect());
    spec.rejects = Rejects {
        policy: match sync.rejects.policy {
            manifest::RejectPolicy::Fail => RejectPolicy::Fail,
            manifest::RejectPolicy::Skip => RejectPolicy::Skip,
            manifest::RejectPolicy::Quarantine => RejectPolicy::Quarantine,
        },
        row_data: match sync.rejects.row_data {
            manifest::RowData::Off => RowData::Off,
            manifest::RowData::Local => RowData::Local,
            manifest::RowData::Stored => RowData::Stored,
        },
        max_count: sync.rejects.max_count,
        max_rate: sync.rejects.max_rate,
    };
    spec.options = Options {
        parallel_groups: sync.run.parallel_groups,
        attempts: sync.run.attempts,
        commit_bytes: sync.run.commit_bytes,
        commit_every_ms: sync.run.commit_every_ms,
        ..Options::default()
    };
    spec
}

/// A stream as the sync chooses it.
pub(crate) fn chosen(stream: &manifest::StreamSelection) -> ChosenStream {
    ChosenStream {
        stream: stream.name.clone(),
        mode: match stream.mode {
            manifest::Mode::Append => model::Mode::Append,
            manifest::Mode::Upsert => model::Mode::Upsert,
            manifest::Mode::Mirror => model::Mode::Mirror,
            manifest::Mode::Replace => model::Mode::Replace,
        },
        fields: stream.fields.clone(),
        filter: stream.filter.iter().map(condition).collect(),
        limit: stream.limit,
    }
}

fn condition(condition: &manifest::Condition) -> model::Condition {
    use manifest::Comparison as Said;
    use model::Comparison as Meant;
    model::Condition {
        field: condition.field.clone(),
        comparison: match condition.comparison {
            Said::Equal => Meant::Equal,
            Said::NotEqual => Meant::NotEqual,
            Said::Less => Meant::Less,
            Said::LessOrEqual => Meant::LessOrEqual,
            Said::Greater => Meant::Greater,
            Said::GreaterOrEqual => Meant::GreaterOrEqual,
            Said::IsNull => Meant::IsNull,
            Said::IsNotNull => Meant::IsNotNull,
        },
        value: condition.value.to_string(),
    }
}
