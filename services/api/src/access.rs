//! Authentication and rate limits.

use std::{net::SocketAddr, num::NonZeroU32, sync::Arc};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{
    error::{ApiError, ErrorKind},
    keys::ApiKeys,
    rate_limit::RateLimit,
};

const API_KEY_HEADER: &str = "x-api-key";

/// Who makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Client {
    /// The holder of the API key of this name.
    Key(Arc<str>),
    /// Anybody at this address, where there are no keys.
    Address(Arc<str>),
}

impl Client {
    pub fn name(&self) -> &str {
        match self {
            Self::Key(name) | Self::Address(name) => name,
        }
    }

    /// Whose things are the client's own: the key's name. Without keys everything is everybody's.
    pub fn owner(&self) -> &str {
        match self {
            Self::Key(name) => name,
            Self::Address(_) => "",
        }
    }
}

pub(crate) struct Access {
    /// Without keys everybody is let in.
    pub(crate) keys: Option<ApiKeys>,
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
    response.extensions_mut().insert(client);
    response
}

impl Access {
    fn client(&self, request: &Request) -> Result<Client, ApiError> {
        let Some(keys) = &self.keys else {
            let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
            let address = peer.map(|ConnectInfo(peer)| peer.ip().to_canonical().to_string());
            return Ok(Client::Address(address.unwrap_or_default().into()));
        };
        let refused = |message: &str| {
            ApiError::new(StatusCode::UNAUTHORIZED, ErrorKind::AuthenticationError, message).code("invalid_api_key")
        };
        let presented = presented_key(request.headers()).ok_or_else(|| {
            refused("an API key is needed: send it as `Authorization: Bearer KEY` or `X-Api-Key: KEY`")
        })?;
        let name = keys.name_of(presented).ok_or_else(|| refused("the API key is not known here"))?;
        Ok(Client::Key(name.into()))
    }

    async fn admit(&self, client: &Client) -> Result<(), ApiError> {
        let Some(limit) = &self.rate_limit else { return Ok(()) };
        limit.admit(client.name(), NonZeroU32::MIN).await.map_err(|refused| {
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
