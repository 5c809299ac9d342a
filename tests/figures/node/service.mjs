// A webhook service as one would write it in Node with Express 5: POST /<stage> takes a question, gives the stage's part
// of the decision.
import express from "express";

import { decide, partOf } from "./logic.mjs";

const application = express();
application.disable("x-powered-by");
application.disable("etag");
application.use(express.json({ limit: "2mb" }));
application.get("/readyz", (_request, response) => response.json({ ready: true }));
application.post("/:stage", (request, response) => {
  const part = partOf(decide(request.body), request.params.stage);
  if (part === undefined) return response.status(404).json({ error: "no such stage" });
  response.json(part);
});

const [host, port] = process.env.CARTWRIGHT_LISTEN.split(":");
const server = application.listen(Number(port), host);
// The asking side keeps its connections for as long as it likes, also while this process is stopped.
server.keepAliveTimeout = 0;
server.requestTimeout = 0;
server.headersTimeout = 0;
