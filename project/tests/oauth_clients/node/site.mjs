// A site with openid-client. It keeps one login, and shows what it knows as JSON.
import { createServer } from "node:http";
import * as oidc from "openid-client";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, PORT } = process.env;
const home = `http://127.0.0.1:${PORT}`;
const config = await oidc.discovery(new URL(ISSUER), CLIENT_ID, CLIENT_SECRET);

let asked = {};
let login = null;

async function begin(more) {
  const verifier = oidc.randomPKCECodeVerifier();
  asked = { pkceCodeVerifier: verifier, expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce() };
  return oidc.buildAuthorizationUrl(config, {
    redirect_uri: `${home}/callback`,
    scope: "openid profile email",
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state: asked.expectedState,
    nonce: asked.expectedNonce,
    ...more,
  }).href;
}

const pages = {
  "/": () => ({ login }),
  "/login": async (url) => ({ to: await begin(Object.fromEntries(url.searchParams)) }),
  "/callback": async (url) => {
    const tokens = await oidc.authorizationCodeGrant(config, url, { ...asked, idTokenExpected: true });
    const claims = tokens.claims();
    const userinfo = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
    login = { claims, userinfo, tokens };
    return { to: `${home}/` };
  },
  "/refresh": async () => {
    const tokens = await oidc.refreshTokenGrant(config, login.tokens.refresh_token);
    const userinfo = await oidc.fetchUserInfo(config, tokens.access_token, login.claims.sub);
    const isNew = tokens.access_token !== login.tokens.access_token;
    login = { ...login, userinfo, tokens: { ...login.tokens, ...tokens } };
    return { userinfo, isNew };
  },
  "/logout": () => {
    const hint = login.tokens.id_token;
    login = null;
    return { to: oidc.buildEndSessionUrl(config, { id_token_hint: hint, post_logout_redirect_uri: `${home}/` }).href };
  },
};

createServer(async (request, response) => {
  const url = new URL(request.url, home);
  const page = pages[url.pathname];
  if (!page) return response.writeHead(404).end();
  try {
    const { to, ...shown } = await page(url);
    if (to) return response.writeHead(302, { Location: to }).end();
    response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(shown));
  } catch (problem) {
    response.writeHead(500, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ error: problem.error, message: problem.message, code: problem.code }));
  }
}).listen(Number(PORT), "127.0.0.1");
