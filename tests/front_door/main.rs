//! Scenarios through the front door: HTTP in, answers and mails out.

mod browser;
mod command;
mod coupons;
mod decisions;
mod events;
mod goods;
mod intake;
mod jobs;
mod postgres;
mod privacy;
mod readmes;
mod reload;
mod rooms;
mod standard_webhooks;
mod timeline;
mod webhooks_out;
mod wire;
mod woocommerce;
