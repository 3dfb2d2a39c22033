//! Fields as they are given on the command line. A secret is never among its words: every process of the machine can read
//! those.

use std::convert::Infallible;
use std::io::Read;
use std::path::PathBuf;
use std::str::FromStr;

use vault::Plaintext;

use super::Error;
use crate::problem::Problems;

/// A key with its certificates is smaller.
const VALUE_BYTES_MAX: u64 = 256 << 10;

/// `name=value` or `name=@FILE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedText {
    pub(crate) name: String,
    value: String,
}

/// `name=@FILE`, `name=env:VARIABLE` or `name=-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SecretSource {
    pub(crate) name: String,
    from: From,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum From {
    File(PathBuf),
    Variable(String),
    Input,
    /// Whatever was said instead; it is not kept, for it may be the secret itself.
    Words,
}

impl FromStr for NamedText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or("a field is `name=value` or `name=@FILE`")?;
        Ok(Self { name: name.to_owned(), value: value.to_owned() })
    }
}

/// Never fails: what fails is quoted by whoever reads the command line.
impl FromStr for SecretSource {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let (name, source) = text.split_once('=').unwrap_or_default();
        let from = match source {
            "-" => From::Input,
            _ if source.len() > 1 && source.starts_with('@') => From::File(source.split_at(1).1.into()),
            _ => match source.strip_prefix("env:") {
                Some(variable) if !variable.is_empty() => From::Variable(variable.to_owned()),
                _ => From::Words,
            },
        };
        Ok(Self { name: name.to_owned(), from })
    }
}

impl NamedText {
    pub(crate) fn value(&self) -> Result<String, Problems> {
        let Some(path) = self.value.strip_prefix('@') else { return Ok(self.value.clone()) };
        let value = file(&self.name, path.into())?;
        let text = String::from_utf8(value.expose().to_vec());
        Ok(text.map_err(|_| Error::wrong(&self.name, "it is not UTF-8"))?)
    }
}

impl SecretSource {
    pub(crate) fn value(&self) -> Result<Plaintext, Problems> {
        match &self.from {
            From::File(path) => file(&self.name, path.clone()),
            From::Variable(variable) => match std::env::var(variable) {
                Ok(value) => Ok(Plaintext::new(value.into_bytes())),
                Err(_) => {
                    Err(Error::wrong(&self.name, format!("`{variable}` is not set, or is not UTF-8")).into())
                }
            },
            From::Input => {
                let read = whole(std::io::stdin().lock());
                Ok(read.map_err(|error| Error::wrong(&self.name, format!("standard input: {error}")))?)
            }
            From::Words => Err(Error::SecretInWords.into()),
        }
    }
}

fn file(name: &str, path: PathBuf) -> Result<Plaintext, Problems> {
    let wrong = |error: std::io::Error| Error::wrong(name, format!("`{}`: {error}", path.display()));
    let file = std::fs::File::open(&path).map_err(wrong)?;
    Ok(whole(file).map_err(wrong)?)
}

/// Without the end of the last line, which editors put there.
fn whole(from: impl Read) -> std::io::Result<Plaintext> {
    // One byte more than what is taken, and room for it from the start: a buffer that grows leaves copies behind.
    let mut bytes = Vec::with_capacity(VALUE_BYTES_MAX as usize + 1);
    let read = from.take(VALUE_BYTES_MAX + 1).read_to_end(&mut bytes);
    if let Ok(count) = read
        && count as u64 <= VALUE_BYTES_MAX
    {
        while matches!(bytes.last(), Some(b'\n' | b'\r')) {
            bytes.pop();
        }
        return Ok(Plaintext::new(bytes));
    }
    drop(Plaintext::new(bytes));
    read.and(Err(std::io::Error::other(format!("it has more than {VALUE_BYTES_MAX} bytes"))))
}

#[cfg(test)]
mod tests {
    use super::{From, NamedText, SecretSource, whole};

    #[test]
    fn a_secret_comes_from_anywhere_but_the_command_line_and_is_not_kept_when_it_does_not() {
        let from = |text: &str| text.parse::<SecretSource>().unwrap();
        assert_eq!(from("token=-").from, From::Input);
        assert_eq!(from("token=@a/b=c").from, From::File("a/b=c".into()));
        assert_eq!(from("token=env:TOKEN").from, From::Variable("TOKEN".into()));
        for words in ["token=CANARY", "CANARY", "token=", "token=@", "token=env:"] {
            assert_eq!(from(words).from, From::Words);
            assert!(!format!("{:?}", from(words)).contains("CANARY"), "{words}");
            let problem = from(words).value().err().unwrap();
            assert!(!format!("{problem:?}").contains("CANARY"), "{words}");
        }
    }

    #[test]
    fn a_field_may_have_any_value() {
        let field: NamedText = "username=a=b".parse().unwrap();
        assert_eq!((&*field.name, field.value().unwrap()), ("username", "a=b".into()));
        assert!("username".parse::<NamedText>().is_err());
    }

    #[test]
    fn the_end_of_the_last_line_is_no_part_of_a_secret() {
        for text in ["abc", "abc\n", "abc\r\n", "abc\n\n"] {
            assert_eq!(whole(text.as_bytes()).unwrap().expose(), b"abc");
        }
        let most = "x".repeat(256 << 10);
        assert_eq!(whole(most.as_bytes()).unwrap().expose().len(), 256 << 10);
        assert!(whole(format!("{most}x").as_bytes()).is_err());
    }
}
