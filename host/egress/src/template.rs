//! A path as the ledger keeps it: what kind of thing was asked for, and not which one. Ids and values are rows' business.

/// What stands in the place of an id or a value.
const ID: &str = "{id}";
/// Longer than the names that people give to parts of an interface.
const NAME_BYTES_MAX: usize = 40;
/// Segments that are kept; deeper paths are files or attacks.
const SEGMENTS_MAX: usize = 16;

/// The template of a path.
pub(crate) fn template(path: &str) -> String {
    let mut segments = path.split('/');
    let mut text = String::with_capacity(path.len().min(256));
    for (index, segment) in segments.by_ref().take(SEGMENTS_MAX).enumerate() {
        if index > 0 {
            text.push('/');
        }
        text.push_str(if is_value(segment) { ID } else { segment });
    }
    if segments.next().is_some() {
        text.push_str("/…");
    }
    text
}

/// A segment that names one thing of many: a number, a hash, an address, a text that somebody entered.
fn is_value(segment: &str) -> bool {
    if segment.len() > NAME_BYTES_MAX {
        return true;
    }
    let name =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'{' | b'}');
    if !segment.bytes().all(name) {
        return true;
    }
    let digits = segment.bytes().filter(u8::is_ascii_digit).count();
    digits > 0 && !is_version(segment) && (digits >= 4 || digits * 2 >= segment.len())
}

/// `v1`, `v1.2`, `2024-01`, `2024-01-15`: versions of interfaces, which many paths begin with.
fn is_version(segment: &str) -> bool {
    let number =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let date = |text: &str| {
        let lengths: Vec<usize> = text.split('-').map(str::len).collect();
        matches!(lengths.as_slice(), [4, 2] | [4, 2, 2])
            && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
            && text.starts_with("20")
    };
    segment.strip_prefix('v').is_some_and(|rest| rest.len() <= 5 && number(rest)) || date(segment)
}

#[cfg(test)]
mod tests {
    use super::template;

    #[test]
    fn ids_and_values_are_left_out_and_names_stay() {
        for (path, expected) in [
            ("/", "/"),
            ("/v1/items", "/v1/items"),
            ("/v1/items/42", "/v1/items/{id}"),
            ("/v1.2/users/42/orders/7/", "/v1.2/users/{id}/orders/{id}/"),
            ("/admin/api/2024-01/shop.json", "/admin/api/2024-01/shop.json"),
            ("/people/3f2504e0-4f89-11d3-9a0c-0305e82c3301", "/people/{id}"),
            ("/commits/da39a3ee5e6b4b0d3255bfef95601890afd80709", "/commits/{id}"),
            ("/mail/ada@example.com/inbox", "/mail/{id}/inbox"),
            ("/files/Jane%20Doe.pdf", "/files/{id}"),
            ("/days/1990-05-27", "/days/{id}"),
            ("/oauth2/token", "/oauth2/token"),
            ("/s3/base64", "/{id}/base64"),
            ("/customers/cus_9s6XKzkNRiz8i3", "/customers/{id}"),
            ("/.well-known/openid-configuration", "/.well-known/openid-configuration"),
            ("//a", "//a"),
        ] {
            assert_eq!(template(path), expected, "{path}");
        }
        assert_eq!(template(&format!("/{}", "a".repeat(41))), "/{id}");
        assert_eq!(template(&"/a".repeat(40)), format!("{}/…", "/a".repeat(15)));
    }
}
