// A storefront's client, generated from the host's description: paths, bodies and answers are all typed.
// It is checked by `tsc`, never run: what compiles here is what a storefront developer can write.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Answer = components["schemas"]["Answer"];
type Problem = components["schemas"]["Problem"];
type Product = components["schemas"]["CatalogEntry"];
type Order = components["schemas"]["Order"];

export function cartwright(baseUrl: string, key: string) {
  return createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });
}

type Client = ReturnType<typeof cartwright>;

/** What went wrong, in a sentence. */
function sentence(problem: Problem): string {
  const fields = problem.errors?.map((error) => `${error.path}: ${error.message}`) ?? [];
  return [`${problem.title} (${problem.status})`, problem.detail, ...fields].join("\n");
}

/** In the browser, with a publishable key. */
export async function deliveryOptions(client: Client, customerToken: string | null): Promise<Answer> {
  const { data, error } = await client.POST("/v1/hooks/checkout", {
    body: {
      cart: {
        id: "c-1",
        currency: "EUR",
        lines: [{ id: "1", product: "mug", title: "Mug", quantity: 2, unit_price: 1290 }],
        destination: { country: "PL", postcode: "30-001" },
      },
      customer_token: customerToken,
    },
  });
  if (error) throw new Error(sentence(error));
  for (const option of data.delivery_options) {
    const arrival: string = option.arrival_text ?? "";
    console.log(option.title, arrival, option.price.text);
  }
  if (data.refusals.length > 0) console.log(data.refusals.map((refusal) => refusal.text).join("\n"));
  return data;
}

/** A page that may be kept until the answer changes. */
export async function productPage(client: Client, product: string): Promise<Answer | undefined> {
  const { data } = await client.GET("/v1/hooks/product-page", { params: { query: { product, locale: "pl" } } });
  return data;
}

/** In the backend, with a secret key: the quote that was chosen goes back with the order. */
export async function place(client: Client, order: Order, chosen: Answer["delivery_options"][number]): Promise<string> {
  const { data, error, response } = await client.POST("/v1/hooks/order-placed", {
    params: { header: { "Idempotency-Key": `order-${order.id}-placed`, Prefer: "wait=5" } },
    body: {
      order: { ...order, ...(chosen.quote ? { quote: chosen.quote } : {}) },
      customer: { id: "42", first_name: "Ada", email: "ada@shop.example" },
    },
  });
  if (error) throw new Error(response.status === 409 ? `kept: ${error.event_id}` : sentence(error));
  return data.event_id;
}

/** One product on each line. */
export async function catalogue(client: Client, products: Product[]): Promise<number> {
  const { data, error } = await client.PUT("/v1/catalog/products", {
    headers: { "Content-Type": "application/x-ndjson" },
    body: products as never,
    bodySerializer: () => products.map((product) => JSON.stringify(product)).join("\n"),
  });
  if (error) throw new Error(sentence(error));
  data.errors.forEach((bad) => console.warn(`line ${bad.line}: ${bad.path}: ${bad.message}`));
  return data.stored;
}

export async function whatIsLive(client: Client): Promise<string[]> {
  const { data } = await client.GET("/v1/plugins");
  return data?.plugins.map((plugin) => `${plugin.name} ${plugin.version}: ${plugin.hooks.join(", ")}`) ?? [];
}

/** Upgrades that ask for more than the shop grants, or are refused for another reason. */
export async function whatWaits(client: Client): Promise<string[]> {
  const { data } = await client.GET("/v1/plugins");
  return (data?.plugins ?? []).flatMap(({ name, waiting }) =>
    waiting ? [`${name} ${waiting.version} also wants ${waiting.adds.permissions.join(", ")}: ${waiting.why}`] : [],
  );
}

// What must not compile, so that the types are known to say something.
export async function mistakes(client: Client): Promise<void> {
  // @ts-expect-error: there is no such path.
  await client.POST("/v1/hooks/chekout", { body: {} });
  // @ts-expect-error: a cart has a currency.
  await client.POST("/v1/hooks/cart", { body: { cart: { id: "c-1" } } });
  // @ts-expect-error: a quantity is a number.
  const line: components["schemas"]["Line"] = { id: "1", product: "mug", quantity: "2", unit_price: 1 };
  console.log(line);
}
