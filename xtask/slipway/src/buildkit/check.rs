//! BuildKit's own checks of a Dockerfile. The answer to such a question never leaves the engine
//! through a plain solve: only a client that takes the frontend's place gets to see it. So this
//! opens a solve without a frontend and asks the Dockerfile frontend itself, within it.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result};
use bollard_buildkit_proto::moby::buildkit::{
    v1 as proto,
    v1::frontend::{self, ReturnRequest, llb_bridge_client::LlbBridgeClient},
};
use serde::Deserialize;
use tonic::{Request, transport::Channel};

use super::{
    builder::{Builder, LARGEST_MESSAGE},
    failure::Location,
};

/// Tells the engine which solve a question belongs to.
const SOLVE_HEADER: &str = "buildkit-controlapi-buildid";

/// What BuildKit says of a Dockerfile.
#[derive(Debug, Default)]
pub(crate) struct Check {
    pub(crate) warnings: Vec<CheckWarning>,
    /// Why it could not look at everything.
    pub(crate) stopped: Option<String>,
}

#[derive(Debug)]
pub(crate) struct CheckWarning {
    /// As in `StageNameCasing`.
    pub(crate) rule: String,
    /// What the rule is about.
    pub(crate) description: String,
    /// What is wrong here.
    pub(crate) detail: String,
    pub(crate) url: String,
    /// The first and the last line, counted from 1.
    pub(crate) lines: (usize, usize),
}

impl Builder {
    /// Has a Dockerfile checked, with the frontend's attributes of its build.
    pub(crate) async fn check(&self, session: &str, attributes: BTreeMap<String, String>) -> Result<Check> {
        let mut control = self.control.clone();
        let reference = uuid::Uuid::new_v4().simple().to_string();
        let solve = proto::SolveRequest {
            r#ref: reference.clone(),
            session: session.to_owned(),
            ..proto::SolveRequest::default()
        };
        let questions = ask(self.channel.clone(), &reference, attributes);
        let (solved, answered) = tokio::join!(control.solve(solve), questions);
        // Where the solve fails, the question had no chance.
        let answer = match (solved, answered) {
            (_, Ok(answer)) => answer,
            (Err(status), Err(_)) => anyhow::bail!("{}", status.message()),
            (Ok(_), Err(error)) => return Err(error),
        };
        let report: Report = serde_json::from_slice(&answer).context("the engine's checks are not understood")?;
        Ok(report.into())
    }
}

/// The frontend's report, as JSON. The solve ends with it.
async fn ask(channel: Channel, reference: &str, attributes: BTreeMap<String, String>) -> Result<Vec<u8>> {
    let mut bridge = LlbBridgeClient::new(channel).max_decoding_message_size(LARGEST_MESSAGE);
    let mut frontend_opt: HashMap<String, String> = attributes.into_iter().collect();
    frontend_opt.insert("requestid".to_owned(), "frontend.lint".to_owned());
    frontend_opt.insert("frontend.caps".to_owned(), "moby.buildkit.frontend.subrequests".to_owned());
    let question = frontend::SolveRequest {
        frontend: "dockerfile.v0".to_owned(),
        frontend_opt,
        allow_result_return: true,
        allow_result_array_ref: true,
        ..frontend::SolveRequest::default()
    };
    let answer = bridge.solve(within(reference, question)?).await;
    let ended = ReturnRequest { result: Some(frontend::Result::default()), error: None };
    bridge.r#return(within(reference, ended)?).await?;
    let answer = answer.map_err(|status| anyhow::anyhow!("{}", status.message()))?;
    let mut metadata = answer.into_inner().result.unwrap_or_default().metadata;
    metadata.remove("result.json").context("the engine is too old to check Dockerfiles")
}

fn within<T>(reference: &str, message: T) -> Result<Request<T>> {
    let mut request = Request::new(message);
    request.metadata_mut().insert(SOLVE_HEADER, reference.parse()?);
    Ok(request)
}

/// BuildKit's `lint.LintResults`.
#[derive(Deserialize)]
struct Report {
    #[serde(default)]
    warnings: Option<Vec<Warning>>,
    #[serde(rename = "buildError")]
    build_error: Option<BuildError>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Warning {
    rule_name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    url: String,
    location: Option<Location>,
}

#[derive(Deserialize)]
struct BuildError {
    message: String,
}

impl From<Report> for Check {
    fn from(report: Report) -> Check {
        Check {
            warnings: report.warnings.unwrap_or_default().into_iter().map(CheckWarning::from).collect(),
            stopped: report.build_error.map(|error| error.message),
        }
    }
}

impl From<Warning> for CheckWarning {
    fn from(warning: Warning) -> CheckWarning {
        let ranges = warning.location.map(|location| location.ranges).unwrap_or_default();
        let first = ranges.iter().map(|range| range.start.line).min().unwrap_or_default().max(1);
        let last = ranges.iter().map(|range| range.end.line).max().unwrap_or_default().max(first);
        CheckWarning {
            rule: warning.rule_name,
            description: warning.description,
            detail: warning.detail,
            url: warning.url,
            lines: (first, last),
        }
    }
}
