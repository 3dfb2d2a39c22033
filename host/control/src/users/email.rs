//! Addresses of e-mail, in one spelling each.

use crate::error::Error;
use email_address::{EmailAddress, Options};

/// What a path of SMTP can carry (RFC 5321, section 4.5.3.1.3, without its brackets).
const BYTES_MAX: usize = 254;

/// An address of e-mail. Without `Debug`: it tells who somebody is.
#[derive(Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Reads an address. Its letters become small ones: no system of today tells addresses apart by their case, and two
    /// people with one address would be one attack. A domain of other scripts gets its spelling in ASCII.
    ///
    /// # Errors
    /// [`Error::BadEmail`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::read(text).ok_or(Error::BadEmail)
    }

    fn read(text: &str) -> Option<Self> {
        let options = Options::default().with_minimum_sub_domains(2).without_display_text();
        let (local, domain) = text.rsplit_once('@')?;
        // Quoted local parts may hold spaces and more; nobody has one.
        let is_plain = !local.contains(['"', '\\']) && !local.chars().any(char::is_control);
        let domain = idna::domain_to_ascii_strict(domain).ok().filter(|_| is_plain)?;
        let email = format!("{}@{domain}", local.to_lowercase());
        EmailAddress::parse_with_options(&email, options.without_domain_literal()).ok()?;
        (email.len() <= BYTES_MAX).then_some(Self(email))
    }

    /// The address, for as long as it is needed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the `@`.
    pub(crate) fn local(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }
}

#[cfg(test)]
mod tests {
    use super::Email;

    #[test]
    fn each_address_has_one_spelling() {
        for (text, spelled) in [
            ("ada@example.com", "ada@example.com"),
            ("Ada.Lovelace+x@EXAMPLE.com", "ada.lovelace+x@example.com"),
            ("ada@bücher.example", "ada@xn--bcher-kva.example"),
            ("ÄDA@example.com", "äda@example.com"),
            ("a@b.c.d.example", "a@b.c.d.example"),
        ] {
            assert_eq!(Email::parse(text).ok().unwrap().as_str(), spelled);
        }
    }

    #[test]
    fn what_is_no_address_is_refused_and_not_quoted() {
        let long = format!("{}@{}.example", "a".repeat(64), "b.".repeat(100));
        for text in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@example",
            "ada@@example.com",
            "a da@example.com",
            " ada@example.com",
            "ada@example.com ",
            "Ada <ada@example.com>",
            "\"a b\"@example.com",
            "ada@[127.0.0.1]",
            "ada@exa mple.com",
            "ada@-example.com",
            "ada\n@example.com",
            "ada@example.com\r\nBcc: x",
            ".ada@example.com",
            "a..b@example.com",
            &long,
        ] {
            let Err(error) = Email::parse(text) else { panic!("{text}") };
            assert_eq!(error.code(), "CD1220");
            assert_eq!(error.to_string(), "this is no address of e-mail, such as `name@example.com`");
        }
    }
}
