// oidc-provider with its documented Redis adapter, two workers. Nothing of it is durable.
import cluster from "node:cluster";
import { generateKeyPairSync } from "node:crypto";
import { Redis } from "ioredis";
import { Provider } from "oidc-provider";

const redis = new Redis({ path: process.env.REDIS_PATH, keyPrefix: "oidc:" });
const consumable = new Set(["AuthorizationCode", "RefreshToken", "DeviceCode", "BackchannelAuthenticationRequest"]);
const grantable = new Set(["AccessToken", ...consumable]);

class RedisAdapter {
  constructor(name) { this.name = name; }
  key(id) { return `${this.name}:${id}`; }
  async upsert(id, payload, expiresIn) {
    const key = this.key(id);
    const multi = redis.multi();
    if (consumable.has(this.name)) multi.hset(key, { payload: JSON.stringify(payload) });
    else multi.set(key, JSON.stringify(payload));
    if (expiresIn) multi.expire(key, expiresIn);
    if (grantable.has(this.name) && payload.grantId) {
      const grant = `grant:${payload.grantId}`;
      multi.rpush(grant, key);
      const ttl = await redis.ttl(grant);
      if (expiresIn > ttl) multi.expire(grant, expiresIn);
    }
    await multi.exec();
  }
  async find(id) {
    if (!consumable.has(this.name)) {
      const found = await redis.get(this.key(id));
      return found ? JSON.parse(found) : undefined;
    }
    const { payload, ...rest } = await redis.hgetall(this.key(id));
    return payload ? { ...rest, ...JSON.parse(payload) } : undefined;
  }
  async consume(id) { await redis.hset(this.key(id), "consumed", Math.floor(Date.now() / 1000)); }
  async destroy(id) { await redis.del(this.key(id)); }
  async revokeByGrantId(grantId) {
    const multi = redis.multi();
    const grant = `grant:${grantId}`;
    for (const key of await redis.lrange(grant, 0, -1)) multi.del(key);
    multi.del(grant);
    await multi.exec();
  }
}

const LONG = 24 * 3600;
const web = {
  client_id: "web", client_secret: process.env.CLIENT_SECRET, redirect_uris: ["https://rp.example/callback"],
  grant_types: ["authorization_code", "refresh_token"], response_types: ["code"],
};
const service = {
  client_id: "service", client_secret: process.env.CLIENT_SECRET, redirect_uris: [],
  grant_types: ["client_credentials"], response_types: [],
};

function newKeys() {
  const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" });
  const rsa = generateKeyPairSync("rsa", { modulusLength: 3072 }).privateKey.export({ format: "jwk" });
  return [{ ...ec, alg: "ES256", use: "sig" }, { ...rsa, alg: "RS256", use: "sig" }];
}

function makeProvider(keys) {
  const provider = new Provider("https://localhost", {
    adapter: RedisAdapter,
    clients: [web, service],
    jwks: { keys },
    cookies: { keys: [process.env.SECRET_KEY] },
    findAccount: (_ctx, id) => ({ accountId: id, claims: async () => ({ sub: id, name: "Person" }) }),
    claims: { openid: ["sub"], profile: ["name"] },
    scopes: ["openid", "offline_access", "orders:read"],
    rotateRefreshToken: true,
    issueRefreshToken: async () => true,
    ttl: { AuthorizationCode: LONG, AccessToken: 600, ClientCredentials: 600, RefreshToken: LONG, Grant: LONG, IdToken: 600 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: (ctx) => (ctx.oidc.client?.clientId === "service" ? "https://api.example" : undefined),
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: "orders:read", audience: "https://api.example", accessTokenFormat: "jwt", jwt: { sign: { alg: "ES256" } },
        }),
      },
    },
  });
  provider.proxy = true;
  return provider;
}

async function seed(number, tokens) {
  const provider = makeProvider(newKeys());
  const client = await provider.Client.find("web");
  const authTime = Math.floor(Date.now() / 1000);
  async function granted(accountId, scope) {
    const grant = new provider.Grant({ accountId, clientId: "web" });
    grant.addOIDCScope(scope);
    return { accountId, client, grantId: await grant.save(LONG), scope, authTime, gty: "authorization_code" };
  }
  async function one(index) {
    const values = await granted(`person${index}`, "profile offline_access");
    const refresh = await new provider.RefreshToken(values).save(LONG);
    const code = await new provider.AuthorizationCode({
      ...(await granted(`person${index}`, "profile offline_access")), redirectUri: web.redirect_uris[0],
      codeChallenge: process.env.CODE_CHALLENGE, codeChallengeMethod: "S256",
    }).save(LONG);
    return [refresh, code];
  }
  const pairs = [];
  for (let begin = 0; begin < number; begin += 200) {
    pairs.push(...await Promise.all(Array.from({ length: Math.min(200, number - begin) }, (_each, index) => one(begin + index))));
  }
  const access = [];
  for (let index = 0; index < tokens; index++) {
    const values = await granted(`person${index}`, "openid profile");
    access.push(await new provider.AccessToken({ ...values, expiresIn: LONG }).save(LONG));
  }
  const values = { refresh: pairs.map((pair) => pair[0]), codes: pairs.map((pair) => pair[1]), access };
  // A pipe takes the text in parts.
  process.stdout.write(`${JSON.stringify(values)}\n`, () => process.exit(0));
}

if (process.argv[2] === "seed") {
  await seed(Number(process.argv[3]), Number(process.argv[4]));
} else if (cluster.isPrimary) {
  const keys = newKeys();
  for (let number = 0; number < 2; number++) cluster.fork({ KEYS: JSON.stringify(keys) });
  process.on("SIGTERM", () => { for (const worker of Object.values(cluster.workers)) worker.kill(); process.exit(0); });
} else {
  makeProvider(JSON.parse(process.env.KEYS)).listen(Number(process.env.PORT), "127.0.0.1");
}
