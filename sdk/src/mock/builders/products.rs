//! Products of the catalogue.

use crate::types::Product;

/// A product in stock, for 10.00 EUR.
pub fn product(id: &str) -> ProductBuilder {
    ProductBuilder(Product {
        id: id.to_owned(),
        title: id.to_owned(),
        url: Some(format!("https://shop.example/{id}")),
        image: None,
        currency: "EUR".into(),
        price: 1000,
        in_stock: true,
        tags: Vec::new(),
        category: None,
    })
}

/// A product being built; taken wherever a product is.
#[derive(Debug, Clone)]
pub struct ProductBuilder(Product);

impl ProductBuilder {
    /// The title; else the id.
    pub fn title(mut self, title: &str) -> Self {
        title.clone_into(&mut self.0.title);
        self
    }

    /// The price in minor units.
    pub fn price(mut self, amount: i64) -> Self {
        self.0.price = amount;
        self
    }

    /// It cannot be had.
    pub fn out_of_stock(mut self) -> Self {
        self.0.in_stock = false;
        self
    }

    /// One more tag.
    pub fn tagged(mut self, tag: &str) -> Self {
        self.0.tags.push(tag.to_owned());
        self
    }

    /// The category.
    pub fn category(mut self, category: &str) -> Self {
        self.0.category = Some(category.to_owned());
        self
    }

    /// Changes anything else.
    pub fn with(mut self, change: impl FnOnce(&mut Product)) -> Self {
        change(&mut self.0);
        self
    }

    /// The product.
    pub fn build(self) -> Product {
        self.0
    }
}

impl From<ProductBuilder> for Product {
    fn from(builder: ProductBuilder) -> Self {
        builder.build()
    }
}
