//! What is sold, and for how much.

use super::row::{Deletion, Effect, KindRow, PRICE_OF_ITEM, list, to};

pub(super) const PRODUCT: KindRow = KindRow {
    permission: Some("rak_product_read"),
    id_prefixes: &["prod"],
    // Merchants may choose their ids.
    ids_are_used_again: true,
    list_filters: Some(&["created", "active"]),
    deletion: Deletion::Gone,
    labels: &["name", "description"],
    references: &[to("default_price", "price")],
    events: &[
        ("product.created", Effect::Creation),
        ("product.deleted", Effect::Deletion),
        ("product.updated", Effect::Change),
    ],
    ..KindRow::new("product", "products", "products")
};

pub(super) const PRICE: KindRow = KindRow {
    permission: Some("rak_plan_read"),
    id_prefixes: &["price"],
    // The price of a plan has the plan's id.
    ids_are_used_again: true,
    list_filters: Some(&["created", "active", "product"]),
    // Without `active`, those that are inactive are left out.
    list_params: &[&[], &[("active", "false")]],
    deletion: Deletion::Gone,
    amount: Some("unit_amount"),
    labels: &["nickname", "lookup_key"],
    references: &[to("product", "product")],
    called_after: Some(to("product", "product")),
    events: &[
        ("price.created", Effect::Creation),
        ("price.deleted", Effect::Deletion),
        ("price.updated", Effect::Change),
    ],
    ..KindRow::new("price", "prices", "prices")
};

pub(super) const PLAN: KindRow = KindRow {
    permission: Some("rak_plan_read"),
    // Merchants may choose their ids.
    ids_are_used_again: true,
    list_filters: Some(&["created", "active", "product"]),
    deletion: Deletion::Gone,
    amount: Some("amount"),
    labels: &["nickname"],
    references: &[to("product", "product")],
    called_after: Some(to("product", "product")),
    events: &[
        ("plan.created", Effect::Creation),
        ("plan.deleted", Effect::Deletion),
        ("plan.updated", Effect::Change),
    ],
    ..KindRow::new("plan", "plans", "plans")
};

pub(super) const COUPON: KindRow = KindRow {
    permission: Some("rak_coupon_read"),
    // Merchants may choose their ids.
    ids_are_used_again: true,
    deletion: Deletion::Gone,
    amount: Some("amount_off"),
    labels: &["name"],
    events: &[
        ("coupon.created", Effect::Creation),
        ("coupon.deleted", Effect::Deletion),
        ("coupon.updated", Effect::Change),
    ],
    // Counted up by each use, and over when it may be used no more.
    silent: &["times_redeemed", "valid"],
    ..KindRow::new("coupon", "coupons", "coupons")
};

pub(super) const PROMOTION_CODE: KindRow = KindRow {
    permission: Some("rak_promotion_code_read"),
    id_prefixes: &["promo"],
    list_filters: Some(&["created", "active", "code", "customer"]),
    labels: &["code"],
    references: &[to("promotion.coupon", "coupon"), to("coupon", "coupon"), to("customer", "customer")],
    customer: &["customer", "customer_account"],
    events: &[("promotion_code.created", Effect::Creation), ("promotion_code.updated", Effect::Change)],
    // The same of a code, which carries its coupon in versions of before 2025-09-30.
    silent: &["active", "coupon", "promotion", "times_redeemed"],
    ..KindRow::new("promotion_code", "promotion_codes", "promotion_codes")
};

pub(super) const TAX_RATE: KindRow = KindRow {
    permission: Some("rak_tax_rate_read"),
    id_prefixes: &["txr"],
    list_filters: Some(&["created", "active", "inclusive"]),
    labels: &["display_name", "description", "jurisdiction"],
    events: &[("tax_rate.created", Effect::Creation), ("tax_rate.updated", Effect::Change)],
    ..KindRow::new("tax_rate", "tax_rates", "tax_rates")
};

pub(super) const PAYMENT_LINK: KindRow = KindRow {
    permission: Some("rak_payment_links_read"),
    says_when_made: false,
    id_prefixes: &["plink"],
    list_filters: Some(&["active"]),
    labels: &["url"],
    lists: &[list("line_items", PRICE_OF_ITEM)],
    events: &[("payment_link.created", Effect::Creation), ("payment_link.updated", Effect::Change)],
    ..KindRow::new("payment_link", "payment_links", "payment_links")
};

pub(super) const METER: KindRow = KindRow {
    permission: Some("rak_billing_meter_read"),
    id_prefixes: &["mtr"],
    list_filters: Some(&["status"]),
    statuses: &["active", "inactive"],
    labels: &["display_name", "event_name"],
    events: &[
        ("billing.meter.created", Effect::Creation),
        ("billing.meter.deactivated", Effect::ChangeOf(&["status"])),
        ("billing.meter.reactivated", Effect::ChangeOf(&["status"])),
        ("billing.meter.updated", Effect::Change),
    ],
    ..KindRow::new("billing.meter", "meters", "billing/meters")
};
