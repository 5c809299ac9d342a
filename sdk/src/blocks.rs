//! Filling a page, in `content`. Needs no grant.
//!
//! A placement is `main`, `footer`, or the page's own name for a place.

use crate::raw::blocks as raw;
use crate::types::{Block, Notice, Recommendation, Text};

impl Recommendation {
    /// Recommends a product, by its id, in the place `main`.
    pub fn new(product: &str) -> Self {
        Self { product: product.to_owned(), reason: None, placement: "main".to_owned() }
    }

    /// Why, for the shopper.
    pub fn because(mut self, reason: Text) -> Self {
        self.reason = Some(reason);
        self
    }

    /// Where on the page.
    pub fn placement(mut self, placement: &str) -> Self {
        placement.clone_into(&mut self.placement);
        self
    }

    /// Shows it.
    pub fn show(&self) {
        raw::recommend(self);
    }
}

impl Notice {
    /// A line of information in the place `main`.
    pub fn new(id: &str, text: Text) -> Self {
        Self { id: id.to_owned(), text, severity: "info".to_owned(), placement: "main".to_owned() }
    }

    /// Good news.
    pub fn success(mut self) -> Self {
        "success".clone_into(&mut self.severity);
        self
    }

    /// Something to look out for.
    pub fn warning(mut self) -> Self {
        "warning".clone_into(&mut self.severity);
        self
    }

    /// Where on the page.
    pub fn placement(mut self, placement: &str) -> Self {
        placement.clone_into(&mut self.placement);
        self
    }

    /// Shows it.
    pub fn show(&self) {
        raw::notice(self);
    }
}

impl Block {
    /// A paragraph in the place `main`.
    pub fn new(id: &str, body: Text) -> Self {
        Self {
            id: id.to_owned(),
            title: None,
            body,
            link: None,
            link_title: None,
            image: None,
            placement: "main".to_owned(),
        }
    }

    /// A heading above it.
    pub fn title(mut self, title: Text) -> Self {
        self.title = Some(title);
        self
    }

    /// A link below it; only to the shop's own and granted hosts.
    pub fn link(mut self, url: &str, title: Text) -> Self {
        self.link = Some(url.to_owned());
        self.link_title = Some(title);
        self
    }

    /// A picture, by its address.
    pub fn image(mut self, url: &str) -> Self {
        self.image = Some(url.to_owned());
        self
    }

    /// Where on the page.
    pub fn placement(mut self, placement: &str) -> Self {
        placement.clone_into(&mut self.placement);
        self
    }

    /// Shows it.
    pub fn show(&self) {
        raw::block(self);
    }
}
