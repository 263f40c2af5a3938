//! Extractors of queries, paths and bodies, whose errors name the invalid field.

use axum::extract::{FromRequest, FromRequestParts, Request};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::json;

use super::api_error::{ApiError, FieldError};

/// The query of a request.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let pairs = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        // An empty field counts as absent.
        let given: Vec<_> = pairs.filter(|(_, value)| !value.is_empty()).collect();
        let fields = serde::de::value::MapDeserializer::new(given.into_iter().map(|(name, value)| (name, Text(value))));
        serde_path_to_error::deserialize(fields)
            .map(Query)
            .map_err(|error| ApiError::Invalid(vec![FieldError::at("query", error.path(), &error.inner().to_string())]))
    }
}

/// A value of a query: text that may hold a number.
struct Text<'t>(std::borrow::Cow<'t, str>);

impl<'de> serde::de::IntoDeserializer<'de> for Text<'_> {
    type Deserializer = TextDeserializer;

    fn into_deserializer(self) -> TextDeserializer {
        TextDeserializer(self.0.into_owned())
    }
}

/// Parses text into the requested type.
struct TextDeserializer(String);

macro_rules! read_number {
    ($($method:ident $visit:ident $number:ty, $expected:literal;)*) => {$(
        fn $method<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
            let number: $number =
                self.0.parse().map_err(|_| Self::Error::custom(format!("invalid value \"{}\": expected {}", excerpt(&self.0), $expected)))?;
            visitor.$visit(number)
        }
    )*};
}

impl<'de> Deserializer<'de> for TextDeserializer {
    type Error = serde::de::value::Error;

    fn deserialize_any<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_string(self.0)
    }

    fn deserialize_option<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: serde::de::Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: serde::de::Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_enum(serde::de::value::StringDeserializer::new(self.0))
    }

    fn deserialize_bool<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self.0.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => visitor.visit_bool(true),
            "false" | "0" | "no" | "off" => visitor.visit_bool(false),
            _ => Err(Self::Error::custom(format!("invalid value \"{}\": expected true or false", excerpt(&self.0)))),
        }
    }

    read_number! {
        deserialize_u8 visit_u8 u8, "a whole number of 0 or more";
        deserialize_u16 visit_u16 u16, "a whole number of 0 or more";
        deserialize_u32 visit_u32 u32, "a whole number of 0 or more";
        deserialize_u64 visit_u64 u64, "a whole number of 0 or more";
        deserialize_i64 visit_i64 i64, "a whole number";
        deserialize_f64 visit_f64 f64, "a number";
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i128 u128 f32 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}

fn excerpt(text: &str) -> String {
    llmscope_core::error::excerpt(text)
}

/// The id in a path.
pub(crate) struct Id(pub(crate) i64);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let number = axum::extract::Path::<i64>::from_request_parts(parts, state).await;
        number.map(|axum::extract::Path(number)| Self(number)).map_err(|_| {
            ApiError::Invalid(vec![FieldError::new("path", Some("id"), "Input should be a valid integer")])
        })
    }
}

/// Reads the bytes of a body, up to the limit of the route.
pub(crate) async fn body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge,
        _ => ApiError::body("cannot read the body to its end"),
    })
}

/// A body of JSON.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        check_json(request.headers())?;
        let bytes = body(request, state).await?;
        object(&bytes).map(Body)
    }
}

/// A body of JSON, or an empty body.
pub(crate) struct MaybeBody<T>(pub(crate) T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for MaybeBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let is_json = check_json(request.headers());
        let bytes = body(request, state).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        is_json.and_then(|()| object(&bytes)).map(Self)
    }
}

/// Parses a JSON object. It refuses arrays, whose elements serde would assign to the fields in order.
pub(crate) fn object<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    if bytes.trim_ascii_start().starts_with(b"[") {
        let error = FieldError::new("body", None, "Input should be a valid object");
        return Err(ApiError::Invalid(vec![FieldError { kind: "type_error".to_owned(), ..error }]));
    }
    parse(bytes)
}

/// Parses JSON; an error names the invalid field.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    // The fast way first: only an error needs the path.
    if let Ok(value) = serde_json::from_slice(bytes) {
        return Ok(value);
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let wrong = match serde_path_to_error::deserialize(&mut deserializer) {
        Ok(value) => return deserializer.end().map(|()| value).map_err(|error| broken(&error)),
        Err(wrong) => wrong,
    };
    Err(match wrong.inner().classify() {
        serde_json::error::Category::Data => {
            ApiError::Invalid(vec![FieldError::at("body", wrong.path(), &wrong.inner().to_string())])
        }
        _ => broken(wrong.inner()),
    })
}

fn broken(error: &serde_json::Error) -> ApiError {
    let error = FieldError::new("body", None, format!("JSON decode error: {error}"));
    ApiError::Invalid(vec![FieldError { kind: "json_invalid".to_owned(), ..error }])
}

/// Refuses a body with another media type. A body without a media type counts as JSON.
pub(crate) fn check_json(headers: &HeaderMap) -> Result<(), ApiError> {
    match media_type(headers) {
        None => Ok(()),
        Some(found) if found.ends_with("json") => Ok(()),
        // The default of `curl -d` and urllib, which the previous service accepted.
        Some(found) if found == "application/x-www-form-urlencoded" => Ok(()),
        Some(found) => Err(ApiError::Unsupported(format!("unsupported media type {found}: expected application/json"))),
    }
}

/// The media type of the body in lower case, without its parameters.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

/// A whole number from `LOW` to `HIGH`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Between<const LOW: u32, const HIGH: u32>(pub(crate) u32);

impl<'de, const LOW: u32, const HIGH: u32> Deserialize<'de> for Between<LOW, HIGH> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        match u32::try_from(number) {
            Ok(number) if number > HIGH => {
                Err(D::Error::custom(format!("Input should be less than or equal to {HIGH}")))
            }
            Ok(number) if number >= LOW => Ok(Self(number)),
            Err(_) if number > 0 => Err(D::Error::custom(format!("Input should be less than or equal to {HIGH}"))),
            _ => Err(D::Error::custom(format!("Input should be greater than or equal to {LOW}"))),
        }
    }
}

impl<const LOW: u32, const HIGH: u32> JsonSchema for Between<LOW, HIGH> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Between{LOW}And{HIGH}").into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": json!(LOW), "maximum": json!(HIGH)})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct TestQuery {
        hours: Option<Between<1, 168>>,
        lsl: Option<String>,
        points: Option<bool>,
        share: Option<f64>,
        metric: Option<llmscope_core::Metric>,
    }

    fn query(text: &str) -> Result<TestQuery, Vec<FieldError>> {
        let uri = format!("/x?{text}").parse::<http::Uri>().unwrap();
        let mut parts = Request::builder().uri(uri).body(()).unwrap().into_parts().0;
        let extracted =
            futures_util::future::FutureExt::now_or_never(Query::from_request_parts(&mut parts, &())).unwrap();
        match extracted {
            Ok(Query(fields)) => Ok(fields),
            Err(ApiError::Invalid(errors)) => Err(errors),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_query_is_parsed_into_the_types_of_its_fields() {
        let fields = query("hours=24&lsl=2e-1&points=1&share=0.5&metric=ttft_s").unwrap();
        assert_eq!(fields.hours, Some(Between(24)));
        assert_eq!((fields.lsl.as_deref(), fields.points, fields.share), (Some("2e-1"), Some(true), Some(0.5)));
        assert_eq!(fields.metric, Some(llmscope_core::Metric::Ttft));
        assert_eq!(query("hours=&lsl=").unwrap().hours, None);
    }

    #[test]
    fn an_error_in_a_query_names_the_field() {
        for (text, field, kind) in [
            ("hours=0", "hours", "greater_than_equal"),
            ("hours=-5", "hours", "greater_than_equal"),
            ("hours=169", "hours", "less_than_equal"),
            ("hours=99999999999", "hours", "less_than_equal"),
            ("hours=x", "hours", "value_error"),
            ("points=maybe", "points", "value_error"),
            ("metric=latency", "metric", "value_error"),
            ("hourz=1", "hourz", "extra_forbidden"),
        ] {
            let errors = query(text).unwrap_err();
            assert_eq!(
                (errors[0].loc.clone(), errors[0].kind.as_str()),
                (vec!["query".into(), field.into()], kind),
                "{text}"
            );
        }
    }

    #[test]
    fn an_error_in_a_body_names_the_field() {
        #[derive(Debug, Deserialize)]
        struct Entry {
            #[allow(dead_code, reason = "only the errors of parsing are checked")]
            records: Vec<llmscope_core::RequestRecord>,
        }
        let errors = |text: &str| match parse::<Entry>(text.as_bytes()) {
            Err(ApiError::Invalid(errors)) => errors,
            other => panic!("{other:?}"),
        };
        assert_eq!(errors("{}")[0].loc, ["body", "records"]);
        assert_eq!(errors("{}")[0].kind, "missing");
        let deep = &errors(r#"{"records": [{}, {"e2e_s": "slow"}]}"#)[0];
        assert_eq!(deep.loc, [json!("body"), json!("records"), json!(1), json!("e2e_s")]);
        assert_eq!(errors(r#"{"records": ["#)[0].kind, "json_invalid");
        assert_eq!(errors(r#"{"records": []} x"#)[0].kind, "json_invalid");
    }
}
