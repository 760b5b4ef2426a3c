//! Who is calling, and what they may do.
//!
//! API Gateway has checked the token's signature, issuer, audience and age before a function runs (HTTP API,
//! JWT authorizer). What is left is the role. The groups are read from the token itself, because API Gateway
//! passes a list as `[a b]`, in which one group `billing admin` cannot be told from two. So that the token
//! read is the token checked, there must be one, and its `sub` must be the one that API Gateway tells.
//!
//! The rule: a request that came through our API needs a token, whatever its routes say; one that did not
//! come through it is a direct invocation, which IAM has allowed. `apiId` is set by API Gateway and cannot be
//! chosen by its callers. Whoever may invoke a function directly writes the whole event, `apiId` too, and so
//! can pass for anybody: that permission is worth as much as the role of an admin. Of a function that only
//! reads ([`Access::for_reading`]) it is worth a viewer's, because nobody is more there.
//!
//! A client of its own, a program without a person, has an access token with the scope [`READ_SCOPE`]. It is
//! a viewer, whatever groups its token names.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lambda_http::Request;
use lambda_http::http::{StatusCode, header};
use serde_json::{Map, Value};

use crate::env::{self, EnvError};
use crate::http::{ApiError, GatewayContext, request_id};

/// What a caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Read everything but secrets.
    Viewer,
    /// Everything.
    Admin,
}

/// Who is calling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// What they may do; none if they are in neither group.
    pub role: Option<Role>,
    /// The token's `sub`, `iam` for a direct invocation, or `schedule`.
    pub subject: String,
    /// The token's `email`, where its `email_verified` says that it is theirs; an access token has none.
    pub email: Option<String>,
    /// The address the request came from.
    pub address: Option<String>,
    /// What a direct invocation says of itself, which nobody has checked.
    pub claimed: Option<String>,
    /// Lambda's id of a direct invocation. AWS tells the function nothing of who invokes it; the data events
    /// that `CloudTrail` has of Lambda, where they are on, name them by this id.
    pub request_id: Option<String>,
}

impl Caller {
    /// Somebody whom IAM let invoke the function directly. Such an event can hold any name and address, so
    /// what it says is kept apart.
    fn direct<const N: usize>(role: Option<Role>, parts: [Option<&str>; N], request_id: String) -> Self {
        let parts: Vec<&str> = parts.into_iter().flatten().collect();
        let claimed = parts.join(" ").chars().take(LONGEST_CLAIM).collect();
        let claimed = Some(claimed).filter(|claimed: &String| !claimed.is_empty());
        let request_id = Some(request_id).filter(|id| !id.is_empty());
        Self { role, subject: "iam".to_owned(), email: None, address: None, claimed, request_id }
    }

    /// A function that its schedule woke, for the audit.
    pub fn schedule() -> Self {
        Self {
            role: None,
            subject: "schedule".to_owned(),
            email: None,
            address: None,
            claimed: None,
            request_id: None,
        }
    }
}

/// The code of a refusal for lack of a role.
pub const FORBIDDEN: &str = "forbidden";

/// The scope of the stack's own resource server (`template.yaml`) that lets a client read.
pub const READ_SCOPE: &str = "billhook/read";

/// Longest text that a direct invocation may say of itself.
const LONGEST_CLAIM: usize = 400;

/// Which API is ours and what its groups are called.
#[derive(Debug, Clone)]
pub struct Access {
    /// The id of our API.
    pub api_id: String,
    /// The claim that lists a user's groups.
    pub groups_claim: String,
    /// The group of admins.
    pub admin_group: String,
    /// The group of viewers.
    pub viewer_group: String,
    /// The role that nobody is above.
    pub highest: Role,
}

impl Access {
    /// Reads `API_ID`, `GROUPS_CLAIM`, `ADMIN_GROUP` and `VIEWER_GROUP`.
    ///
    /// # Errors
    /// The first that is missing.
    pub fn from_env() -> Result<Self, EnvError> {
        Ok(Self {
            api_id: env::text("API_ID")?,
            groups_claim: env::text("GROUPS_CLAIM")?,
            admin_group: env::text("ADMIN_GROUP")?,
            viewer_group: env::text("VIEWER_GROUP")?,
            highest: Role::Admin,
        })
    }

    /// The same for a function that only reads: whoever calls it, a direct invocation too, is a viewer at
    /// most.
    #[must_use]
    pub fn for_reading(self) -> Self {
        Self { highest: Role::Viewer, ..self }
    }

    /// Tells who is calling.
    ///
    /// # Errors
    /// 401 for a request through our API without a token that API Gateway has checked.
    pub fn caller(&self, request: &Request) -> Result<Caller, ApiError> {
        let context = request.extensions().get::<GatewayContext>();
        let checked = context.and_then(|context| context.checked_token.as_ref());
        let ours = context.is_some_and(|context| context.api_id.as_deref() == Some(self.api_id.as_str()));
        let address = context.and_then(|context| context.source_ip.clone());
        let arn = context.and_then(|context| context.iam_arn.as_deref());
        if checked.is_none() && !ours {
            let role = Some(self.highest);
            return Ok(Caller::direct(role, [arn, address.as_deref()], request_id(request)));
        }
        let checked = checked.ok_or_else(unauthenticated)?;
        let claims = claims(request).ok_or_else(unauthenticated)?;
        let subject = claims.get("sub").and_then(Value::as_str).ok_or_else(unauthenticated)?.to_owned();
        if checked.subject.as_deref() != Some(&subject) {
            return Err(unauthenticated());
        }
        let role = self.role(&claims);
        if !ours {
            let email = claims.get("email").and_then(Value::as_str);
            let parts = [Some(subject.as_str()), email, arn, address.as_deref()];
            return Ok(Caller::direct(role, parts, request_id(request)));
        }
        Ok(Caller { role, subject, email: verified_email(&claims), address, claimed: None, request_id: None })
    }

    /// The caller, if they may do what `needed` may.
    ///
    /// # Errors
    /// 401 as [`Access::caller`], 403 for a role that does not suffice.
    pub fn require(&self, request: &Request, needed: Role) -> Result<Caller, ApiError> {
        let caller = self.caller(request)?;
        if caller.role >= Some(needed) { Ok(caller) } else { Err(self.forbidden(&caller, needed)) }
    }

    fn forbidden(&self, caller: &Caller, needed: Role) -> ApiError {
        let group = match needed {
            Role::Admin => &self.admin_group,
            Role::Viewer => &self.viewer_group,
        };
        let message = match caller.role {
            None => {
                format!(
                    "this user is in neither group of Billhook, or this client has no scope `{READ_SCOPE}`"
                )
            }
            Some(_) => format!("only members of the group `{group}` may do this"),
        };
        ApiError::new(StatusCode::FORBIDDEN, "forbidden", message).remedy(format!(
            "ask who manages users to add you to the group `{group}`, then sign in again; a client may only read"
        ))
    }

    fn role(&self, claims: &Map<String, Value>) -> Option<Role> {
        let role = if is_reading_client(claims) { Some(Role::Viewer) } else { self.role_by_group(claims) };
        role.map(|role| role.min(self.highest))
    }

    fn role_by_group(&self, claims: &Map<String, Value>) -> Option<Role> {
        let groups = claims.get(&self.groups_claim)?;
        // A provider may send one group as a text.
        let is_in = |group: &String| match groups {
            Value::Array(list) => list.iter().any(|item| item.as_str() == Some(group.as_str())),
            Value::String(one) => one == group,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
        };
        if is_in(&self.admin_group) {
            Some(Role::Admin)
        } else if is_in(&self.viewer_group) {
            Some(Role::Viewer)
        } else {
            None
        }
    }
}

/// Whether a token lets a client read: an access token of Cognito (`token_use`) with the scope. An ID token
/// has no scopes, and a claim of that name in one proves nothing.
fn is_reading_client(claims: &Map<String, Value>) -> bool {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    text("token_use") == "access" && text("scope").split(' ').any(|scope| scope == READ_SCOPE)
}

/// The e-mail that a token carries, if its issuer says that it is the user's. What a user has only claimed
/// could be anyone's, and would stand in the audit. `email_verified` is a boolean (OpenID Connect Core 1.0,
/// section 5.1), or the text `true` from an issuer that writes all claims as texts.
fn verified_email(claims: &Map<String, Value>) -> Option<String> {
    let verified = match claims.get("email_verified")? {
        Value::Bool(verified) => *verified,
        Value::String(verified) => verified.eq_ignore_ascii_case("true"),
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => false,
    };
    claims.get("email").filter(|_| verified)?.as_str().map(str::to_owned)
}

fn unauthenticated() -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, "unauthenticated", "the request has no token that could be read")
        .remedy("send the ID token as `Authorization: Bearer …`")
}

/// The claims of the token that API Gateway has checked. It joins several headers of one name by a comma, and
/// checks the first.
fn claims(request: &Request) -> Option<Map<String, Value>> {
    let mut headers = request.headers().get_all(header::AUTHORIZATION).iter();
    let (Some(header), None) = (headers.next(), headers.next()) else { return None };
    let header = header.to_str().ok().filter(|header| !header.contains(','))?;
    let token =
        header.strip_prefix("Bearer ").or_else(|| header.strip_prefix("bearer ")).unwrap_or(header).trim();
    let mut parts = token.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use lambda_http::Context;

    use super::*;
    use crate::http::GatewayEvent;

    fn access() -> Access {
        Access {
            api_id: "ours".into(),
            groups_claim: "cognito:groups".into(),
            admin_group: "billing admin".into(),
            viewer_group: "viewer".into(),
            highest: Role::Admin,
        }
    }

    fn request(api_id: &str, jwt: bool, claims: &str) -> Request {
        let token = format!("Bearer h.{}.s", URL_SAFE_NO_PAD.encode(claims));
        from_gateway(api_id, jwt.then_some("s"), &token)
    }

    /// With the subject of the token that API Gateway has checked.
    fn from_gateway(api_id: &str, checked: Option<&str>, header: &str) -> Request {
        let authorizer = checked
            .map(|sub| format!(r#""authorizer":{{"jwt":{{"claims":{{"sub":"{sub}"}},"scopes":null}}}},"#));
        let authorizer = authorizer.unwrap_or_default();
        let event = format!(
            r#"{{"version":"2.0","routeKey":"$default","rawPath":"/status","rawQueryString":"",
                "headers":{{"authorization":"{header}"}},"isBase64Encoded":false,
                "requestContext":{{{authorizer}"apiId":"{api_id}","accountId":"1","stage":"$default","requestId":"r",
                "timeEpoch":0,"http":{{"method":"GET","path":"/status","protocol":"HTTP/1.1","sourceIp":"192.0.2.1","userAgent":"t"}}}}}}"#
        );
        let event: GatewayEvent = serde_json::from_str(&event).unwrap();
        event.into_request(Context::default()).unwrap()
    }

    fn role(claims: &str) -> Option<Role> {
        access().caller(&request("ours", true, claims)).unwrap().role
    }

    #[test]
    fn the_groups_are_a_list_and_not_its_words() {
        assert_eq!(role(r#"{"sub":"s","cognito:groups":["x","billing admin"]}"#), Some(Role::Admin));
        assert_eq!(role(r#"{"sub":"s","cognito:groups":["viewer"]}"#), Some(Role::Viewer));
        assert_eq!(role(r#"{"sub":"s","cognito:groups":"viewer"}"#), Some(Role::Viewer));
        assert_eq!(role(r#"{"sub":"s","cognito:groups":["billing","admin"]}"#), None);
        assert_eq!(role(r#"{"sub":"s","cognito:groups":"[viewer x]"}"#), None);
        assert_eq!(role(r#"{"sub":"s"}"#), None);
    }

    #[test]
    fn an_email_counts_only_if_its_issuer_has_verified_it() {
        let email = |claims: &str| {
            let claims = format!(r#"{{"sub":"s","email":"a@example.com"{claims}}}"#);
            access().caller(&request("ours", true, &claims)).unwrap().email
        };
        for verified in ["true", r#""true""#, r#""True""#] {
            assert_eq!(email(&format!(r#","email_verified":{verified}"#)).as_deref(), Some("a@example.com"));
        }
        for not in ["false", r#""false""#, r#""yes""#, r#""""#, "1", "null", "[true]", r#"{"true":true}"#] {
            assert_eq!(email(&format!(r#","email_verified":{not}"#)), None, "{not}");
        }
        assert_eq!(email(""), None);
    }

    #[test]
    fn a_viewer_is_no_admin_and_a_stranger_is_no_viewer() {
        let viewer = request("ours", true, r#"{"sub":"s","cognito:groups":["viewer"]}"#);
        assert!(access().require(&viewer, Role::Viewer).is_ok());
        assert_eq!(access().require(&viewer, Role::Admin).unwrap_err().status(), StatusCode::FORBIDDEN);
        let stranger = request("ours", true, r#"{"sub":"s","cognito:groups":["x"]}"#);
        assert_eq!(access().require(&stranger, Role::Viewer).unwrap_err().status(), StatusCode::FORBIDDEN);
    }

    #[test]
    fn a_client_with_the_scope_reads_whatever_groups_it_names() {
        let of_client = |scope: &str, groups: &str| {
            role(&format!(r#"{{"sub":"s","client_id":"s","token_use":"access","scope":"{scope}"{groups}}}"#))
        };
        for scope in ["billhook/read", "other/write billhook/read", "billhook/read openid"] {
            assert_eq!(of_client(scope, ""), Some(Role::Viewer), "{scope}");
            let admins = r#","cognito:groups":["billing admin"]"#;
            assert_eq!(of_client(scope, admins), Some(Role::Viewer), "{scope}: a client is no admin");
        }
        for scope in [
            "",
            "billhook",
            "billhook/",
            "billhook/readall",
            "xbillhook/read",
            "billhook/write",
            "BILLHOOK/READ",
        ] {
            assert_eq!(of_client(scope, ""), None, "{scope}");
        }
        // An ID token has no scopes, whatever it claims; nor has a list of them the form.
        for claims in [
            r#"{"sub":"s","token_use":"id","scope":"billhook/read"}"#,
            r#"{"sub":"s","scope":"billhook/read"}"#,
            r#"{"sub":"s","token_use":"access","scope":["billhook/read"]}"#,
            r#"{"sub":"s","token_use":"access","scp":"billhook/read"}"#,
        ] {
            assert_eq!(role(claims), None, "{claims}");
        }
        // A person's access token has no such scope, and counts by its groups.
        let person =
            r#"{"sub":"s","token_use":"access","scope":"openid email","cognito:groups":["billing admin"]}"#;
        assert_eq!(role(person), Some(Role::Admin));
    }

    #[test]
    fn where_a_function_only_reads_nobody_is_more_than_a_viewer() {
        let reading = access().for_reading();
        let admin = r#"{"sub":"s","cognito:groups":["billing admin"]}"#;
        for (request, subject) in [
            (request("ours", true, admin), "s"),
            (request("direct", true, admin), "iam"),
            (request("direct", false, "{}"), "iam"),
        ] {
            let caller = reading.caller(&request).unwrap();
            assert_eq!((caller.role, caller.subject.as_str()), (Some(Role::Viewer), subject));
            assert!(reading.require(&request, Role::Viewer).is_ok());
            let refusal = reading.require(&request, Role::Admin).unwrap_err();
            assert_eq!(refusal.status(), StatusCode::FORBIDDEN);
        }
        assert_eq!(reading.caller(&request("ours", true, r#"{"sub":"s"}"#)).unwrap().role, None);
    }

    #[test]
    fn through_our_api_nobody_is_anybody_without_a_checked_token() {
        let claims = r#"{"sub":"s","cognito:groups":["billing admin"]}"#;
        assert_eq!(
            access().caller(&request("ours", false, claims)).unwrap_err().status(),
            StatusCode::UNAUTHORIZED
        );
        assert_eq!(
            access().caller(&request("ours", true, "no json")).unwrap_err().status(),
            StatusCode::UNAUTHORIZED
        );
    }

    #[test]
    fn the_token_read_is_the_token_checked() {
        let token = |sub: &str| {
            let claims = format!(r#"{{"sub":"{sub}","cognito:groups":["billing admin"]}}"#);
            format!("Bearer h.{}.s", URL_SAFE_NO_PAD.encode(claims))
        };
        let caller = |checked, header: &str| access().caller(&from_gateway("ours", Some(checked), header));
        assert_eq!(caller("s", &token("s")).unwrap().subject, "s");
        let (one, other) = (token("s"), token("t"));
        let others = [
            other.clone(),
            format!("{one},{other}"),
            format!("{other},{one}"),
            format!("{other}, {one}"),
            String::new(),
        ];
        for header in others {
            assert_eq!(caller("s", &header).unwrap_err().status(), StatusCode::UNAUTHORIZED, "{header}");
        }
        let mut twice = from_gateway("ours", Some("s"), &one);
        twice.headers_mut().append(header::AUTHORIZATION, other.parse().unwrap());
        assert_eq!(access().caller(&twice).unwrap_err().status(), StatusCode::UNAUTHORIZED);
    }

    #[test]
    fn a_direct_invocation_is_an_admin_by_iam() {
        let caller = access().caller(&request("direct", false, "{}")).unwrap();
        assert_eq!((caller.role, caller.subject.as_str()), (Some(Role::Admin), "iam"));
        assert_eq!((caller.email, caller.address), (None, None));
        assert_eq!(caller.claimed.as_deref(), Some("192.0.2.1"));
        assert_eq!(caller.request_id, None, "there was none");
    }

    #[test]
    fn an_arn_that_an_event_names_is_told_as_what_it_says_and_lambdas_id_as_what_it_is() {
        let event = r#"{"rawPath":"/status","headers":{},"requestContext":{"apiId":"url","http":{"method":"GET"},
            "authorizer":{"iam":{"userArn":"arn:aws:iam::123456789012:user/anna"}}}}"#;
        let event: GatewayEvent = serde_json::from_str(event).unwrap();
        let mut context = Context::default();
        context.request_id = "r-1".to_owned();
        let caller = access().caller(&event.into_request(context).unwrap()).unwrap();
        assert_eq!((caller.role, caller.subject.as_str()), (Some(Role::Admin), "iam"));
        assert_eq!(caller.claimed.as_deref(), Some("arn:aws:iam::123456789012:user/anna"));
        assert_eq!(caller.request_id.as_deref(), Some("r-1"));
    }

    #[test]
    fn what_a_direct_invocation_says_of_itself_is_no_name() {
        let claims = r#"{"sub":"s","email":"boss@example.com","cognito:groups":["viewer"]}"#;
        let caller = access().caller(&request("direct", true, claims)).unwrap();
        assert_eq!((caller.role, caller.subject.as_str()), (Some(Role::Viewer), "iam"));
        assert_eq!((caller.email, caller.address), (None, None));
        assert_eq!(caller.claimed.as_deref(), Some("s boss@example.com 192.0.2.1"));
    }
}
