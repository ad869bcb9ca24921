// oidc-provider with one client that acts for itself, for project/benchmarks/oauth_resource.py.
// Arguments: port, URI of the resource server, format of its access tokens (jwt or opaque).
import Provider from "oidc-provider";

const [port, resource, accessTokenFormat] = process.argv.slice(2);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: "bench",
      client_secret: "bench-secret-of-at-least-thirty-two-characters",
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
    },
  ],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    introspection: { enabled: true, allowedPolicy: () => true },
    revocation: { enabled: true, allowedPolicy: () => true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      getResourceServerInfo: () => ({
        scope: "notes:read",
        audience: resource,
        accessTokenTTL: 600,
        accessTokenFormat,
        ...(accessTokenFormat === "jwt" ? { jwt: { sign: { alg: "RS256" } } } : {}),
      }),
    },
  },
  scopes: ["notes:read"],
});
provider.listen(Number(port), "127.0.0.1", () => console.log("listening"));
