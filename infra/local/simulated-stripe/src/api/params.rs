//! The parameters of a call, from its query and its form-encoded body.
//!
//! Stripe's SDKs write a list as `name[0]=…`, its CLI as `name[]=…`; both are read. A parameter that a call
//! does not know is refused by name, as Stripe does.

use std::collections::BTreeMap;

use super::error::ApiError;

/// A change of a map such as `metadata`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MapChange {
    /// `metadata=`: remove all.
    Clear,
    /// Set these keys; an empty value removes its key.
    Merge(BTreeMap<String, String>),
}

/// Decoded names and values, in the order sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Params(pub(crate) Vec<(String, String)>);

impl Params {
    pub(crate) fn parse(query: &str, body: &[u8]) -> Self {
        let pairs = url::form_urlencoded::parse(query.as_bytes()).chain(url::form_urlencoded::parse(body));
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// Returns them by name, for comparing: only the order of values under one name means something.
    pub(crate) fn sorted(&self) -> Vec<&(String, String)> {
        let mut sorted: Vec<_> = self.0.iter().collect();
        sorted.sort_by(|one, other| one.0.cmp(&other.0));
        sorted
    }

    /// Refuses the first parameter that is none of these (`expand` goes everywhere and changes nothing here).
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), ApiError> {
        let known = |name: &str| name == "expand" || known.contains(&name);
        match self.0.iter().map(|(name, _)| split(name).0).find(|name| !known(name)) {
            Some(name) => Err(ApiError::unknown(name)),
            None => Ok(()),
        }
    }

    /// Returns the last value sent under exactly this name.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(sent, _)| sent == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn boolean(&self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.text(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(ApiError::invalid(name, format!("Invalid boolean: {other}"))),
        }
    }

    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, ApiError> {
        let parsed = |value: &str| {
            value.parse().map_err(|_| ApiError::invalid(name, format!("Invalid integer: {value}")))
        };
        self.text(name).map(parsed).transpose()
    }

    /// Returns a list: `name[]=a&name[]=b`, or with numbers in the brackets.
    pub(crate) fn list(&self, name: &str) -> Result<Option<Vec<&str>>, ApiError> {
        if self.text(name).is_some() {
            return Err(ApiError::invalid(name, "Invalid array"));
        }
        let items: Vec<_> = self.under(name).map(|(_, value)| value).collect();
        Ok((!items.is_empty()).then_some(items))
    }

    pub(crate) fn map(&self, name: &str) -> Option<MapChange> {
        if self.text(name) == Some("") {
            return Some(MapChange::Clear);
        }
        let entries: BTreeMap<_, _> =
            self.under(name).map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        (!entries.is_empty()).then_some(MapChange::Merge(entries))
    }

    /// Returns what was sent as `name[inside]`: the insides and the values.
    pub(crate) fn under<'a>(&'a self, name: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().filter_map(move |(sent, value)| match split(sent) {
            (outside, Some(inside)) if outside == name => Some((inside, value.as_str())),
            _ => None,
        })
    }
}

/// Splits `metadata[plan]` into `metadata` and `plan`.
fn split(name: &str) -> (&str, Option<&str>) {
    match name.split_once('[') {
        Some((outside, rest)) => (outside, Some(rest.strip_suffix(']').unwrap_or(rest))),
        None => (name, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_with_and_without_numbers() {
        for body in ["e[]=a%2A&e[]=b", "e[0]=a*&e[1]=b", "e%5B0%5D=a%2A&e%5B1%5D=b"] {
            let params = Params::parse("", body.as_bytes());
            assert_eq!(params.list("e").unwrap(), Some(vec!["a*", "b"]), "{body}");
        }
    }

    #[test]
    fn a_map_is_merged_or_cleared() {
        let merge = Params::parse("", b"metadata[a]=1&metadata[b]=").map("metadata");
        let entries = [("a", "1"), ("b", "")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(merge, Some(MapChange::Merge(BTreeMap::from(entries))));
        assert_eq!(Params::parse("", b"metadata=").map("metadata"), Some(MapChange::Clear));
        assert_eq!(Params::parse("", b"url=x").map("metadata"), None);
    }
}
