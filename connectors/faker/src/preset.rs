//! Which fields the presets have.

use cofferdam_sdk::{Field, Zone};

use crate::{
    column::Kind,
    config::Preset,
    words::{CITIES, COUNTRIES, CURRENCIES, FIRST_NAMES, LAST_NAMES, NOTES},
};

/// The field that is the key of each preset.
pub(crate) const KEY: &str = "id";

const PEOPLE: [(&str, Kind); 10] = [
    (KEY, Kind::Number),
    ("first_name", Kind::Choice(&FIRST_NAMES)),
    ("last_name", Kind::Choice(&LAST_NAMES)),
    ("email", Kind::Email),
    ("born_on", Kind::Day),
    ("city", Kind::Choice(&CITIES)),
    ("country", Kind::Choice(&COUNTRIES)),
    ("active", Kind::Boolean),
    ("joined_at", Kind::Moment(Zone::Utc)),
    ("note", Kind::Choice(&NOTES)),
];

const ORDERS: [(&str, Kind); 13] = [
    (KEY, Kind::Number),
    ("person_id", Kind::Integer(1000)),
    ("placed_at", Kind::Moment(Zone::Utc)),
    ("due_at", Kind::Moment(Zone::Local)),
    ("shipped_on", Kind::Day),
    ("picked_up", Kind::TimeOfDay(Zone::Local)),
    ("cut_off", Kind::TimeOfDay(Zone::Utc)),
    ("amount", Kind::Decimal),
    ("currency", Kind::Choice(&CURRENCIES)),
    ("discount", Kind::Fraction),
    ("paid", Kind::Boolean),
    ("signature", Kind::Bytes),
    ("details", Kind::Object),
];

const BENCH10: [(&str, Kind); 10] = [
    (KEY, Kind::Number),
    ("quantity", Kind::Integer(100_000)),
    ("price", Kind::Amount(1_000_000)),
    ("ratio", Kind::Fraction),
    ("active", Kind::Boolean),
    ("created_at", Kind::Moment(Zone::Utc)),
    ("name", Kind::Sentence(2)),
    ("city", Kind::Choice(&CITIES)),
    ("note", Kind::Sentence(6)),
    ("attributes", Kind::Object),
];

/// The fields of a preset, with the values that they have. Nulls stand in all of them but the key, if anywhere.
pub(crate) fn fields(preset: Preset, null_rate: f64) -> impl Iterator<Item = (Field, Kind)> {
    let fields: &[(&str, Kind)] = match preset {
        Preset::People => &PEOPLE,
        Preset::Orders => &ORDERS,
        Preset::Bench10 => &BENCH10,
    };
    fields.iter().map(move |(name, kind)| {
        let field = Field::new(*name, kind.data_type());
        (if null_rate > 0.0 && *name != KEY { field.nullable() } else { field }, *kind)
    })
}
