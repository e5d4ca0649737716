//! Users, tokens and grants; a grant is its text.
//!
//! Owns nothing: each call is the core client's of the same name, with its errors.

use std::time::Duration;

use tidewire::{Grant, Secret};

use crate::call::unsigned;
use crate::client::NativeClient;
use crate::failure::NativeError;
use crate::info::{NewToken, TokenInfo, UserDescription, UserInfo, all};

fn texts(grants: &[Grant]) -> Vec<String> {
    grants.iter().map(Grant::to_string).collect()
}

#[uniffi::export]
impl NativeClient {
    pub async fn create_user(
        &self,
        name: String,
        password: Option<String>,
        grants: Vec<String>,
    ) -> Result<UserInfo, NativeError> {
        let password = password.map(Secret::new);
        let made = self.call(|client| async move {
            let grants = Grant::parse_all(grants)?;
            client.create_user(&name, password.as_ref(), &grants).await
        });
        Ok(made.await?.into())
    }

    pub async fn delete_user(&self, name: String) -> Result<(), NativeError> {
        self.call(|client| async move { client.delete_user(&name).await }).await
    }

    pub async fn enable_user(
        &self,
        name: String,
        enabled: bool,
    ) -> Result<UserInfo, NativeError> {
        let user =
            self.call(move |client| async move { client.enable_user(&name, enabled).await });
        Ok(user.await?.into())
    }

    pub async fn change_password(
        &self,
        password: String,
        name: Option<String>,
    ) -> Result<(), NativeError> {
        let password = Secret::new(password);
        self.call(
            |client| async move { client.change_password(name.as_deref(), &password).await },
        )
        .await
    }

    pub async fn describe_user(
        &self,
        name: Option<String>,
    ) -> Result<UserDescription, NativeError> {
        let found = self
            .call(|client| async move { client.describe_user(name.as_deref()).await })
            .await?;
        Ok(UserDescription { user: found.user.into(), grants: texts(&found.grants) })
    }

    pub async fn list_users(&self) -> Result<Vec<UserInfo>, NativeError> {
        Ok(all(self.call(|client| async move { client.list_users().await }).await?))
    }

    pub async fn change_grants(
        &self,
        name: String,
        revoke: Vec<String>,
        grant: Vec<String>,
    ) -> Result<Vec<String>, NativeError> {
        let grants = self.call(|client| async move {
            let (revoke, grant) = (Grant::parse_all(revoke)?, Grant::parse_all(grant)?);
            client.change_grants(&name, &revoke, &grant).await
        });
        Ok(texts(&grants.await?))
    }

    pub async fn create_token(
        &self,
        name: String,
        user: Option<String>,
        lifetime_ms: Option<i64>,
    ) -> Result<NewToken, NativeError> {
        let lifetime = lifetime_ms.map(|ms| unsigned("lifetime_ms", ms)).transpose()?;
        let lifetime = lifetime.map(Duration::from_millis);
        let made = self.call(move |client| async move {
            client.create_token(user.as_deref(), &name, lifetime).await
        });
        let made = made.await?;
        Ok(NewToken { secret: made.secret.expose().to_owned(), token: made.info.into() })
    }

    pub async fn list_tokens(
        &self,
        user: Option<String>,
    ) -> Result<Vec<TokenInfo>, NativeError> {
        let found =
            self.call(|client| async move { client.list_tokens(user.as_deref()).await });
        Ok(all(found.await?))
    }

    pub async fn delete_token(&self, id: i64) -> Result<(), NativeError> {
        let id = id.cast_unsigned();
        self.call(move |client| async move { client.delete_token(id).await }).await
    }
}
