//! Two tenants and an admin on one server: what is not one's own is as if it were not there, on every route of both
//! services. The routes come out of the OpenAPI documents, so that a new one is asked, too.

mod battery;
mod generated;
mod server;

use engine::{ids::JobId, secret::Secret, webhook::signature};
use reqwest::Method;
use serde_json::{Value, json};

use battery::{Subject, check_foreign, check_own};
use server::{ACME, ADMIN, GLOBEX, Server, WEBHOOK_SECRET};

#[tokio::test]
async fn two_tenants_and_an_admin_share_a_server() {
    let server = Server::start().await;
    a_tenant_sees_all_of_its_own_by_name_and_an_admin_all_by_id(&server).await;
    what_is_another_tenants_is_as_if_it_were_not_there(&server).await;
    requests_of_every_shape_tell_nothing_of_another_tenant(&server).await;
    the_same_names_are_other_jobs(&server).await;
    an_upload_is_a_source_for_those_whose_it_is(&server).await;
}

async fn what_is_another_tenants_is_as_if_it_were_not_there(server: &Server) {
    let before = server.list(ACME).await;

    let absent = ["gone", "acme:gone", "nobody:gone", "gone.llm.chapters", "gone.webhook"];
    let [gone, acme_gone, nobody_gone, gone_chapters, gone_webhook] = absent;
    let (batch, child, keyed) = (&server.batch, &server.batch_child, &server.keyed);
    let none = "0".repeat(64);
    for (foreign, absent) in [
        (Subject::id("talk"), Subject::id(gone)),
        (Subject::id("acme:talk"), Subject::id(acme_gone)),
        (Subject::id("acme:talk"), Subject::id(nobody_gone)),
        (Subject::id("talk.llm.chapters"), Subject::id(gone_chapters)),
        (Subject::id("acme:talk.llm.chapters"), Subject::id("acme:gone.llm.chapters")),
        (Subject::id("talk.webhook"), Subject::id(gone_webhook)),
        (Subject::id("linked"), Subject::id(gone)),
        (Subject::id(batch), Subject::id(gone)),
        (Subject::id(&format!("acme:{batch}")), Subject::id(acme_gone)),
        (Subject::id(child), Subject::id(gone)),
        (Subject::id(keyed), Subject::id(gone)),
        (Subject::object(&format!("uploads/{}", server.recording)), Subject::object(&format!("uploads/{none}"))),
        (Subject::object("jobs/acme:talk/result.json"), Subject::object("jobs/acme:gone/result.json")),
        (Subject::object("batches/acme:many/requests.json"), Subject::object("batches/acme:none/requests.json")),
        (
            Subject::object(&format!("references/{}/acme:talk", server.recording)),
            Subject::object(&format!("references/{none}/acme:talk")),
        ),
    ] {
        check_foreign(server, &foreign, &absent).await;
    }
    assert_eq!(server.list(ACME).await, before, "and nothing has happened to it");
    assert_eq!(server.list(GLOBEX).await, ["mine"], "a tenant's list has its own jobs");
}

async fn the_same_names_are_other_jobs(server: &Server) {
    let before = server.list(ACME).await;
    for (path, headers, body) in [
        ("/v1/jobs", vec![], json!({ "source": { "url": "http://a/" }, "id": "talk" })),
        ("/v1/jobs", vec![("idempotency-key", "order 17")], json!({ "source": { "url": "http://a/" } })),
        ("/v1/batches", vec![], json!({ "sources": [{ "url": "http://a/" }], "id": server.batch })),
    ] {
        let answer = server.send(GLOBEX, &server.ingestion, Method::POST, path, &headers, Some(&body)).await;
        assert_eq!((answer.status, &answer.json()["existing"]), (202, &json!(false)), "{path} {body}: {answer:?}");
    }
    assert_eq!(server.list(ACME).await, before);
    assert_eq!(server.get(ACME, "/v1/jobs/talk").await.json()["status"], "completed");
}

async fn an_upload_is_a_source_for_those_whose_it_is(server: &Server) {
    for key in [ACME, ADMIN] {
        check_own(server, key, &Subject::object(&format!("uploads/{}", server.recording))).await;
    }
}

async fn a_tenant_sees_all_of_its_own_by_name_and_an_admin_all_by_id(server: &Server) {
    for name in ["talk", "talk.llm.chapters", &server.batch, &server.batch_child, &server.keyed] {
        check_own(server, ACME, &Subject::id(name)).await;
        check_own(server, ADMIN, &Subject::id(&format!("acme:{name}"))).await;
    }

    // A result is written once, for its owner.
    for (key, path) in [(ACME, "/v1/jobs/talk/transcript.json"), (ADMIN, "/v1/jobs/acme:talk/transcript.json")] {
        assert_eq!(server.get(key, path).await.json()["job_id"], "talk");
    }
    let linked = server.get(ACME, "/v1/jobs/linked/audio").await;
    assert_eq!((linked.status, linked.header("location")), (307, "http://127.0.0.1:1/a.mp3"));

    let names = server.list(ACME).await;
    assert!(names.iter().all(|name| !name.contains(':')) && names.contains(&"talk".to_owned()), "{names:?}");
    let mut ids: Vec<_> = names.iter().map(|name| format!("acme:{name}")).chain(["globex:mine".to_owned()]).collect();
    let mut listed = server.list(ADMIN).await;
    ids.sort();
    listed.sort();
    assert_eq!(listed, ids);
    let cursor = server.cursor(ACME).await;
    assert!(!cursor.contains(':'), "{cursor}");
    let foreign = server.get(GLOBEX, &format!("/v1/jobs?cursor={cursor}")).await.json();
    assert!(!foreign.to_string().contains("talk"), "another's place shows nothing of it: {foreign}");
    assert_eq!(server.keyed, JobId::of_key("acme", "order 17").to_string());

    let message = server.message();
    let body: Value = serde_json::from_str(&message.body).unwrap();
    assert_eq!(body, json!({ "type": "job.completed", "job_id": "talk", "status": "completed" }));
    let signed = signature(&Secret::new(WEBHOOK_SECRET.to_owned()), &message.id, message.timestamp, &message.body);
    assert_eq!(message.signature, signed.unwrap(), "signed with the tenant's own key");
    let deliveries = server.get(ACME, "/v1/jobs/talk/deliveries").await.json();
    assert_eq!(deliveries[0]["delivered"], true, "{deliveries}");
}

async fn requests_of_every_shape_tell_nothing_of_another_tenant(server: &Server) {
    let before = server.list(ACME).await;
    generated::check(server, 5_000).await;
    assert_eq!(server.list(ACME).await, before);
}
