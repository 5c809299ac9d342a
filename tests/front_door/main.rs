//! Scenarios through the front door: HTTP in, answers and mails out.

mod bad_input;
mod browser;
mod command;
mod coupons;
mod decisions;
mod events;
mod goods;
mod hostile;
mod independent_mail;
mod intake;
mod jobs;
mod limits;
mod mail;
mod mail_feedback;
mod outside;
mod postgres;
mod privacy;
mod readmes;
mod reload;
mod rooms;
mod sqlite_backup;
mod standard_webhooks;
mod timeline;
mod webhooks_out;
mod wire;
mod woocommerce;
