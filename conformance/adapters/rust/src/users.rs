//! Users, tokens and grants.

use std::time::Duration;

use serde_json::{Value, json};
use tidewire::{Grant, Secret, TokenInfo, UserInfo};

use crate::Failure;
use crate::ops::{Args, Outcome, done};

fn user(info: &UserInfo) -> Value {
    json!({
        "name": info.name, "id": info.id.to_string(), "enabled": info.enabled,
        "password": info.password, "tokens": info.tokens,
    })
}

fn token(info: &TokenInfo) -> Value {
    json!({
        "id": info.id.to_string(), "name": info.name, "user": info.user,
        "expires_us": info.expires_us.to_string(),
    })
}

fn grants(a: &Args<'_>, name: &str) -> Result<Vec<Grant>, Failure> {
    Ok(Grant::parse_all(a.list(name).filter_map(Value::as_str))?)
}

fn texts(grants: &[Grant]) -> Vec<String> {
    grants.iter().map(Grant::to_string).collect()
}

pub(crate) async fn run(a: &Args<'_>, op: &str) -> Outcome {
    let client = a.client()?;
    let secret = a.args["password"].as_str().map(Secret::new);
    // Without a name it is about the client's own user.
    let (name, whose) = (a.args["name"].as_str(), a.args["user"].as_str());
    Ok(match op {
        "user.create" => {
            let (name, grants) = (a.text("name")?, grants(a, "grants")?);
            user(&client.create_user(name, secret.as_ref(), &grants).await?)
        }
        "user.describe" => {
            let found = client.describe_user(name).await?;
            let mut told = user(&found.user);
            told["grants"] = json!(texts(&found.grants));
            told
        }
        "user.list" => {
            let all = client.list_users().await?;
            json!({ "users": all.iter().map(user).collect::<Vec<_>>() })
        }
        "user.enable" => {
            let enabled = a.args["enabled"].as_bool().unwrap_or(true);
            user(&client.enable_user(a.text("name")?, enabled).await?)
        }
        "user.password" => {
            done(client.change_password(name, &secret.unwrap_or_default()).await?)
        }
        "user.delete" => done(client.delete_user(a.text("name")?).await?),
        "user.grants" => {
            let (revoke, grant) = (grants(a, "revoke")?, grants(a, "grant")?);
            let left = client.change_grants(a.text("name")?, &revoke, &grant).await?;
            json!({ "grants": texts(&left) })
        }
        "token.create" => {
            let lifetime = match &a.args["lifetime_ms"] {
                Value::Null => None,
                _ => Some(Duration::from_millis(a.wide("lifetime_ms")?)),
            };
            let made = client.create_token(whose, a.text("name")?, lifetime).await?;
            let mut told = token(&made.info);
            told["secret"] = json!(made.secret.expose());
            told
        }
        "token.list" => {
            let all = client.list_tokens(whose).await?;
            json!({ "tokens": all.iter().map(token).collect::<Vec<_>>() })
        }
        "token.delete" => done(client.delete_token(a.wide("id")?).await?),
        other => return Err(Failure::Unsupported(format!("no operation {other}"))),
    })
}
