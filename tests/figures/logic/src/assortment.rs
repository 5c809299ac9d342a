//! What the shop sells, and what goes with what.

pub struct Product {
    pub id: &'static str,
    pub goes_with: [&'static str; 3],
}

const fn product(id: &'static str, goes_with: [&'static str; 3]) -> Product {
    Product { id, goes_with }
}

pub const PRODUCTS: [Product; 24] = [
    product("apron", ["oven-glove", "rolling-pin", "cookbook"]),
    product("bowl", ["plate", "spoon", "tablecloth"]),
    product("bread-knife", ["bread-box", "chopping-board", "butter-dish"]),
    product("bread-box", ["bread-knife", "butter-dish", "tea-towel"]),
    product("butter-dish", ["bread-box", "plate", "bread-knife"]),
    product("candle", ["tablecloth", "vase", "napkin"]),
    product("carafe", ["glass", "napkin", "tray"]),
    product("chopping-board", ["bread-knife", "cookbook", "apron"]),
    product("coffee-grinder", ["coffee-pot", "mug", "tray"]),
    product("coffee-pot", ["coffee-grinder", "mug", "milk-jug"]),
    product("cookbook", ["apron", "chopping-board", "rolling-pin"]),
    product("glass", ["carafe", "napkin", "tray"]),
    product("milk-jug", ["coffee-pot", "teapot", "mug"]),
    product("mug", ["coffee-pot", "teapot", "tray"]),
    product("napkin", ["tablecloth", "plate", "candle"]),
    product("oven-glove", ["apron", "tea-towel", "rolling-pin"]),
    product("plate", ["bowl", "napkin", "tablecloth"]),
    product("rolling-pin", ["apron", "cookbook", "oven-glove"]),
    product("spoon", ["bowl", "plate", "mug"]),
    product("tablecloth", ["napkin", "candle", "plate"]),
    product("tea-towel", ["oven-glove", "apron", "teapot"]),
    product("teapot", ["mug", "milk-jug", "tea-towel"]),
    product("tray", ["mug", "carafe", "glass"]),
    product("vase", ["candle", "tablecloth", "tray"]),
];
