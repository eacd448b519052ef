//! The OpenAPI document, served as it is and in Swagger UI.

use utoipa::{
    OpenApi, ToSchema,
    openapi::{
        self, ContentBuilder, InfoBuilder, Ref, RefOr, ResponseBuilder, Server,
        path::Operation,
        security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
    },
};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::error::{ErrorBody, ErrorDetail, ErrorKind};

#[derive(OpenApi)]
#[openapi(components(schemas(ErrorBody, ErrorDetail, ErrorKind)))]
struct Common;

/// What every document has: the error, and the two ways to send a key.
pub(crate) fn common(title: &str, description: &str) -> openapi::OpenApi {
    let mut document = Common::openapi();
    document.info =
        InfoBuilder::new().title(title).version(env!("CARGO_PKG_VERSION")).description(Some(description)).build();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    components.add_security_scheme("api_key", SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-Api-Key"))));
    // Where the service has no keys, nothing is needed.
    document.security = Some(vec![
        SecurityRequirement::default(),
        SecurityRequirement::new("bearer", [] as [&str; 0]),
        SecurityRequirement::new("api_key", [] as [&str; 0]),
    ]);
    document
}

/// Says of every operation what its errors look like, and gives the pages that show the document. `public_path` is where
/// the service is found on its host.
pub(crate) fn pages(mut document: openapi::OpenApi, public_path: &str) -> SwaggerUi {
    if !public_path.is_empty() {
        document.servers = Some(vec![Server::new(public_path)]);
    }
    for path in document.paths.paths.values_mut() {
        let operations = [&mut path.get, &mut path.post, &mut path.delete];
        operations.into_iter().flatten().for_each(add_errors);
    }
    // Seen from the pages themselves, wherever they are shown.
    let config = Config::new(["../openapi.json"]);
    SwaggerUi::new("/docs").url("/openapi.json", document).config(config)
}

fn add_errors(operation: &mut Operation) {
    let schema = RefOr::Ref(Ref::from_schema_name(ErrorBody::name()));
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let error = ResponseBuilder::new().description("An error").content("application/json", content).build();
    operation.responses.responses.entry("default".to_owned()).or_insert(RefOr::T(error));
}
