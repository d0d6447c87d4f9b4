import { afterAll, beforeAll, beforeEach, expect } from "vitest";
import { expectNoTrace, failure } from "../../conformance/errors.ts";
import { appIdentity } from "../../conformance/identity.ts";
import { toDisplayName } from "../../shared/rotators/entra-app/entra-app-secrets.ts";
import type { Discard, Mint } from "../../shared/rotators/rotator.ts";
import { type EntraBench, startEntraBench } from "../contract/rotators/entra-app-bench.ts";
import type { GraphDoubleOptions, GraphRole } from "../doubles/graph/server.ts";

export const patience = () => AbortSignal.timeout(20_000);
export const mark = { targetId: "orders", rotationId: "01HX0000000000000000000001" };

/** The name of a secret of the target, from another rotation. */
export const ownName = (number: number) =>
  toDisplayName({
    ...mark,
    rotationId: `01HX00000000000000000001${String(number).padStart(2, "0")}`,
  });

export const foreignName = toDisplayName({ ...mark, targetId: "orders-db" });

export type Kind = abstract new (...args: never[]) => Error;
export type Credential = ReturnType<EntraBench["toCredential"]>;

type Minted = Partial<Omit<Mint<unknown>, "options">> & {
  readonly role?: GraphRole;
  readonly changed?: object;
};

type Ending = Partial<Omit<Discard<unknown>, "options" | "ended" | "keep">> & {
  readonly ids?: readonly string[];
  readonly superseded?: Credential;
};

/** One application for a test file, which each test finds without secrets. */
export function useEntra(doubleOptions: GraphDoubleOptions = { hostile: true }) {
  let bench: EntraBench;
  beforeAll(async () => {
    bench = await startEntraBench(doubleOptions);
  });
  afterAll(() => bench.graph.close());
  beforeEach(() => {
    const { application, faults, requests, logIns, directory } = bench.graph;
    for (const keyId of bench.ids()) bench.graph.remove(keyId);
    faults.clear();
    requests.splice(0);
    Object.assign(application, {
      signInAudience: "AzureADMyOrg",
      policy: undefined,
      isDeleted: false,
      accountEnabled: true,
      disabledByMicrosoftStatus: null,
      owners: ["keyturn"],
    });
    logIns.blocksAddress = false;
    directory.tenantRules = { id: "default", displayName: "rules", isEnabled: false };
  });

  function mint({ role, changed, ...call }: Minted = {}, signal = patience()) {
    const options = bench.optionsWith(changed);
    const { account } = bench;
    const made = bench
      .rotator(role)
      .mint?.({ options, account, using: appIdentity, mark, ...call }, signal);
    if (!made) throw new Error("no mint");
    return made;
  }

  function discard(
    keep: Credential,
    { ids = [], superseded, ...call }: Ending = {},
    signal = patience(),
    on = bench,
  ) {
    const ended = { targetId: mark.targetId, ids, ...(superseded && { superseded }) };
    const options = on.optionsWith();
    const done = on
      .rotator()
      .discard?.({ options, using: appIdentity, keep, ended, ...call }, signal);
    if (!done) throw new Error("no discard");
    return done;
  }

  return {
    get bench() {
      return bench;
    },
    get graph() {
      return bench.graph;
    },
    mint,
    discard,
    /** The requests to such paths. */
    sent: (what: string) => bench.graph.requests.filter(({ path }) => path.endsWith(what)),
    /** The error has the kind and the words, and no text that the hostile double repeats. */
    async fails(attempt: Promise<unknown>, kind: Kind, words = ""): Promise<void> {
      const error = await failure(attempt);
      expect(error).toBeInstanceOf(kind);
      expect(error.message).toContain(words);
      const texts = bench.graph.application.secrets.map(({ text }) => text);
      expectNoTrace(error, [...texts, mark.rotationId]);
    },
  };
}

/** What a call says of the published secret. */
export const publishing = (credential: Credential) => ({
  published: credential,
  publishedText: credential.secret,
});
