//! What an image asks of the engine: reduced to a fingerprint, and whether it asks for something that makes
//! every build a new one.

use anyhow::Result;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::{
    build::{
        plan::{Plan, PlannedImage},
        request::{Sessions, solve_request},
    },
    buildkit::Engine,
    compose::{Context, NamedContext},
    hash::hexadecimal,
};

/// Raised when equal requests come to mean something else.
const FORMAT: u32 = 1;
const IMAGE: &str = "docker-image://";

/// Why an image is solved whatever is known; none where knowing may help.
pub(super) fn always_solved(plan: &Plan, image: &PlannedImage) -> Option<String> {
    let build = &image.build;
    let fetched = |context: &NamedContext| matches!(context, NamedContext::Remote(from) if !from.starts_with(IMAGE));
    let reasons = [
        (!plan.builders.is_empty(), "it is built elsewhere"),
        (image.push, "it is pushed"),
        (build.no_cache || !build.no_cache_filter.is_empty(), "nothing may come from the cache"),
        (build.pull, "its bases are asked for"),
        (build.cache_to.iter().any(|store| store.kind != "inline"), "its cache is exported"),
        (matches!(build.context, Context::Remote(_)), "its context is fetched"),
        (build.additional_contexts.values().any(fetched), "one of its contexts is fetched"),
        // Only the engine knows the address, and it may be another one after its next start.
        (build.extra_hosts.iter().any(|(_, address)| address == "host-gateway"), "it asks for the host's address"),
    ];
    reasons.iter().find(|(holds, _)| *holds).map(|(_, reason)| (*reason).to_owned())
}

/// The same only for the same request to the same engine by the same version of this program.
pub(super) fn fingerprint(engine: &Engine, plan: &Plan, image: &PlannedImage) -> Result<String> {
    let sessions = Sessions { folders: "", context: Some(""), own: "", host_gateway: None, sends_image: false };
    let request = solve_request(plan, image, &sessions);
    let program = (FORMAT, env!("CARGO_PKG_VERSION"));
    let all = json!([program, engine.id, engine.version, image, request.attributes, request.entitlements]);
    Ok(hexadecimal(&Sha256::digest(serde_json::to_vec(&all)?)))
}
