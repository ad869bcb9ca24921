// better-auth with a PostgreSQL, its session cache in Redis, argon2id at the cost of the product, two workers.
import cluster from "node:cluster";
import { createServer } from "node:http";
import { hash, verify } from "@node-rs/argon2";
import { betterAuth } from "better-auth";
import { bearer } from "better-auth/plugins";
import { toNodeHandler } from "better-auth/node";
import { getMigrations } from "better-auth/db/migration";
import { Redis } from "ioredis";
import pg from "pg";

const cost = { algorithm: 2, timeCost: 2, memoryCost: 19456, parallelism: 1 };
const redis = new Redis({ path: process.env.REDIS_PATH });
const options = {
  baseURL: "https://localhost",
  secret: process.env.SECRET_KEY,
  database: new pg.Pool({
    host: "127.0.0.1", port: Number(process.env.DB_PORT), user: "postgres", database: process.env.DB_NAME, max: 4,
  }),
  secondaryStorage: {
    get: (key) => redis.get(key),
    set: (key, value, ttl) => (ttl ? redis.set(key, value, "EX", ttl) : redis.set(key, value)),
    delete: async (key) => { await redis.del(key); },
    getAndDelete: (key) => redis.getdel(key),
    increment: async (key, ttl) => {
      const replies = await redis.multi().set(key, 0, "EX", ttl, "NX").incr(key).exec();
      return replies[1][1];
    },
  },
  session: { storeSessionInDatabase: true },
  emailAndPassword: {
    enabled: true,
    password: { hash: (password) => hash(password, cost), verify: ({ hash: stored, password }) => verify(stored, password) },
  },
  advanced: { ipAddress: { ipAddressHeaders: ["x-forwarded-for"] } },
  telemetry: { enabled: false },
  logger: { disabled: true },
  plugins: [bearer()],
};

if (process.argv[2] === "migrate") {
  const { runMigrations } = await getMigrations(options);
  await runMigrations();
  process.exit(0);
}
if (cluster.isPrimary) {
  for (let number = 0; number < 2; number++) cluster.fork();
  process.on("SIGTERM", () => { for (const worker of Object.values(cluster.workers)) worker.kill(); process.exit(0); });
} else {
  createServer(toNodeHandler(betterAuth(options))).listen(Number(process.env.PORT), "127.0.0.1");
}
