// Verifies webhooks that the host really sent with the library of the Standard Webhooks project.
// Reads {"calls": [{"secret", "headers", "body", "now": Unix seconds}]} from the file named, and says how many fit.
import { readFileSync } from "node:fs";
import { Webhook } from "standardwebhooks";

const { calls } = JSON.parse(readFileSync(process.argv[2], "utf8"));
let fits = 0;
for (const { secret, headers, body, now } of calls) {
  // The library goes by the wall clock, the scenario by one that stands still.
  Date.now = () => now * 1000;
  const webhook = new Webhook(secret);
  webhook.verify(body, headers);
  mustFail("a changed body", () => webhook.verify(`${body} `, headers));
  mustFail("another id", () => webhook.verify(body, { ...headers, "webhook-id": "whk_other" }));
  mustFail("another secret", () => new Webhook(`whsec_${btoa("x".repeat(32))}`).verify(body, headers));
  Date.now = () => (now + 3600) * 1000;
  mustFail("an hour later", () => webhook.verify(body, headers));
  fits += 1;
}
console.log(`${fits} fit`);

function mustFail(what, verify) {
  try {
    verify();
  } catch {
    return;
  }
  throw new Error(`${what} was taken`);
}
