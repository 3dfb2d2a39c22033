//! Which passwords are taken: long ones, or shorter ones beside a second factor; none that is known to everybody.

use super::email::Email;
use crate::error::Error;
use crate::secret::Secret;
use std::collections::HashSet;
use std::sync::OnceLock;

/// Nothing in a policy makes a shorter one good.
const CHARACTERS_FLOOR: usize = 8;
/// From here on a password may be of words alone.
const PHRASE_CHARACTERS: usize = 15;
/// Longer ones are only work for whoever hashes them.
const BYTES_MAX: usize = 1_024;
/// Fewer different characters are a pattern, however long.
const DISTINCT_MIN: usize = 5;

/// See `data/README.md`.
static COMMON: &[u8] = include_bytes!("../../data/common-passwords.zst");
/// What it is unpacked, and room.
const COMMON_BYTES_MAX: usize = 1 << 20;

/// How long passwords must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordPolicy {
    characters_min: usize,
    characters_min_with_second_factor: usize,
}

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weakness {
    /// It is too short.
    Short {
        /// How many characters it must have.
        least: usize,
    },
    /// It is too long.
    Long {
        /// How many bytes it may have.
        most: usize,
    },
    /// A short one needs a letter and a digit.
    LetterAndDigit,
    /// It is of very few characters again and again.
    Pattern,
    /// It is among the passwords that everybody tries first, or such a one with something appended.
    Common,
    /// It is the person's own address, or a part of it.
    Personal,
}

impl Weakness {
    pub(crate) fn reason(self) -> String {
        match self {
            Self::Short { least } => format!("it has fewer than {least} characters"),
            Self::Long { most } => format!("it has more than {most} bytes"),
            Self::LetterAndDigit => {
                format!("below {PHRASE_CHARACTERS} characters it needs a letter and a digit")
            }
            Self::Pattern => "it is of very few characters again and again".to_owned(),
            Self::Common => "it is among the passwords that everybody tries first".to_owned(),
            Self::Personal => "it is your address, or a part of it".to_owned(),
        }
    }
}

impl Default for PasswordPolicy {
    /// 15 characters, or 8 beside a second factor (NIST SP 800-63B-4, section 3.1.1.2).
    fn default() -> Self {
        Self { characters_min: PHRASE_CHARACTERS, characters_min_with_second_factor: CHARACTERS_FLOOR }
    }
}

impl PasswordPolicy {
    /// Passwords of at least so many characters, and of so many beside a second factor; never fewer than eight.
    #[must_use]
    pub fn new(characters_min: usize, characters_min_with_second_factor: usize) -> Self {
        Self {
            characters_min: characters_min.max(CHARACTERS_FLOOR),
            characters_min_with_second_factor: characters_min_with_second_factor.max(CHARACTERS_FLOOR),
        }
    }

    pub(super) fn check(
        self,
        password: &Secret,
        email: &Email,
        has_second_factor: bool,
    ) -> Result<(), Error> {
        match self.weakness(password.expose(), email, has_second_factor) {
            Some(weakness) => Err(Error::WeakPassword { weakness }),
            None => Ok(()),
        }
    }

    fn weakness(self, password: &str, email: &Email, has_second_factor: bool) -> Option<Weakness> {
        let least =
            if has_second_factor { self.characters_min_with_second_factor } else { self.characters_min };
        let characters = password.chars().count();
        if characters < least {
            return Some(Weakness::Short { least });
        }
        if password.len() > BYTES_MAX {
            return Some(Weakness::Long { most: BYTES_MAX });
        }
        let has = |is: fn(char) -> bool| password.chars().any(is);
        if characters < PHRASE_CHARACTERS && !(has(char::is_alphabetic) && has(char::is_numeric)) {
            return Some(Weakness::LetterAndDigit);
        }
        let lower = password.to_lowercase();
        if lower.chars().collect::<HashSet<_>>().len() < DISTINCT_MIN {
            return Some(Weakness::Pattern);
        }
        // Nothing shorter than four letters is worth calling a part of somebody's name.
        let stem = stem(&lower);
        let names = [email.as_str(), email.local()];
        if names.iter().any(|name| name.len() >= 4 && (lower == *name || stem == *name)) {
            return Some(Weakness::Personal);
        }
        let is_common =
            [lower.as_str(), stem, period(&lower), period(stem)].iter().any(|one| common().contains(*one));
        is_common.then_some(Weakness::Common)
    }
}

/// Without the digits and signs that people append.
fn stem(password: &str) -> &str {
    password.trim_end_matches(|char: char| !char.is_alphabetic())
}

/// What the whole is a repetition of.
fn period(password: &str) -> &str {
    let is_period =
        |part: &&str| password.as_bytes().chunks(part.len()).all(|chunk| chunk == part.as_bytes());
    let cuts = password.char_indices().map(|(at, _)| at).skip(1);
    cuts.filter_map(|at| password.get(..at)).find(is_period).unwrap_or(password)
}

/// Unpacked at its first use; so many of them are about a megabyte.
fn common() -> &'static HashSet<Box<str>> {
    static SET: OnceLock<HashSet<Box<str>>> = OnceLock::new();
    SET.get_or_init(|| {
        let text = zstd::bulk::decompress(COMMON, COMMON_BYTES_MAX).unwrap_or_default();
        String::from_utf8_lossy(&text).lines().map(Box::from).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::{PasswordPolicy, Weakness, common};
    use crate::users::Email;

    fn weakness(password: &str, has_second_factor: bool) -> Option<Weakness> {
        let email = Email::parse("ada.lovelace@example.com").ok().unwrap();
        PasswordPolicy::default().weakness(password, &email, has_second_factor)
    }

    #[test]
    fn the_list_is_there_and_long() {
        assert_eq!(common().len(), 19_640);
        assert!(common().contains("password") && common().contains("qwerty123"));
    }

    #[test]
    fn passwords_are_judged_by_length_kind_and_what_everybody_knows() {
        use Weakness::{Common, LetterAndDigit, Long, Pattern, Personal, Short};
        let long = "ab1 ".repeat(300);
        for (password, alone, beside) in [
            ("", Some(Short { least: 15 }), Some(Short { least: 8 })),
            ("k3tchup", Some(Short { least: 15 }), Some(Short { least: 8 })),
            ("k3tchup!", Some(Short { least: 15 }), None),
            ("ketchup-", Some(Short { least: 15 }), Some(LetterAndDigit)),
            ("83610475", Some(Short { least: 15 }), Some(LetterAndDigit)),
            ("k3tchup mayonn", Some(Short { least: 15 }), None),
            ("ketchup mayonna", None, None),
            ("äöüßäöüßäöü3äöü", None, None),
            ("password1", Some(Short { least: 15 }), Some(Common)),
            ("Password2024!!!", Some(Common), Some(Common)),
            ("password12345678", Some(Common), Some(Common)),
            ("passwordpassword", Some(Common), Some(Common)),
            ("iloveyouiloveyou", Some(Common), Some(Common)),
            ("aaaaaaaaaaaaaaa", Some(Pattern), Some(Pattern)),
            ("abcabcabcabcabcabc", Some(Pattern), Some(Pattern)),
            ("1212121212121212", Some(Pattern), Some(Pattern)),
            ("ada.lovelace@example.com", Some(Personal), Some(Personal)),
            ("Ada.Lovelace1815", Some(Personal), Some(Personal)),
            (long.as_str(), Some(Long { most: 1_024 }), Some(Long { most: 1_024 })),
        ] {
            assert_eq!(weakness(password, false), alone, "{password}");
            assert_eq!(weakness(password, true), beside, "{password}");
        }
    }

    #[test]
    fn no_policy_takes_fewer_than_eight_characters() {
        assert_eq!(PasswordPolicy::new(0, 0), PasswordPolicy::new(8, 8));
        assert_eq!(
            PasswordPolicy::new(20, 12),
            PasswordPolicy { characters_min: 20, characters_min_with_second_factor: 12 }
        );
    }
}
