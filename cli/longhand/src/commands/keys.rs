//! `longhand keys`: who may use the HTTP services.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use confique::Config;
use engine::{
    api_keys::{self, ApiKey, ApiKeys},
    config,
    ids::Tenant,
};
use serde_json::{Value, json};

use crate::{
    exit::Exit,
    table::table,
    terminal::{note, print, print_json},
};

#[derive(Args)]
#[command(after_help = "\
The file has a line `NAME [TENANT] SHA256` for each key, and no key. Services read it again within 10 s of a change. A \
tenant's jobs, batches and recordings are seen with its keys alone; an admin's key sees all.

Examples:
  export LONGHAND_API_KEYS=/etc/longhand/keys
  longhand keys add acme > acme.key
  longhand keys add acme-ci --tenant acme
  longhand keys add operator --admin
  longhand keys list --json
  longhand keys revoke acme-ci")]
pub(crate) struct KeysArgs {
    #[command(subcommand)]
    command: KeysCommand,
    /// The file of keys [default: the one that LONGHAND_API_KEYS names]
    #[arg(long, global = true, value_name = "PATH")]
    file: Option<PathBuf>,
    /// Print JSON: {name, tenant, admin}, with `key` where one is made
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum KeysCommand {
    /// Make a key and print it, once: only its hash is kept
    Add(AddArgs),
    /// List the keys' names and tenants
    List,
    /// Let a key in no more
    Revoke {
        /// The key's name
        name: String,
    },
}

#[derive(Args)]
struct AddArgs {
    /// Name of the key, for logs, limits and `revoke`
    name: String,
    /// Whose jobs it opens [default: the tenant of the key's name]
    #[arg(long)]
    tenant: Option<Tenant>,
    /// Open the jobs of all
    #[arg(long, conflicts_with = "tenant")]
    admin: bool,
}

#[derive(Config)]
struct Settings {
    #[config(env = "LONGHAND_API_KEYS")]
    keys: Option<PathBuf>,
}

pub(crate) fn run(args: KeysArgs) -> anyhow::Result<Exit> {
    let KeysArgs { command, file, json } = args;
    let file = file.map_or_else(|| config::load::<Settings>().map(|settings| settings.keys), |file| Ok(Some(file)))?;
    let file = file.context("name the file of keys with LONGHAND_API_KEYS or --file")?;
    match command {
        KeysCommand::Add(key) => {
            let tenant = key.tenant_or_admin()?;
            let made = api_keys::add(&file, &key.name, tenant.as_ref())?;
            let whose = tenant.as_ref().map_or("the jobs of all".to_owned(), |tenant| format!("the jobs of {tenant}"));
            note(&format!("{} opens {whose}; keep the key, it is not shown again", key.name));
            let told = json!({ "name": key.name, "tenant": tenant, "admin": tenant.is_none(), "key": made.expose() });
            if json { print_json(&told)? } else { print(&format!("{}\n", made.expose()))? }
        }
        KeysCommand::List => {
            let keys = ApiKeys::read(&file)?;
            if json {
                print_json(&keys.iter().map(described).collect::<Vec<_>>())?;
            } else {
                print(&table(["NAME", "TENANT"], keys.iter().map(row)))?;
            }
        }
        KeysCommand::Revoke { name } => {
            api_keys::revoke(&file, &name)?;
            note(&format!("{name} is let in no more, as soon as the services have read {}", file.display()));
            if json {
                print_json(&json!({ "name": name }))?;
            }
        }
    }
    Ok(Exit::Done)
}

impl AddArgs {
    /// `None` for an admin's key.
    fn tenant_or_admin(&self) -> anyhow::Result<Option<Tenant>> {
        match &self.tenant {
            _ if self.admin => Ok(None),
            Some(tenant) => Ok(Some(tenant.clone())),
            None => {
                let no_tenant = || format!("{} is no tenant's name, so add --tenant or --admin", self.name);
                self.name.parse().map(Some).with_context(no_tenant)
            }
        }
    }
}

fn described(key: &ApiKey) -> Value {
    json!({ "name": key.name, "tenant": key.tenant, "admin": key.tenant.is_none() })
}

fn row(key: &ApiKey) -> [String; 2] {
    [key.name.clone(), key.tenant.as_ref().map_or("* (all)".to_owned(), ToString::to_string)]
}
