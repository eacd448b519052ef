//! Authentication and rate limits.

use std::{net::SocketAddr, num::NonZeroU32, sync::Arc};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    middleware::Next,
    response::{IntoResponse, Response},
};

use engine::api_keys::ApiKeys;
use tokio::sync::watch;

use crate::{
    error::{self, ApiError, ErrorKind},
    rate_limit::RateLimit,
    scope::Scope,
};

const API_KEY_HEADER: &str = "x-api-key";

/// Who makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// That of its API key, or its address where there are no keys.
    name: Arc<str>,
    scope: Scope,
}

impl Client {
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whose jobs it may see.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }
}

pub(crate) struct Access {
    /// Without keys everybody is let in.
    pub(crate) keys: Option<watch::Receiver<ApiKeys>>,
    pub(crate) rate_limit: Option<RateLimit>,
}

/// Lets a request pass with its [`Client`], which the answer gets, too, for the log.
pub(crate) async fn authenticate(State(access): State<Arc<Access>>, mut request: Request, next: Next) -> Response {
    let client = match access.client(&request) {
        Ok(client) => client,
        Err(refused) => return refused.into_response(),
    };
    let mut response = match access.admit(&client).await {
        Ok(()) => {
            request.extensions_mut().insert(client.clone());
            next.run(request).await
        }
        Err(refused) => refused.into_response(),
    };
    error::tell(&mut response, client.scope());
    response.extensions_mut().insert(client);
    response
}

impl Access {
    fn client(&self, request: &Request) -> Result<Client, ApiError> {
        let Some(keys) = &self.keys else {
            let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
            let address = peer.map(|ConnectInfo(peer)| peer.ip().to_canonical().to_string());
            return Ok(Client { name: address.unwrap_or_default().into(), scope: Scope::new(None) });
        };
        let refused = |message: &str| {
            ApiError::new(StatusCode::UNAUTHORIZED, ErrorKind::AuthenticationError, message).code("invalid_api_key")
        };
        let presented = presented_key(request.headers()).ok_or_else(|| {
            refused("an API key is needed: send it as `Authorization: Bearer KEY` or `X-Api-Key: KEY`")
        })?;
        let keys = keys.borrow();
        let key = keys.find(presented).ok_or_else(|| refused("the API key is not known here"))?;
        Ok(Client { name: key.name.as_str().into(), scope: Scope::new(key.tenant.clone()) })
    }

    async fn admit(&self, client: &Client) -> Result<(), ApiError> {
        let Some(limit) = &self.rate_limit else { return Ok(()) };
        let admitted = limit.admit(client.name(), NonZeroU32::MIN).await;
        admitted.map(drop).map_err(|refused| {
            let message = "too many requests in a minute; try again after the seconds that Retry-After tells";
            refused.answer(message, "rate_limit_exceeded")
        })
    }
}

fn presented_key(headers: &HeaderMap) -> Option<&str> {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| {
        let (scheme, key) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
    });
    bearer.or_else(|| headers.get(API_KEY_HEADER)?.to_str().ok())
}
