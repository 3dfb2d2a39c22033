//! The words that made-up texts consist of. Some need more than ASCII, quotes or escapes: real ones do.

pub(crate) const FIRST_NAMES: [&str; 16] = [
    "Ada", "Björn", "Chloé", "Dmitri", "Emma", "Fatima", "Grace", "Hiro", "Inês", "José", "Kwame", "Łukasz",
    "Mei", "Noor", "Olga", "Zoë",
];

pub(crate) const LAST_NAMES: [&str; 16] = [
    "Andersson",
    "Brown",
    "Čapek",
    "da Silva",
    "Eriksen",
    "Ferrari",
    "García",
    "Haddad",
    "Ivanova",
    "Jones",
    "Kim",
    "Lovelace",
    "Müller",
    "Nguyen",
    "O'Brien",
    "Yılmaz",
];

pub(crate) const CITIES: [&str; 16] = [
    "Accra",
    "Bogotá",
    "Chennai",
    "Delft",
    "Edinburgh",
    "Fukuoka",
    "Gdańsk",
    "Hamburg",
    "İzmir",
    "Jakarta",
    "Kyiv",
    "Lagos",
    "Montréal",
    "Nairobi",
    "Oslo",
    "Zürich",
];

pub(crate) const COUNTRIES: [&str; 8] = ["BR", "CA", "DE", "GH", "IN", "JP", "NO", "UA"];

pub(crate) const CURRENCIES: [&str; 4] = ["CHF", "EUR", "JPY", "USD"];

/// Texts that trip careless writers of CSV and JSON.
pub(crate) const NOTES: [&str; 8] = [
    "",
    "called twice",
    "said \"later\"",
    "first line\nsecond line",
    "a, b; c\td",
    "back\\slash",
    " blanks around ",
    "snow ❄ and 日本",
];

/// Plain words for running text; sixteen of them, so that four bits choose one.
pub(crate) const WORDS: [&str; 16] = [
    "amber", "basin", "cedar", "delta", "ember", "fjord", "grain", "harbor", "island", "jetty", "kelp",
    "lagoon", "meadow", "north", "orchard", "pier",
];
