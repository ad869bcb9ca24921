// An agent with the official SDK of the Model Context Protocol. It writes a line of JSON whenever something happened.
import { createServer } from "node:http";
import { randomUUID } from "node:crypto";
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from "@modelcontextprotocol/client";

const { SERVER, CLIENT_ID, PORT } = process.env;
const callback = `http://127.0.0.1:${PORT}/callback`;
const say = (members) => console.log(JSON.stringify(members));

let arrive;
let arrived;
createServer((request, response) => {
  const url = new URL(request.url, callback);
  response.writeHead(200, { "Content-Type": "text/html" });
  response.end("<!doctype html><title>Agent</title><h1>Go back to the agent</h1>");
  if (url.pathname === "/callback") arrive(url.searchParams);
}).listen(Number(PORT), "127.0.0.1");

const kept = {};
const provider = {
  redirectUrl: callback,
  clientMetadataUrl: CLIENT_ID,
  clientMetadata: {
    client_name: "Agent",
    redirect_uris: [callback],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
  },
  state: () => (kept.state = randomUUID()),
  clientInformation: () => kept.client,
  saveClientInformation: (client) => void (kept.client = client),
  tokens: () => kept.tokens,
  saveTokens: (tokens) => void (kept.tokens = tokens),
  saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
  codeVerifier: () => kept.verifier,
  discoveryState: () => kept.discovery,
  saveDiscoveryState: (state) => void (kept.discovery = state),
  redirectToAuthorization: (url) => {
    arrived = new Promise((resolve) => (arrive = resolve));
    say({ open: url.href });
  },
};

// Does something as soon as the person has allowed it.
async function allowed(transport, act) {
  try {
    return await act();
  } catch (problem) {
    if (!(problem instanceof UnauthorizedError)) throw problem;
    const answer = await arrived;
    if (answer.get("state") !== kept.state) throw new Error("The state is another one.");
    await transport.finishAuth(answer);
    return await act();
  }
}

let transport = new StreamableHTTPClientTransport(new URL(SERVER), { authProvider: provider });
const client = new Client({ name: "agent", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } });
const first = transport;
await allowed(first, () => {
  transport = new StreamableHTTPClientTransport(new URL(SERVER), { authProvider: provider });
  return client.connect(kept.tokens ? transport : first);
});
say({ revision: client.getNegotiatedProtocolVersion() });
say({ tools: (await client.listTools()).tools.map((tool) => tool.name) });
const given = () => ({ scope: kept.tokens.scope, token: kept.tokens.access_token });
const call = async (name, args) => (await client.callTool({ name, arguments: args })).structuredContent;
say({ read: await call("read_notes", {}), ...given() });
say({ added: await allowed(transport, () => call("add_note", { text: "hello" })), ...given() });
say({ read: await call("read_notes", {}), client_id: kept.client.client_id });
process.exit(0);
