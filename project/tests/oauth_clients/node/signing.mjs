// A site with openid-client that signs everything: pushed requests, private_key_jwt and DPoP. It shows its login as JSON.
import { createServer } from "node:http";
import * as oidc from "openid-client";
import { authentication, holder, idTokens } from "./keys.mjs";

const { ISSUER, CLIENT_ID, PORT } = process.env;
const home = `http://127.0.0.1:${PORT}`;
const config = await oidc.discovery(new URL(ISSUER), CLIENT_ID, idTokens, await authentication(oidc));
const bound = await holder(oidc, config);
const seen = [];
config[oidc.customFetch] = async (address, options) => {
  const response = await fetch(address, options);
  seen.push([new URL(address).pathname, response.status, response.headers.has("DPoP-Nonce")]);
  return response;
};

let asked = {};
let login = null;

const pages = {
  "/": () => ({ login, seen }),
  "/login": async () => {
    const verifier = oidc.randomPKCECodeVerifier();
    asked = { pkceCodeVerifier: verifier, expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce() };
    const parameters = {
      redirect_uri: `${home}/callback`,
      scope: "openid email offline_access",
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      state: asked.expectedState,
      nonce: asked.expectedNonce,
    };
    return { to: (await oidc.buildAuthorizationUrlWithPAR(config, parameters, bound)).href };
  },
  "/callback": async (url) => {
    const tokens = await oidc.authorizationCodeGrant(config, url, { ...asked, idTokenExpected: true }, undefined, bound);
    const claims = tokens.claims();
    const userinfo = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub, bound);
    login = { claims, userinfo, tokens };
    return { to: `${home}/` };
  },
  "/refresh": async () => {
    const tokens = await oidc.refreshTokenGrant(config, login.tokens.refresh_token, undefined, bound);
    const userinfo = await oidc.fetchUserInfo(config, tokens.access_token, login.claims.sub, bound);
    return { userinfo, isNew: tokens.access_token !== login.tokens.access_token, type: tokens.token_type };
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
    response.end(JSON.stringify({ error: problem.error, message: problem.message, code: problem.code, seen }));
  }
}).listen(Number(PORT), "127.0.0.1");
