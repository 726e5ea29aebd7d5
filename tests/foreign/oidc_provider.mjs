// An OpenID Connect provider by others (oidc-provider): lets anybody in who types a name of its own.
//
// Argument: one JSON object
//   port      of 127.0.0.1
//   redirect  where its one client is led back to
//   secret    of that client, "qulink"
//   accounts  claims by subject
import Provider from "oidc-provider";

const options = JSON.parse(process.argv[2]);
const provider = new Provider(`http://127.0.0.1:${options.port}`, {
  clients: [
    {
      client_id: "qulink",
      client_secret: options.secret,
      redirect_uris: [options.redirect],
      response_types: ["code"],
      grant_types: ["authorization_code"],
    },
  ],
  claims: { openid: ["sub"], profile: ["name", "preferred_username"], groups: ["groups"] },
  scopes: ["openid", "profile", "groups"],
  cookies: { keys: ["of a test"] },
  pkce: { required: () => true },
  findAccount: async (_, subject) => ({
    accountId: subject,
    claims: async () => ({ sub: subject, ...options.accounts[subject] }),
  }),
});
provider.listen(options.port, "127.0.0.1");
