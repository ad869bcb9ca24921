// The key of a client, if it has one: it authenticates with it, and its tokens are bound to another one.
const { KEY } = process.env;
const algorithm = { name: "ECDSA", namedCurve: "P-256" };

export const idTokens = KEY ? { id_token_signed_response_alg: "ES256" } : undefined;

export async function authentication(oidc) {
  if (!KEY) return oidc.None();
  const jwk = JSON.parse(KEY);
  return oidc.PrivateKeyJwt({ key: await crypto.subtle.importKey("jwk", jwk, algorithm, false, ["sign"]), kid: jwk.kid });
}

export async function holder(oidc, config) {
  return KEY ? { DPoP: oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair("ES256")) } : undefined;
}
