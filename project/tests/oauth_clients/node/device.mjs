// A program on a device, with openid-client. It prints what the person must do, and then what it got, as JSON.
import * as oidc from "openid-client";
import { authentication, holder, idTokens } from "./keys.mjs";

const { ISSUER, CLIENT_ID } = process.env;
const config = await oidc.discovery(new URL(ISSUER), CLIENT_ID, idTokens, await authentication(oidc));
const bound = await holder(oidc, config);
const statuses = [];
config[oidc.customFetch] = async (...request) => {
  const response = await fetch(...request);
  statuses.push(response.status);
  return response;
};

const asked = await oidc.initiateDeviceAuthorization(config, { scope: "openid email offline_access" });
console.log(JSON.stringify(asked));
try {
  const tokens = await oidc.pollDeviceAuthorizationGrant(config, asked, undefined, bound);
  const claims = tokens.claims();
  const userinfo = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub, bound);
  const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token, undefined, bound);
  const isNew = refreshed.access_token !== tokens.access_token;
  console.log(JSON.stringify({ claims, userinfo, isNew, type: tokens.token_type, statuses }));
} catch (problem) {
  console.log(JSON.stringify({ error: problem.error, message: problem.message, statuses }));
}
