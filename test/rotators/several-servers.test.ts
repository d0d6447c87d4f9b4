import { describe, expect, test } from "vitest";
import {
  AuthorityRefusedError,
  ChangeRefusedError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../shared/core/errors.ts";
import {
  changeAll,
  type ChangeSteps,
  setBackAll,
  type SetBackSteps,
  verifyAll,
} from "../../shared/rotators/common/several/several-servers.ts";

/** A server with one account, and what its next changes do instead of working. */
interface Fake {
  readonly name: string;
  secret: string;
  /** Each entry fails one change; with `done` the change takes effect nevertheless. */
  failures: { readonly error: Error; readonly done?: true }[];
  isDown: boolean;
}

const fake = (name: string, failures: Fake["failures"] = []): Fake => ({
  name,
  secret: "earlier",
  failures,
  isDown: false,
});

const down = new TargetUnavailableError("down");
const lost = new OutcomeUnknownError("lost");
const refused = new ChangeRefusedError("refused");

function stepsFor(log: string[] = []): ChangeSteps<Fake, void> & SetBackSteps<Fake> {
  const set = (server: Fake, secret: string) => {
    log.push(`${secret} ${server.name}`);
    const failure = server.failures.shift();
    if (failure === undefined || failure.done) server.secret = secret;
    return failure ? Promise.reject(failure.error) : Promise.resolve();
  };
  return {
    name: ({ name }) => name,
    check: (server) => {
      log.push(`check ${server.name}`);
      return server.isDown ? Promise.reject(down) : Promise.resolve();
    },
    change: (server) => set(server, "new"),
    set: (server) => set(server, "earlier"),
    logsIn: (server, which) => {
      log.push(`log in ${server.name}`);
      return server.isDown ? Promise.reject(down) : Promise.resolve(server.secret === which);
    },
  };
}

const never = new AbortController().signal;
const change = (servers: readonly Fake[], retryFor = 0, log: string[] = []) =>
  changeAll(servers, stepsFor(log), never, retryFor);
const secrets = (servers: readonly Fake[]) => servers.map(({ secret }) => secret);

async function failure(work: Promise<unknown>): Promise<Error> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof Error) return error;
  throw new Error("it did not fail");
}

describe("a change on several servers", () => {
  test("begins when all have passed the check", async () => {
    const log: string[] = [];
    await change([fake("a"), fake("b")], 0, log);
    expect(log).toEqual(["check a", "check b", "new a", "new b"]);
  });

  test("does not begin when one cannot be reached", async () => {
    const servers = [fake("a"), { ...fake("b"), isDown: true }];
    expect(await failure(change(servers))).toBe(down);
    expect(secrets(servers)).toEqual(["earlier", "earlier"]);
  });

  test.each([down, refused])(
    "that the first server refuses with %s has changed nothing",
    async (error) => {
      const servers = [fake("a", [{ error }]), fake("b")];
      expect(await failure(change(servers))).toBe(error);
      expect(secrets(servers)).toEqual(["earlier", "earlier"]);
    },
  );

  test("is repeated on a server that loses the reply", async () => {
    const servers = [fake("a"), fake("b", [{ error: lost, done: true }])];
    await change(servers, 3_000);
    expect(secrets(servers)).toEqual(["new", "new"]);
  });

  test("is not repeated on a server that refuses it", async () => {
    const log: string[] = [];
    const servers = [fake("a"), fake("b", [{ error: refused }])];
    await failure(change(servers, 3_000, log));
    expect(log.filter((line) => line === "new b")).toHaveLength(1);
  });

  test.each([
    [refused, "is not changed"],
    [lost, "may be changed"],
  ])("that ends with %s in between says which server is changed", async (why, state) => {
    const servers = [fake("a"), fake("b", [{ error: why }]), fake("c")];
    const error = await failure(change(servers));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error.cause).toBe(why);
    expect(error.message).toContain(`a is changed; b ${state}; c is not changed`);
    expect(secrets(servers)).toEqual(["new", "earlier", "earlier"]);
  });

  test("may have taken place if any try left that open, whatever a later one says", async () => {
    const servers = [fake("a"), fake("b", [{ error: lost, done: true }, { error: refused }])];
    const thrown = await failure(change(servers, 3_000));
    expect(thrown).toBeInstanceOf(OutcomeUnknownError);
    expect(thrown.message).toContain("a is changed; b may be changed");
  });

  test("of one server is not checked apart, and gives its error as it is", async () => {
    const log: string[] = [];
    const work = change([fake("a", [{ error: lost }])], 0, log);
    expect(await failure(work)).toBe(lost);
    expect(log).toEqual(["new a"]);
  });
});

describe("setting several servers back", () => {
  const changed = (name: string, failures: Fake["failures"] = []): Fake => ({
    ...fake(name, failures),
    secret: "new",
  });

  test("changes those that accept only the new secret, and proves it", async () => {
    const log: string[] = [];
    const servers = [changed("a"), fake("b")];
    expect(await setBackAll(servers, stepsFor(log))).toEqual([
      { server: "a", state: "accepts the earlier secret" },
      { server: "b", state: "accepts the earlier secret" },
    ]);
    expect(secrets(servers)).toEqual(["earlier", "earlier"]);
    const isAt = (name: string) => log.filter((one) => one.endsWith(name));
    expect(isAt("a")).toEqual(["log in a", "log in a", "earlier a", "log in a"]);
    expect(isAt("b")).toEqual(["log in b"]);
  });

  test("does not wait for a silent server before it changes the others", async () => {
    const silent = fake("a");
    const servers = [silent, changed("b")];
    const { promise: never, resolve } = Promise.withResolvers<boolean>();
    const { logsIn, ...steps } = stepsFor();
    const call = setBackAll(servers, {
      ...steps,
      logsIn: (server, which) => (server === silent ? never : logsIn(server, which)),
    });
    await expect.poll(() => secrets(servers)).toEqual(["earlier", "earlier"]);
    resolve(true);
    await expect(call).resolves.toHaveLength(2);
  });

  test("goes on when a server does not answer, refuses, or has lost both secrets", async () => {
    const servers = [
      { ...fake("a"), isDown: true },
      changed("b", [{ error: refused }]),
      { ...fake("c", [{ error: refused }]), secret: "set by hand" },
      changed("d"),
    ];
    expect((await setBackAll(servers, stepsFor())).map(({ state }) => state)).toEqual([
      "gave no answer",
      "accepts only the new secret",
      "accepts neither secret, so the account is locked out there",
      "accepts the earlier secret",
    ]);
  });

  test("does not rely on log-ins that may come from a copy made before the change", async () => {
    const servers = [changed("a"), changed("b", [{ error: refused }])];
    const steps = {
      ...stepsFor(),
      mayBeStale: true,
      logsIn: (_: Fake, which: string) => Promise.resolve(which === "earlier"),
    };
    expect(await setBackAll(servers, steps)).toEqual([
      { server: "a", state: "accepts the earlier secret" },
      { server: "b", state: "may have either secret" },
    ]);
    expect(secrets(servers)).toEqual(["earlier", "new"]);
  });

  test("reports that one server refuses the authority, which counts as a wrong guess, after the others are changed", async () => {
    const servers = [changed("a", [{ error: new AuthorityRefusedError("no") }]), changed("b")];
    await expect(setBackAll(servers, stepsFor())).rejects.toBeInstanceOf(AuthorityRefusedError);
    expect(secrets(servers)).toEqual(["new", "earlier"]);
  });
});

describe("a log-in on several servers", () => {
  type Answer = "accepted" | "rejected" | Error;
  const verify = async (...answers: readonly Answer[]) => {
    const notes: string[] = [];
    const verdict = await verifyAll(
      answers.map((answer, index) => ({ name: `s${index + 1}`, answer })),
      ({ name }) => name,
      ({ answer }) => (answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)),
      (note) => notes.push(note),
    );
    return { verdict, notes };
  };

  test("is accepted only when all accept it", async () => {
    expect(await verify("accepted", "accepted")).toEqual({ verdict: "accepted", notes: [] });
    expect(await verify("rejected", "rejected")).toEqual({ verdict: "rejected", notes: [] });
  });

  test("a server without an answer is named together with what the others answered", async () => {
    await expect(verify("accepted", down)).rejects.toThrow(
      "Not every server answers: s1 accepted it; s2 gave no answer (down)",
    );
    await expect(verify(down)).rejects.toThrow(/^down$/);
  });

  test("that the servers answer differently is rejected, with a sentence server by server", async () => {
    expect(await verify("accepted", "rejected", down)).toEqual({
      verdict: "rejected",
      notes: [
        "The servers differ about the same secret: s1 accepted it; s2 rejected it; s3 gave no answer (down).",
      ],
    });
  });

  test("that is refused names a server without an answer", async () => {
    expect(await verify("rejected", down)).toEqual({
      verdict: "rejected",
      notes: [
        "The servers differ about the same secret: s1 rejected it; s2 gave no answer (down).",
      ],
    });
  });

  test("is unknown when one does not answer and no other refuses", async () => {
    await expect(verify("accepted", down)).rejects.toBeInstanceOf(TargetUnavailableError);
  });
});
