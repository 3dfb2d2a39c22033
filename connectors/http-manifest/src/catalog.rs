//! What there is to read. Each stream is a read group of its own.

use cofferdam_sdk::{Catalog, Layout, Operations, Result, StreamInfo, StreamSchema};
use http_manifest_dialect::{Stream, template::Scope};

use crate::{call, fields, program::Program};

/// All streams.
pub(crate) fn catalog(program: &Program, now: i64) -> Result<Catalog> {
    let scope = Scope::new(&program.config, now);
    let infos = program.manifest.streams.iter().map(|stream| info(stream, &scope));
    Ok(Catalog::new(infos.collect::<Result<Vec<_>>>()?))
}

fn info(stream: &Stream, scope: &Scope) -> Result<StreamInfo> {
    let info = StreamInfo::new(stream_schema(stream));
    let info = match &stream.cursor {
        Some(cursor) => {
            let field = call::text(&cursor.field, scope)?;
            StreamInfo { incremental: stream.is_incremental(), ..info.incremental([field]) }
        }
        None => info,
    };
    let description = stream.schema.as_ref().and_then(|schema| schema.get("description")?.as_str());
    Ok(match description {
        Some(description) => info.description(description),
        None => info,
    })
}

/// What the rows of a stream look like. They are inserts: whether they take the place of older ones with their key is
/// the sync's mode to say.
pub(crate) fn stream_schema(stream: &Stream) -> StreamSchema {
    let schema = fields::schema(stream.schema.as_ref(), &stream.primary_key);
    StreamSchema::new(&stream.name, schema, Layout::JsonLines)
        .keyed(stream.primary_key.iter().map(String::as_str), Operations::INSERT)
}
