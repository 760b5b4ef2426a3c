//! Where DynamoDB does not answer, nobody is told that nothing was there.

use test_cloud::Fault;

use super::{Past, QUARTER, subscription};

#[tokio::test]
async fn each_read_that_fails_is_a_503() {
    let past = Past::start().await;
    past.apply("evt_1", "customer.subscription.created", "09-01", &subscription("sub_1", "09-01", "active"))
        .await;
    past.apply(
        "evt_2",
        "customer.subscription.deleted",
        "10-10",
        &subscription("sub_1", "09-01", "canceled"),
    )
    .await;
    let one = format!("/records/subscriptions/sub_1?at={QUARTER}");
    let list = format!("/records/subscriptions?at={QUARTER}");
    for (path, operation, table) in [
        (&one, "GetItem", "RegistryTable"),
        (&one, "GetItem", "RecordsTable"),
        (&one, "Query", "LedgerTable"),
        (&one, "BatchGetItem", "LedgerTable"),
        (&list, "Query", "RecordsTable"),
        (&list, "BatchGetItem", "RecordsTable"),
        (&list, "Query", "LedgerTable"),
        (&list, "BatchGetItem", "LedgerTable"),
    ] {
        for fault in [Fault::AccessDenied, Fault::ServerError, Fault::ProxyPage] {
            past.stack.cloud.fail(operation, table, 20, fault);
            let (status, body) = past.stack.get(path).await;
            past.stack.cloud.clear_faults();
            assert_eq!(
                (status, body["error"]["code"].as_str()),
                (503, Some("temporarily_unavailable")),
                "{path} {operation} {table} {fault:?}"
            );
        }
        past.stack.ok(path).await;
    }
}
