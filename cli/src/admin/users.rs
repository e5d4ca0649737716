//! `tidewire user`, `tidewire token` and `tidewire grant`.
//!
//! Owns what is shown of users, and where a new password comes from: never the command line. The
//! one invariant: a secret is printed only where it was asked for, on stdout.

use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::path::Path;

use serde_json::{Value, json};
use tidewire::{Grant, Secret, TokenInfo, UserDescription, UserInfo};

use super::print_table;
use crate::args::users::{GrantCommand, PasswordArgs, TokenCommand, UserCommand};
use crate::client;
use crate::failure::Failure;
use crate::output::{self, number, table::Side, table::Table};

/// Most bytes of a password that are read.
const MAX_PASSWORD_BYTES: u64 = 4_096;

/// Carries out a command on users.
pub fn user(command: UserCommand) -> Result<(), Failure> {
    // Asked for before there is a connection that would wait for it.
    let password = match &command {
        UserCommand::Create { no_password: false, password, user, .. } => {
            Some(new_password(password, user)?)
        }
        UserCommand::Password { password, user, .. } => {
            Some(new_password(password, user.as_deref().unwrap_or("yourself"))?)
        }
        _ => None,
    };
    client::run(async {
        match command {
            UserCommand::Create { user, grants, server, .. } => {
                let client = client::connect(&server.url).await?;
                client.create_user(&user, password.as_ref(), &grants).await?;
                output::line(&format!("created user {user}"))
            }
            UserCommand::List { json, server } => {
                let users = client::connect(&server.url).await?.list_users().await?;
                if json {
                    return output::json(&users.iter().map(user_json).collect());
                }
                print_table(&user_table(&users))
            }
            UserCommand::Describe { user, json, server } => {
                let client = client::connect(&server.url).await?;
                describe(&client.describe_user(Some(&user)).await?, json)
            }
            UserCommand::Whoami { json, server } => {
                let client = client::connect(&server.url).await?;
                describe(&client.describe_user(None).await?, json)
            }
            UserCommand::Password { user, server, .. } => {
                let client = client::connect(&server.url).await?;
                let password = password.unwrap_or_default();
                client.change_password(user.as_deref(), &password).await?;
                output::line("changed the password")
            }
            UserCommand::Enable { user, server } => {
                client::connect(&server.url).await?.enable_user(&user, true).await?;
                output::line(&format!("user {user} may log in"))
            }
            UserCommand::Disable { user, server } => {
                client::connect(&server.url).await?.enable_user(&user, false).await?;
                output::line(&format!("user {user} may not log in any more"))
            }
            UserCommand::Delete { user, server } => {
                client::connect(&server.url).await?.delete_user(&user).await?;
                output::line(&format!("deleted user {user}"))
            }
        }
    })
}

/// Carries out a command on tokens.
pub fn token(command: TokenCommand) -> Result<(), Failure> {
    client::run(async {
        match command {
            TokenCommand::Create { name, user, expires, server } => {
                let client = client::connect(&server.url).await?;
                let token = client.create_token(user.as_deref(), &name, expires).await?;
                output::note(&format!(
                    "token {} of user {}; it is shown this once:",
                    token.info.id, token.info.user
                ));
                output::line(token.secret.expose())
            }
            TokenCommand::List { user, json, server } => {
                let client = client::connect(&server.url).await?;
                let tokens = client.list_tokens(user.as_deref()).await?;
                if json {
                    return output::json(&tokens.iter().map(token_json).collect());
                }
                print_table(&token_table(&tokens))
            }
            TokenCommand::Delete { id, server } => {
                client::connect(&server.url).await?.delete_token(id).await?;
                output::line(&format!("deleted token {id}"))
            }
        }
    })
}

/// Carries out a command on grants.
pub fn grant(command: GrantCommand) -> Result<(), Failure> {
    client::run(async {
        match command {
            GrantCommand::Add { user, grant, server } => {
                let grant = joined(&grant)?;
                let client = client::connect(&server.url).await?;
                client.change_grants(&user, &[], std::slice::from_ref(&grant)).await?;
                output::line(&format!("user {user} may now {grant}"))
            }
            GrantCommand::Remove { user, grant, server } => {
                let grant = joined(&grant)?;
                let client = client::connect(&server.url).await?;
                let left =
                    client.change_grants(&user, std::slice::from_ref(&grant), &[]).await?;
                output::line(&format!(
                    "took '{grant}' from user {user}, which has {} left",
                    number::counted(left.len() as u64, "grant", "grants")
                ))
            }
            GrantCommand::List { user, json, server } => {
                let client = client::connect(&server.url).await?;
                let grants = client.describe_user(Some(&user)).await?.grants;
                if json {
                    return output::json(&grants.iter().map(grant_json).collect());
                }
                print_grants(&grants)
            }
        }
    })
}

fn joined(words: &[String]) -> Result<Grant, Failure> {
    words.join(" ").parse().map_err(Failure::new)
}

fn describe(found: &UserDescription, json: bool) -> Result<(), Failure> {
    if json {
        let mut value = user_json(&found.user);
        value["grants"] = found.grants.iter().map(grant_json).collect::<Vec<_>>().into();
        return output::json(&value);
    }
    let user = &found.user;
    output::line(&format!(
        "user {}: {}, {}, {}, created {} UTC",
        user.name,
        if user.enabled { "may log in" } else { "disabled" },
        if user.password { "a password" } else { "no password" },
        number::counted(user.tokens.into(), "token", "tokens"),
        number::date(user.created_us)
    ))?;
    if user.name == "root" {
        return output::line("it may do everything");
    }
    print_grants(&found.grants)
}

fn print_grants(grants: &[Grant]) -> Result<(), Failure> {
    for grant in grants {
        output::line(&grant.to_string())?;
    }
    Ok(())
}

fn user_json(user: &UserInfo) -> Value {
    json!({
        "name": user.name,
        "id": user.id,
        "created": number::rfc3339(user.created_us),
        "enabled": user.enabled,
        "password": user.password,
        "tokens": user.tokens,
    })
}

fn token_json(token: &TokenInfo) -> Value {
    json!({
        "id": token.id,
        "name": token.name,
        "user": token.user,
        "created": number::rfc3339(token.created_us),
        "expires": (token.expires_us != 0).then(|| number::rfc3339(token.expires_us)),
    })
}

fn grant_json(grant: &Grant) -> Value {
    json!({ "rights": grant.rights(), "scope": grant.scope(), "pattern": grant.pattern() })
}

fn user_table(users: &[UserInfo]) -> Table {
    let mut table = Table::new([
        ("user", Side::Left),
        ("logs in", Side::Left),
        ("password", Side::Left),
        ("tokens", Side::Right),
        ("created (UTC)", Side::Left),
    ]);
    let yes = |is| if is { "yes" } else { "no" }.to_owned();
    for user in users {
        table.row([
            user.name.clone(),
            yes(user.enabled),
            yes(user.password),
            number::count(user.tokens.into()),
            number::date(user.created_us),
        ]);
    }
    table
}

fn token_table(tokens: &[TokenInfo]) -> Table {
    let mut table = Table::new([
        ("id", Side::Right),
        ("token", Side::Left),
        ("created (UTC)", Side::Left),
        ("ends (UTC)", Side::Left),
    ]);
    for token in tokens {
        table.row([
            token.id.to_string(),
            token.name.clone(),
            number::date(token.created_us),
            match token.expires_us {
                0 => "never".to_owned(),
                expires_us => number::date(expires_us),
            },
        ]);
    }
    table
}

/// A new password, from where the user said, or from the terminal without showing it.
fn new_password(args: &PasswordArgs, whom: &str) -> Result<Secret, Failure> {
    let (text, place) = match &args.password_file {
        Some(path) if path != Path::new("-") => {
            let mut text = String::new();
            std::fs::File::open(path)
                .and_then(|file| file.take(MAX_PASSWORD_BYTES).read_to_string(&mut text))
                .map_err(|error| {
                    Failure::io(format_args!("reading {}", path.display()), &error)
                })?;
            (text, path.display().to_string())
        }
        None if io::stdin().is_terminal() => {
            let first = hidden_line(&format!("New password for {whom}: "))?;
            if hidden_line("Once more: ")? != first {
                return Err(Failure::new("the two were not the same"));
            }
            (first, "what was typed".to_owned())
        }
        _ => {
            let mut text = String::new();
            io::stdin()
                .lock()
                .take(MAX_PASSWORD_BYTES)
                .read_line(&mut text)
                .map_err(|error| Failure::io("reading the password from stdin", &error))?;
            (text, "stdin".to_owned())
        }
    };
    match text.lines().next().filter(|line| !line.is_empty()) {
        Some(line) => Ok(Secret::new(line)),
        None => Err(Failure::new(format!("there is no password in {place}"))
            .hint("its first line is the password")),
    }
}

/// Reads a line from the terminal without showing it.
fn hidden_line(prompt: &str) -> Result<String, Failure> {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    let failed = |error: io::Error| Failure::io("reading the password", &error);
    let stdin = io::stdin();
    let mut stderr = io::stderr();
    let shown = tcgetattr(&stdin).map_err(|error| failed(error.into()))?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    write!(stderr, "{prompt}").and_then(|()| stderr.flush()).map_err(failed)?;
    tcsetattr(&stdin, OptionalActions::Flush, &hidden).map_err(|error| failed(error.into()))?;
    let mut line = String::new();
    let read = stdin.lock().take(MAX_PASSWORD_BYTES).read_line(&mut line);
    // Whatever came of it, the terminal is left as it was.
    let back = tcsetattr(&stdin, OptionalActions::Flush, &shown);
    let _ = writeln!(stderr);
    read.map_err(failed)?;
    back.map_err(|error| failed(error.into()))?;
    Ok(line)
}
