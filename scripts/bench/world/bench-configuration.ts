/** The address of the server of a target. */
export interface ServerAddress {
  readonly host?: string;
  readonly port: number;
  /** PEM file of the authority to trust. Default: the well-known ones. */
  readonly caFile?: string;
}

export interface Configured {
  /** Each is the name of a target, of its account and of the secret that it publishes. */
  readonly ids: readonly string[];
  readonly vaultUrl: string;
  readonly adminSecret: string;
  readonly serverOf: (id: string) => ServerAddress;
}

/** keyturn.yaml as an object: JSON is YAML. The policy has the default distances of retries. */
export function makeConfiguration({ ids, vaultUrl, adminSecret, serverOf }: Configured): object {
  const targetOf = (id: string) => {
    const { host = "127.0.0.1", port, caFile } = serverOf(id);
    return {
      type: "postgresql",
      options: { host, port, ...(caFile !== undefined && { tls: { caFile } }) },
      accounts: [id],
      admin: { secret: adminSecret },
      publish: id,
    };
  };
  return {
    version: 1,
    vaults: { main: { url: vaultUrl } },
    policies: { default: { every: "90d" } },
    targets: Object.fromEntries(ids.map((id) => [id, targetOf(id)])),
  };
}
