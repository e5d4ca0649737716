//! Users, tokens and grants; a grant is its text. The results come under `number`.

use std::time::Duration;

use napi::bindgen_prelude::BigInt;
use napi_derive::napi;
use tidewire::{Grant, NewToken, Secret};

use crate::client::NativeClient;
use crate::info::{NativeNewToken, NativeUserDescription, TokenInfo, UserInfo};

fn texts(grants: &[Grant]) -> Vec<String> {
    grants.iter().map(Grant::to_string).collect()
}

#[napi]
impl NativeClient {
    #[napi]
    pub fn create_user(
        &self,
        number: u32,
        name: String,
        password: Option<String>,
        grants: Vec<String>,
    ) {
        let password = password.map(Secret::new);
        self.call(
            number,
            |client| async move {
                let grants = Grant::parse_all(grants)?;
                client.create_user(&name, password.as_ref(), &grants).await
            },
            UserInfo::from,
        );
    }

    #[napi]
    pub fn delete_user(&self, number: u32, name: String) {
        self.call(number, |client| async move { client.delete_user(&name).await }, |()| ());
    }

    #[napi]
    pub fn enable_user(&self, number: u32, name: String, enabled: bool) {
        self.call(
            number,
            move |client| async move { client.enable_user(&name, enabled).await },
            UserInfo::from,
        );
    }

    #[napi]
    pub fn change_password(&self, number: u32, password: String, name: Option<String>) {
        let password = Secret::new(password);
        self.call(
            number,
            |client| async move { client.change_password(name.as_deref(), &password).await },
            |()| (),
        );
    }

    #[napi]
    pub fn describe_user(&self, number: u32, name: Option<String>) {
        self.call(
            number,
            |client| async move { client.describe_user(name.as_deref()).await },
            |found| NativeUserDescription {
                user: found.user.into(),
                grants: texts(&found.grants),
            },
        );
    }

    #[napi]
    pub fn list_users(&self, number: u32) {
        self.call(
            number,
            |client| async move { client.list_users().await },
            |all| all.into_iter().map(UserInfo::from).collect::<Vec<_>>(),
        );
    }

    #[napi]
    pub fn change_grants(
        &self,
        number: u32,
        name: String,
        revoke: Vec<String>,
        grant: Vec<String>,
    ) {
        self.call(
            number,
            |client| async move {
                let (revoke, grant) = (Grant::parse_all(revoke)?, Grant::parse_all(grant)?);
                client.change_grants(&name, &revoke, &grant).await
            },
            |grants| texts(&grants),
        );
    }

    #[napi]
    pub fn create_token(
        &self,
        number: u32,
        name: String,
        user: Option<String>,
        lifetime_ms: Option<f64>,
    ) {
        // The skin has seen that it is a whole number.
        let lifetime = lifetime_ms.map(|ms| Duration::from_millis(ms as u64));
        self.call(
            number,
            move |client| async move {
                client.create_token(user.as_deref(), &name, lifetime).await
            },
            |NewToken { info, secret, .. }| NativeNewToken {
                token: info.into(),
                secret: secret.expose().to_owned(),
            },
        );
    }

    #[napi]
    pub fn list_tokens(&self, number: u32, user: Option<String>) {
        self.call(
            number,
            |client| async move { client.list_tokens(user.as_deref()).await },
            |all| all.into_iter().map(TokenInfo::from).collect::<Vec<_>>(),
        );
    }

    #[napi]
    pub fn delete_token(&self, number: u32, id: BigInt) {
        let id = id.get_u64().1;
        self.call(number, move |client| async move { client.delete_token(id).await }, |()| ());
    }
}
