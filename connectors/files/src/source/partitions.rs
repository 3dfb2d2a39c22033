//! Values in paths: `year=2024/month=1/part.csv` says that every row has the year 2024 and the month 1.

use cofferdam_sdk::{Error, Result};

/// What Hive writes for null.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// The names and values in the folders of a path. None: null.
pub(crate) fn values(path: &str) -> Result<Vec<(String, Option<String>)>> {
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    let pairs = folders.split('/').filter_map(|folder| folder.split_once('='));
    pairs
        .map(|(name, value)| {
            let text = |text| {
                decode(text)
                    .ok_or_else(|| Error::data(format!("`{path}`: `{text}` is no percent-encoded UTF-8")))
            };
            Ok((text(name)?, if value == NULL { None } else { Some(text(value)?) }))
        })
        .collect()
}

/// Percent signs with two hexadecimal digits are bytes; the result must be UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = std::str::from_utf8(after.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = after.get(2..)?;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::values;

    #[test]
    fn folders_with_an_equals_sign_are_values() {
        let some = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
        assert_eq!(
            values("x/year=2024/city=S%C3%A3o%20Paulo/a=b.csv").unwrap(),
            [some("year", "2024"), some("city", "São Paulo")]
        );
        assert_eq!(values("k=__HIVE_DEFAULT_PARTITION__/a.csv").unwrap(), [("k".to_owned(), None)]);
        assert_eq!(values("a.csv").unwrap(), []);
        for path in ["k=%/a", "k=%4/a", "k=%zz/a", "k=%ff/a"] {
            assert!(values(path).is_err(), "{path}");
        }
    }
}
