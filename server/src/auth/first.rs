//! The first start with credentials: the user `root`, and a token to begin with.

use tidewire_protocol::auth::{Key, Secret, Token};
use tidewire_storage::CatalogStore;
use tidewire_storage::access::{NewToken, ROOT};

use super::random;
use crate::error::{Error, ErrorKind};

/// What the first token is called.
const FIRST_TOKEN: &str = "first start";

/// Makes sure that there is `root`. The text of its token, if it was made now: it can never be
/// told again.
pub(crate) fn first_start(
    store: &mut CatalogStore,
    now_us: i64,
) -> Result<Option<Secret>, Error> {
    if store.access().user(ROOT).is_some() {
        return Ok(None);
    }
    let failed = |error: tidewire_storage::CatalogError| {
        Error::new(ErrorKind::Storage, format!("the user {ROOT} could not be made: {error}"))
    };
    let key = Key::new(random()?);
    store.create_user(ROOT, None, &[], now_us).map_err(failed)?;
    let new =
        NewToken { name: FIRST_TOKEN.to_owned(), expires_us: 0, verifier: key.verifier() };
    let token = store.create_token(ROOT, new, now_us).map_err(failed)?;
    Ok(Some(Token { id: token.id, key }.text()))
}
