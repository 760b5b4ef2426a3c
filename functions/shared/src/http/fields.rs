//! The fields of a JSON body and the parameters of a query, each checked and each refused by name.

use std::collections::BTreeMap;

use jiff::Timestamp;
use lambda_http::http::StatusCode;
use lambda_http::{Request, RequestExt};
use serde_json::{Map, Value};

use super::ApiError;
use crate::event::without_byte_order_mark;
use crate::page::{DEFAULT_LIMIT, InvalidCursor, MAX_LIMIT, read_cursor, write_cursor};

/// The fields of a JSON object.
#[derive(Debug)]
pub struct Fields {
    /// The field that holds them, if they are not the body itself.
    within: Option<&'static str>,
    fields: Map<String, Value>,
}

impl Fields {
    /// Reads a body that may have these fields and no others. An empty body is an empty object.
    ///
    /// # Errors
    /// 400 for what is no JSON object, or has another field.
    pub fn read(body: &[u8], known: &[&str]) -> Result<Self, ApiError> {
        let body = without_byte_order_mark(body);
        let body = if body.trim_ascii().is_empty() { b"{}" } else { body };
        // Where, but not what: the error's own text quotes the body, which may hold a key.
        let fields: Map<String, Value> = serde_json::from_slice(body).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            let message = format!("the body is not a JSON object (looked up to {place})");
            let remedy = match known {
                [] => "send no body".to_owned(),
                [field] => format!("send {{\"{field}\": …}}"),
                [_, _, ..] => format!("send {{…}} with any of the fields {}, or no body", known.join(", ")),
            };
            ApiError::new(StatusCode::BAD_REQUEST, "body_invalid", message).remedy(remedy)
        })?;
        match fields.keys().find(|field| !known.contains(&field.as_str())) {
            None => Ok(Self { within: None, fields }),
            Some(unknown) => Err(unknown_field(unknown, known)),
        }
    }

    /// Returns whether the field is in the body, null included.
    pub fn is_given(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    /// A text, if the field is there and not null.
    ///
    /// # Errors
    /// 400 for anything but text.
    pub fn text(&self, field: &'static str) -> Result<Option<&str>, ApiError> {
        self.typed(field, Value::as_str, "a text")
    }

    /// True or false, if the field is there and not null.
    ///
    /// # Errors
    /// 400 for anything else.
    pub fn flag(&self, field: &'static str) -> Result<Option<bool>, ApiError> {
        self.typed(field, Value::as_bool, "true or false")
    }

    /// A list of texts, if the field is there and not null.
    ///
    /// # Errors
    /// 400 for anything else.
    pub fn texts(&self, field: &'static str) -> Result<Option<Vec<&str>>, ApiError> {
        let texts = |value: &'_ Value| {
            value.as_array().is_some_and(|items| items.iter().all(Value::is_string)).then_some(())
        };
        if self.typed(field, texts, "a list of texts")?.is_none() {
            return Ok(None);
        }
        Ok(self
            .fields
            .get(field)
            .and_then(Value::as_array)
            .map(|items| items.iter().filter_map(Value::as_str).collect()))
    }

    /// A time, if the field is there and not null.
    ///
    /// # Errors
    /// 400 for what is not written as RFC 3339 has it.
    pub fn time(&self, field: &'static str) -> Result<Option<Timestamp>, ApiError> {
        self.query(&[field])?.time(field)
    }

    /// A whole number between two bounds, if the field is there and not null.
    ///
    /// # Errors
    /// 400 for anything else.
    pub fn number(&self, field: &'static str, least: u32, most: u32) -> Result<Option<u32>, ApiError> {
        let read = |value: &Value| {
            let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
            number.filter(|number| (least..=most).contains(number))
        };
        self.typed(field, read, &format!("a whole number from {least} to {most}"))
    }

    /// The fields inside a field, if it is there and not null; they may be these and no others.
    ///
    /// # Errors
    /// 400 for what is no JSON object, or has another field.
    pub fn fields(&self, field: &'static str, known: &[&str]) -> Result<Option<Self>, ApiError> {
        let Some(inner) = self.typed(field, Value::as_object, "a JSON object")? else { return Ok(None) };
        match inner.keys().find(|inside| !known.contains(&inside.as_str())) {
            None => Ok(Some(Self { within: Some(field), fields: inner.clone() })),
            Some(unknown) => Err(unknown_field(&format!("{field}.{unknown}"), known)),
        }
    }

    /// Texts as the parameters of a query, so that filters are read alike wherever they stand.
    ///
    /// # Errors
    /// 400 for one that is no text.
    pub fn query(&self, names: &[&'static str]) -> Result<Query, ApiError> {
        let mut parameters = BTreeMap::new();
        for name in names {
            if let Some(text) = self.text(name)? {
                parameters.insert((*name).to_owned(), text.to_owned());
            }
        }
        Ok(Query(parameters))
    }

    fn typed<'a, T>(
        &'a self,
        field: &'static str,
        read: impl FnOnce(&'a Value) -> Option<T>,
        what: &str,
    ) -> Result<Option<T>, ApiError> {
        match self.fields.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => read(value).map(Some).ok_or_else(|| {
                let field =
                    self.within.map_or_else(|| field.to_owned(), |within| format!("{within}.{field}"));
                let message = format!("`{field}` is not {what}");
                ApiError::invalid(field, message).remedy(format!("send it as {what}"))
            }),
        }
    }
}

fn unknown_field(unknown: &str, known: &[&str]) -> ApiError {
    let message = format!("there is no field `{unknown}` here");
    ApiError::new(StatusCode::BAD_REQUEST, "parameter_unknown", message).field(unknown).remedy(
        if known.is_empty() {
            "send no fields".to_owned()
        } else {
            format!("leave it out; the fields are {}", known.join(", "))
        },
    )
}

/// The parameters of a query.
#[derive(Debug)]
pub struct Query(BTreeMap<String, String>);

impl Query {
    /// Reads a query that may have these parameters, each once, and no others: a misspelt filter must not
    /// list everything.
    ///
    /// # Errors
    /// 400 for another parameter, or one that comes twice.
    pub fn read(request: &Request, known: &[&str]) -> Result<Self, ApiError> {
        let mut parameters = BTreeMap::new();
        for (name, value) in request.query_string_parameters().iter() {
            if !known.contains(&name) {
                let remedy = if known.is_empty() {
                    "leave it out".to_owned()
                } else {
                    format!("leave it out; the parameters are {}", known.join(", "))
                };
                let message = format!("there is no parameter `{name}` here");
                return Err(ApiError::new(StatusCode::BAD_REQUEST, "parameter_unknown", message)
                    .field(name)
                    .remedy(remedy));
            }
            if parameters.insert(name.to_owned(), value.to_owned()).is_some() {
                return Err(
                    ApiError::invalid(name, format!("`{name}` is there twice")).remedy("give it once")
                );
            }
        }
        Ok(Self(parameters))
    }

    /// A parameter, if it is there.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// All parameters but the place in a list, for the audit.
    pub fn to_json(&self) -> Value {
        self.filters().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect()
    }

    fn filters(&self) -> impl Iterator<Item = (&String, &String)> {
        self.0.iter().filter(|(name, _)| !matches!(name.as_str(), "limit" | "cursor"))
    }

    /// A parameter read as something, if it is there.
    ///
    /// # Errors
    /// 400 with the parser's own words, which have to say what is taken. For times there is [`Query::time`].
    pub fn parsed<T>(&self, name: &'static str) -> Result<Option<T>, ApiError>
    where
        T: std::str::FromStr,
        T::Err: std::fmt::Display,
    {
        self.get(name)
            .map(|value| {
                value.parse().map_err(|error: T::Err| {
                    ApiError::invalid(name, error.to_string())
                        .remedy(format!("correct `{name}`, or leave it out"))
                })
            })
            .transpose()
    }

    /// A time, if it is there.
    ///
    /// # Errors
    /// 400 for what is not written as RFC 3339 has it.
    pub fn time(&self, name: &'static str) -> Result<Option<Timestamp>, ApiError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let time = text.parse().map(Some);
        time.map_err(|_: jiff::Error| {
            ApiError::invalid(name, format!("`{name}` is not a date with a time and an offset"))
                .remedy("write it as RFC 3339 does, such as 2026-11-24T12:00:00Z; in an address `+` is %2B")
        })
    }

    /// `limit`: 1 to 100, by default 25.
    ///
    /// # Errors
    /// 400 for anything else.
    pub fn limit(&self) -> Result<usize, ApiError> {
        self.limit_up_to(MAX_LIMIT, DEFAULT_LIMIT)
    }

    /// `limit`, for a list of other bounds.
    ///
    /// # Errors
    /// 400 for what is no number from 1 to `most`.
    pub fn limit_up_to(&self, most: usize, default: usize) -> Result<usize, ApiError> {
        let Some(text) = self.get("limit") else { return Ok(default) };
        let limit = text.parse().ok().filter(|limit| (1..=most).contains(limit));
        limit.ok_or_else(|| {
            ApiError::invalid("limit", format!("`limit` is a number from 1 to {most}"))
                .remedy(format!("give such a number, or leave it out for {default}"))
        })
    }

    /// `cursor`: the place in the list named `list` with the filters of this query.
    ///
    /// # Errors
    /// 400 if this list did not give it.
    pub fn cursor<P: serde::de::DeserializeOwned>(&self, list: &str) -> Result<Option<P>, ApiError> {
        let read = |cursor| read_cursor(&self.name(list), cursor);
        self.get("cursor").map(read).transpose().map_err(|_| self.invalid_cursor())
    }

    /// 400 for a cursor that this list did not give.
    pub fn invalid_cursor(&self) -> ApiError {
        ApiError::invalid("cursor", InvalidCursor.to_string())
            .remedy("begin again without `cursor`, or repeat the filters it was given with")
    }

    /// Writes the place to go on from, for [`Query::cursor`].
    pub fn next_cursor<P: serde::Serialize>(&self, list: &str, at: P) -> String {
        write_cursor(&self.name(list), at)
    }

    fn name(&self, list: &str) -> String {
        self.filters().fold(list.to_owned(), |all, (name, value)| format!("{all}&{name}={value}"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn query(parameters: &[(&str, &str)]) -> Request {
        let mut all: HashMap<String, Vec<String>> = HashMap::new();
        for (name, value) in parameters {
            all.entry((*name).to_owned()).or_default().push((*value).to_owned());
        }
        Request::default().with_query_string_parameters(all)
    }

    fn refusal(error: ApiError) -> Value {
        let response = error.into_response("req");
        serde_json::from_slice::<Value>(response.body()).unwrap()["error"].clone()
    }

    #[test]
    fn each_refusal_of_a_body_has_a_remedy() {
        for body in ["[]", "nonsense", r#"{"b":1}"#] {
            for known in [&[][..], &["a"], &["a", "c"]] {
                let refusal = refusal(Fields::read(body.as_bytes(), known).unwrap_err());
                assert!(refusal["remedy"].is_string(), "{refusal}");
            }
        }
        let fields = Fields::read(br#"{"a":7}"#, &["a"]).unwrap();
        for error in
            [fields.text("a").unwrap_err(), fields.flag("a").unwrap_err(), fields.texts("a").unwrap_err()]
        {
            assert!(refusal(error)["remedy"].as_str().unwrap().starts_with("send it as "));
        }
    }

    #[test]
    fn each_refusal_of_a_query_has_a_remedy() {
        let known = ["limit", "since", "cursor"];
        for wrong in [&[("other", "1")][..], &[("limit", "1"), ("limit", "2")]] {
            assert!(
                refusal(Query::read(&query(wrong), &known).unwrap_err())["remedy"].is_string(),
                "{wrong:?}"
            );
        }
        let wrong =
            Query::read(&query(&[("limit", "0"), ("since", "yesterday"), ("cursor", "x")]), &known).unwrap();
        let refused = [
            wrong.limit().unwrap_err(),
            wrong.time("since").unwrap_err(),
            wrong.cursor::<u8>("list").unwrap_err(),
        ];
        for error in refused {
            let refusal = refusal(error);
            assert!(refusal["remedy"].is_string() && refusal["field"].is_string(), "{refusal}");
        }
    }

    #[test]
    fn a_time_is_read_whatever_its_offset() {
        let time = |text| Query::read(&query(&[("since", text)]), &["since"]).unwrap().time("since");
        let noon: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        assert_eq!(time("2026-11-24T12:00:00Z").unwrap(), Some(noon));
        assert_eq!(time("2026-11-24T13:00:00+01:00").unwrap(), Some(noon));
        assert!(time("2026-11-24").is_err());
        assert_eq!(Query::read(&query(&[]), &["since"]).unwrap().time("since").unwrap(), None);
    }
}
