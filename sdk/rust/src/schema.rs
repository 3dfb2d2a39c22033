//! Short ways to say what streams and fields look like.

use crate::{
    Catalog, DataType, DecimalType, Field, Layout, Operations, Pushdown, ReadGroup, Schema, StreamInfo,
    StreamSchema, Zone,
};

impl DataType {
    /// A decimal number: `precision` digits (1 to 38), `scale` of them after the point.
    pub const fn decimal(precision: u8, scale: u8) -> Self {
        Self::Decimal(DecimalType { precision, scale })
    }

    /// The name by which messages call it.
    pub fn name(&self) -> String {
        let zone = |zone: &Zone| if *zone == Zone::Utc { "utc" } else { "local" };
        match self {
            Self::Boolean => "boolean".to_owned(),
            Self::Int64 => "int64".to_owned(),
            Self::Float64 => "float64".to_owned(),
            Self::Decimal(DecimalType { precision, scale }) => format!("decimal({precision}, {scale})"),
            Self::Text => "text".to_owned(),
            Self::Bytes => "bytes".to_owned(),
            Self::Json => "json".to_owned(),
            Self::Date => "date".to_owned(),
            Self::Time(place) => format!("time({})", zone(place)),
            Self::Timestamp(place) => format!("timestamp({})", zone(place)),
            Self::List(_) => "list".to_owned(),
            Self::Struct(_) => "struct".to_owned(),
        }
    }
}

impl Field {
    /// A field that is never null.
    pub fn new(name: impl Into<String>, data_type: DataType) -> Self {
        Self { name: name.into(), data_type, nullable: false, logical_type: None, description: None }
    }

    /// Null is a legal value.
    pub fn nullable(self) -> Self {
        Self { nullable: true, ..self }
    }

    /// What the value means beyond its type, such as `uuid`.
    pub fn logical_type(self, name: impl Into<String>) -> Self {
        Self { logical_type: Some(name.into()), ..self }
    }

    /// A sentence for people.
    pub fn description(self, text: impl Into<String>) -> Self {
        Self { description: Some(text.into()), ..self }
    }
}

impl Schema {
    /// These fields and no others.
    pub fn new(fields: impl IntoIterator<Item = Field>) -> Self {
        Self { fields: fields.into_iter().collect(), children: Vec::new(), additional_fields: false }
    }

    /// Nothing is known of the rows: any fields may come (JSON lines only).
    pub fn open() -> Self {
        Self { fields: Vec::new(), children: Vec::new(), additional_fields: true }
    }

    /// Rows may carry fields that are not declared (JSON lines only).
    pub fn with_additional_fields(self) -> Self {
        Self { additional_fields: true, ..self }
    }

    /// The position of a field.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }
}

impl StreamSchema {
    /// A stream of version 1, without a key, whose rows are inserts.
    ///
    /// ```
    /// use cofferdam_sdk::{DataType, Field, Layout, Operations, Schema, StreamSchema};
    ///
    /// let schema = Schema::new([Field::new("id", DataType::Int64), Field::new("title", DataType::Text).nullable()]);
    /// let movies = StreamSchema::new("movies", schema, Layout::JsonLines).keyed(["id"], Operations::UPSERT);
    /// assert_eq!(movies.keys, ["id"]);
    /// ```
    pub fn new(stream: impl Into<String>, schema: Schema, layout: Layout) -> Self {
        Self {
            stream: stream.into(),
            version: 1,
            schema,
            keys: Vec::new(),
            operations: Operations::INSERT,
            layout,
        }
    }

    /// The fields that name a row, and what rows may ask for.
    pub fn keyed<K: Into<String>>(self, keys: impl IntoIterator<Item = K>, operations: Operations) -> Self {
        Self { keys: keys.into_iter().map(Into::into).collect(), operations, ..self }
    }
}

impl StreamInfo {
    /// A stream in a group of its own that is read as a whole each time.
    pub fn new(schema: StreamSchema) -> Self {
        Self {
            schema,
            group: None,
            cursor_fields: Vec::new(),
            incremental: false,
            pushdown: Pushdown::empty(),
            estimated_rows: None,
            description: None,
        }
    }

    /// A later run, opened with the last checkpoint, returns only what is new or changed by these fields.
    pub fn incremental<F: Into<String>>(self, cursor_fields: impl IntoIterator<Item = F>) -> Self {
        let cursor_fields = cursor_fields.into_iter().map(Into::into).collect();
        Self { cursor_fields, incremental: true, ..self }
    }

    /// Read together with the other streams of this group.
    pub fn group(self, name: impl Into<String>) -> Self {
        Self { group: Some(name.into()), ..self }
    }

    /// What the source itself does with a selection.
    pub fn pushdown(self, pushdown: Pushdown) -> Self {
        Self { pushdown, ..self }
    }

    /// A sentence for people.
    pub fn description(self, text: impl Into<String>) -> Self {
        Self { description: Some(text.into()), ..self }
    }
}

impl Catalog {
    /// These streams, each in the group that it names.
    pub fn new(streams: impl IntoIterator<Item = StreamInfo>) -> Self {
        Self { streams: streams.into_iter().collect(), groups: Vec::new() }
    }

    /// The pages of this group say where transactions end.
    pub fn marks_transactions(mut self, group: impl Into<String>) -> Self {
        self.groups.push(ReadGroup { name: group.into(), marks_transactions: true });
        self
    }
}
