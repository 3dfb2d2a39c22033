//! Which components the dialect has: those that are read, and those that wait for their part of the dialect.
//!
//! To add a component: a file in `components` with its `Kind`, the kind in the list of whatever may hold it, its name
//! in `SUPPORTED`, and its name out of `NOT_YET`.

/// Components that are read.
const SUPPORTED: [&str; 45] = [
    "AddFields",
    "AddedFieldDefinition",
    "ApiKeyAuthenticator",
    "BasicHttpAuthenticator",
    "BearerAuthenticator",
    "CheckStream",
    "ConcurrencyLevel",
    "ConstantBackoffStrategy",
    "CursorPagination",
    "DatetimeBasedCursor",
    "DeclarativeSource",
    "DeclarativeStream",
    "DefaultErrorHandler",
    "DefaultPaginator",
    "DpathExtractor",
    "ExponentialBackoffStrategy",
    "HTTPAPIBudget",
    "HostAuthenticator",
    "HttpRequester",
    "HttpResponseFilter",
    "InlineSchemaLoader",
    "JsonDecoder",
    "JwtAuthenticator",
    "MinMaxDatetime",
    "NoAuth",
    "NoPagination",
    "OAuthAuthenticator",
    "OffsetIncrement",
    "PageIncrement",
    "PrimaryKey",
    "RecordFilter",
    "RecordSelector",
    "RemoveFields",
    "RequestBodyGraphQL",
    "RequestBodyJsonObject",
    "RequestBodyPlainText",
    "RequestBodyUrlEncodedForm",
    "RequestOption",
    "RequestPath",
    "Schemas",
    "SelectiveAuthenticator",
    "SimpleRetriever",
    "Spec",
    "WaitTimeFromHeader",
    "WaitUntilTimeFromHeader",
];

/// `(component, its part of the dialect)`
const NOT_YET: [(&str, &str); 41] = [
    ("AsyncRetriever", "asynchronous jobs"),
    ("CartesianProductStreamSlicer", "partition routers"),
    ("CheckDynamicStream", "dynamic streams"),
    ("ComplexFieldType", "dynamic schemas"),
    ("ComponentMappingDefinition", "dynamic streams"),
    ("CompositeErrorHandler", "composite error handlers"),
    ("CompositeRawDecoder", "decoders other than JSON"),
    ("ConditionalStreams", "conditional streams"),
    ("ConfigAddFields", "changes of the configuration"),
    ("ConfigComponentsResolver", "dynamic streams"),
    ("ConfigNormalizationRules", "changes of the configuration"),
    ("ConfigRemapField", "changes of the configuration"),
    ("ConfigRemoveFields", "changes of the configuration"),
    ("CsvDecoder", "decoders other than JSON"),
    ("DpathFlattenFields", "transformations other than AddFields and RemoveFields"),
    ("DynamicDeclarativeStream", "dynamic streams"),
    ("DynamicSchemaLoader", "dynamic schemas"),
    ("DynamicStreamCheckConfig", "dynamic streams"),
    ("FileUploader", "files"),
    ("FlattenFields", "transformations other than AddFields and RemoveFields"),
    ("GroupingPartitionRouter", "partition routers"),
    ("GzipDecoder", "decoders other than JSON"),
    ("HttpComponentsResolver", "dynamic streams"),
    ("IncrementingCountCursor", "cursors other than DatetimeBasedCursor"),
    ("IterableDecoder", "decoders other than JSON"),
    ("JsonFileSchemaLoader", "schemas in files of their own: write them into the manifest"),
    ("JsonlDecoder", "decoders other than JSON"),
    ("KeysReplace", "transformations other than AddFields and RemoveFields"),
    ("KeysToLower", "transformations other than AddFields and RemoveFields"),
    ("KeysToSnakeCase", "transformations other than AddFields and RemoveFields"),
    ("LegacySessionTokenAuthenticator", "tokens of a session"),
    ("ListPartitionRouter", "partition routers"),
    ("ParametrizedComponentsResolver", "dynamic streams"),
    ("PropertiesFromEndpoint", "query properties"),
    ("QueryProperties", "query properties"),
    ("ResponseToFileExtractor", "asynchronous jobs"),
    ("SessionTokenAuthenticator", "tokens of a session"),
    ("StateDelegatingStream", "streams that depend on their state"),
    ("SubstreamPartitionRouter", "partition routers"),
    ("XmlDecoder", "decoders other than JSON"),
    ("ZipfileDecoder", "decoders other than JSON"),
];

/// The part of the dialect for which a component waits.
pub(crate) fn not_yet(name: &str) -> Option<&'static str> {
    NOT_YET.iter().find(|(known, _)| *known == name).map(|(_, part)| *part)
}

/// Whether a component is code that its author would have to bring along.
pub(crate) fn is_custom(name: &str) -> bool {
    name.starts_with("Custom")
}

pub(crate) fn is_supported(name: &str) -> bool {
    SUPPORTED.contains(&name)
}

/// Every component that we know by name.
pub(crate) fn all() -> impl Iterator<Item = &'static str> {
    SUPPORTED.into_iter().chain(NOT_YET.into_iter().map(|(name, _)| name))
}
