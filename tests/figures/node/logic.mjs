// The reference logic in JavaScript, the same as logic/src: the benchmark compares their answers before it measures.

const PRODUCTS = [
  ["apron", ["oven-glove", "rolling-pin", "cookbook"]],
  ["bowl", ["plate", "spoon", "tablecloth"]],
  ["bread-knife", ["bread-box", "chopping-board", "butter-dish"]],
  ["bread-box", ["bread-knife", "butter-dish", "tea-towel"]],
  ["butter-dish", ["bread-box", "plate", "bread-knife"]],
  ["candle", ["tablecloth", "vase", "napkin"]],
  ["carafe", ["glass", "napkin", "tray"]],
  ["chopping-board", ["bread-knife", "cookbook", "apron"]],
  ["coffee-grinder", ["coffee-pot", "mug", "tray"]],
  ["coffee-pot", ["coffee-grinder", "mug", "milk-jug"]],
  ["cookbook", ["apron", "chopping-board", "rolling-pin"]],
  ["glass", ["carafe", "napkin", "tray"]],
  ["milk-jug", ["coffee-pot", "teapot", "mug"]],
  ["mug", ["coffee-pot", "teapot", "tray"]],
  ["napkin", ["tablecloth", "plate", "candle"]],
  ["oven-glove", ["apron", "tea-towel", "rolling-pin"]],
  ["plate", ["bowl", "napkin", "tablecloth"]],
  ["rolling-pin", ["apron", "cookbook", "oven-glove"]],
  ["spoon", ["bowl", "plate", "mug"]],
  ["tablecloth", ["napkin", "candle", "plate"]],
  ["tea-towel", ["oven-glove", "apron", "teapot"]],
  ["teapot", ["mug", "milk-jug", "tea-towel"]],
  ["tray", ["mug", "carafe", "glass"]],
  ["vase", ["candle", "tablecloth", "tray"]],
];
const FREE_FROM = 30000;
const CASH_GRAMS = 2000;
const WAYS = [
  ["economy", "post", "Post", 990, 100],
  ["standard", "home", "Courier", 1490, 150],
  ["express", "home", "Courier", 2990, 250],
];
const NOTHING = { inCart: 0, bought: 0 };

function basketOf({ cart, customer }) {
  const seen = new Map();
  const entry = (product) => {
    let known = seen.get(product);
    if (known === undefined) seen.set(product, (known = { inCart: 0, bought: 0 }));
    return known;
  };
  let subtotal = 0;
  let grams = 0;
  for (const line of cart.lines) {
    entry(line.product).inCart += line.quantity;
    subtotal += line.unit_price * line.quantity;
    grams += (line.weight_grams ?? 0) * line.quantity;
  }
  const orders = customer?.orders ?? [];
  let spent = 0;
  for (const order of orders) {
    spent += order.total;
    for (const product of order.products ?? []) entry(product).bought += 1;
  }
  const usual = Math.trunc(spent / Math.max(orders.length, 1));
  return { subtotal, grams, pastOrders: orders.length, usual, of: (product) => seen.get(product) ?? NOTHING };
}

function discountsOf(basket, lines) {
  if (basket.pastOrders === 0) return [];
  let favourite;
  let most = 0;
  for (const line of lines) {
    const { bought } = basket.of(line.product);
    if (bought > most) [favourite, most] = [line, bought];
  }
  const discounts = [];
  if (favourite !== undefined) {
    const title = { key: "favourite", fallback: "Your favourite", argument: { count: most } };
    discounts.push({ id: "favourite", title, line: favourite.id, basis_points: 1000 });
  }
  const title = { key: "returning", fallback: "Thank you for coming back", argument: { count: basket.pastOrders } };
  discounts.push({ id: "returning", title, line: null, basis_points: Math.min(basket.pastOrders * 50, 500) });
  return discounts;
}

function worth(discount, basket, lines) {
  let of = basket.subtotal;
  if (discount.line !== null) {
    const line = lines.find((line) => line.id === discount.line);
    of = line.unit_price * line.quantity;
  }
  return Math.trunc((of * discount.basis_points) / 10000);
}

function deliveryOf(basket, cart, discounted) {
  const zone = cart.destination && cart.destination.country !== "PL" ? 3 : 1;
  const kilos = Math.ceil(basket.grams / 1000);
  const freeFrom = basket.pastOrders > 0 ? Math.min(FREE_FROM, basket.usual) : FREE_FROM;
  const missing = Math.max(freeFrom - discounted, 0);
  return WAYS.map(([id, kind, carrier, base, eachKilo], place) => {
    const price = place === 0 && missing === 0 ? 0 : (base + eachKilo * kilos) * zone;
    const title = { key: id, fallback: id, argument: { money: place === 0 ? missing : price } };
    return { id, title, kind, carrier, price };
  });
}

function recommendationsOf(basket) {
  const ranked = [];
  PRODUCTS.forEach(([id, goesWith], place) => {
    if (basket.of(id).inCart > 0) return;
    let fit = -2 * basket.of(id).bought;
    for (const other of goesWith) {
      const { inCart, bought } = basket.of(other);
      fit += inCart * 3 + bought;
    }
    ranked.push([fit, place]);
  });
  ranked.sort(([fit, place], [otherFit, otherPlace]) => otherFit - fit || place - otherPlace);
  return ranked.slice(0, 4).map(([, place]) => {
    const [product, goesWith] = PRODUCTS[place];
    const other = goesWith.find((other) => basket.of(other).inCart > 0) ?? goesWith[0];
    return { product, reason: { key: "goes-with", fallback: "Goes well with it", argument: { product: other } } };
  });
}

export function decide(question) {
  const { cart } = question;
  const basket = basketOf(question);
  const discounts = discountsOf(basket, cart.lines);
  const off = discounts.reduce((sum, discount) => sum + worth(discount, basket, cart.lines), 0);
  return {
    discounts,
    delivery: deliveryOf(basket, cart, basket.subtotal - off),
    recommendations: recommendationsOf(basket),
    hidden_payments: basket.grams > CASH_GRAMS ? [{ id: "cod", reason: "too heavy for cash on delivery" }] : [],
  };
}

const PARTS = { pricing: "discounts", delivery: "delivery", content: "recommendations", review: "hidden_payments" };

export function partOf(decision, stage) {
  const part = PARTS[stage];
  if (part === undefined) return undefined;
  return decision[part].length > 0 ? { [part]: decision[part] } : {};
}
