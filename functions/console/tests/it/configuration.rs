//! What the page learns of the stack.

use console::{Config, Deps, Issuer, PageFiles};
use serde_json::{Value, json};

use crate::support::{SIGN_IN, config, get, header};

fn console_config(config: Config) -> Value {
    let response = get(&Deps::new(config, PageFiles::default()).unwrap(), "/config.json", &[]);
    assert_eq!(response.status(), 200);
    assert_eq!(header(&response, "cache-control"), "no-store");
    serde_json::from_slice(response.body()).unwrap()
}

#[test]
fn with_the_stacks_own_pool_it_learns_where_people_sign_in() {
    assert_eq!(
        console_config(config()),
        json!({
            "mode": "test",
            "stack_name": "billing",
            "issuer": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Pool",
            "client_id": "client",
            "authorize_url": format!("{SIGN_IN}/oauth2/authorize"),
            "token_url": format!("{SIGN_IN}/oauth2/token"),
            "logout_url": format!("{SIGN_IN}/logout"),
            "groups_claim": "cognito:groups",
            "admin_group": "admin",
            "viewer_group": "viewer",
        })
    );
}

#[test]
fn an_outside_issuer_is_asked_where_people_sign_in() {
    let outside = Config {
        issuer: "https://login.example.com/tenant".into(),
        issuer_kind: Issuer::Outside { token_origin: None },
        ..config()
    };
    let answered = console_config(outside);
    for member in ["authorize_url", "token_url", "logout_url"] {
        assert_eq!(answered[member], Value::Null, "{member}");
    }
    assert_eq!(answered["issuer"], "https://login.example.com/tenant");
}
