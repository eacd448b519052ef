//! The health check by which the engine sees that a session is still alive.

use bollard_buildkit_proto::health::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
    health_check_response::ServingStatus, health_server::Health,
};
use tonic::{Request, Response, Status};

pub(super) struct Healthy;

fn serving() -> HealthCheckResponse {
    HealthCheckResponse { status: ServingStatus::Serving.into() }
}

#[tonic::async_trait]
impl Health for Healthy {
    async fn check(&self, _request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        Ok(Response::new(serving()))
    }

    async fn list(&self, _request: Request<HealthListRequest>) -> Result<Response<HealthListResponse>, Status> {
        let statuses = [(String::new(), serving())].into();
        Ok(Response::new(HealthListResponse { statuses }))
    }

    type WatchStream = futures_util::stream::Once<std::future::Ready<Result<HealthCheckResponse, Status>>>;

    async fn watch(&self, _request: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        Ok(Response::new(futures_util::stream::once(std::future::ready(Ok(serving())))))
    }
}
