//! Users, tokens and grants.

use std::time::Duration;

use serde_json::{Value, json};
use tidewire::{Grant, Secret, TokenInfo, UserInfo};

use crate::ops::{Outcome, client, text, wide};
use crate::{Failure, Shared};

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

fn grants(args: &Value, name: &str) -> Result<Vec<Grant>, Failure> {
    let texts = args[name].as_array().into_iter().flatten().filter_map(Value::as_str);
    Ok(Grant::parse_all(texts)?)
}

fn texts(grants: &[Grant]) -> Vec<String> {
    grants.iter().map(Grant::to_string).collect()
}

pub(crate) async fn run(handles: &Shared, op: &str, args: &Value) -> Outcome {
    let client = client(handles, args)?;
    let secret = args["password"].as_str().map(Secret::new);
    let whose = args["user"].as_str();
    Ok(match op {
        "user.create" => {
            let (name, grants) = (text(args, "name")?, grants(args, "grants")?);
            user(&client.create_user(name, secret.as_ref(), &grants).await?)
        }
        "user.describe" => {
            let found = client.describe_user(args["name"].as_str()).await?;
            let mut told = user(&found.user);
            told["grants"] = json!(texts(&found.grants));
            told
        }
        "user.list" => {
            let all = client.list_users().await?;
            json!({ "users": all.iter().map(user).collect::<Vec<_>>() })
        }
        "user.enable" => {
            let enabled = args["enabled"].as_bool().unwrap_or(true);
            user(&client.enable_user(text(args, "name")?, enabled).await?)
        }
        "user.password" => {
            client.change_password(args["name"].as_str(), &secret.unwrap_or_default()).await?;
            json!({})
        }
        "user.delete" => {
            client.delete_user(text(args, "name")?).await?;
            json!({})
        }
        "user.grants" => {
            let (revoke, grant) = (grants(args, "revoke")?, grants(args, "grant")?);
            let left = client.change_grants(text(args, "name")?, &revoke, &grant).await?;
            json!({ "grants": texts(&left) })
        }
        "token.create" => {
            let lifetime = &args["lifetime_ms"];
            let lifetime = match lifetime {
                Value::Null => None,
                some => Some(Duration::from_millis(wide(some)?)),
            };
            let made = client.create_token(whose, text(args, "name")?, lifetime).await?;
            let mut told = token(&made.info);
            told["secret"] = json!(made.secret.expose());
            told
        }
        "token.list" => {
            let all = client.list_tokens(whose).await?;
            json!({ "tokens": all.iter().map(token).collect::<Vec<_>>() })
        }
        "token.delete" => {
            client.delete_token(wide(&args["id"])?).await?;
            json!({})
        }
        other => return Err(Failure::Unsupported(format!("no operation {other}"))),
    })
}
