import { describe, expect, test } from "vitest";
import {
  ChangeRefusedError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../shared/core/errors.ts";
import {
  changeAll,
  type ChangeSteps,
  verifyAll,
} from "../../shared/rotators/several/several-servers.ts";

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

function stepsFor(hasEarlier: boolean, log: string[] = []): ChangeSteps<Fake, void> {
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
    ...(hasEarlier && {
      back: {
        set: (server: Fake) => set(server, "earlier"),
        logsIn: (server: Fake, which: string) =>
          server.isDown ? Promise.reject(down) : Promise.resolve(server.secret === which),
      },
    }),
  };
}

const never = new AbortController().signal;
const change = (servers: readonly Fake[], hasEarlier = true, retryFor = 0, log: string[] = []) =>
  changeAll(servers, stepsFor(hasEarlier, log), never, retryFor);
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
    await change([fake("a"), fake("b")], true, 0, log);
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
    await change(servers, true, 3_000);
    expect(secrets(servers)).toEqual(["new", "new"]);
  });

  test("is not repeated on a server that refuses it", async () => {
    const log: string[] = [];
    const servers = [fake("a"), fake("b", [{ error: refused }])];
    await failure(change(servers, true, 3_000, log));
    expect(log.filter((line) => line === "new b")).toHaveLength(1);
  });

  test.each([
    [refused, ChangeRefusedError],
    [down, TargetUnavailableError],
    [lost, TargetUnavailableError],
  ])("that ends with %s is set back, and proven to be", async (error, kind) => {
    const servers = [fake("a"), fake("b", [{ error, ...(error === lost && { done: true }) }])];
    const thrown = await failure(change(servers));
    expect(thrown).toBeInstanceOf(kind);
    expect(thrown.message).toContain("nothing is changed");
    expect(secrets(servers)).toEqual(["earlier", "earlier"]);
  });

  test("may have taken place if any try left that open, whatever a later one says", async () => {
    const lostFirst = [{ error: lost, done: true as const }, { error: refused }];
    const servers = [fake("a"), fake("b", lostFirst)];
    const thrown = await failure(change(servers, false, 3_000));
    expect(thrown).toBeInstanceOf(OutcomeUnknownError);
    expect(thrown.message).toContain("a was changed; b may be changed");
  });

  test("counts as set back only where the server took the earlier secret again, because log-ins may be cached", async () => {
    const servers = [fake("a"), fake("b", [{ error: down }])];
    const steps = stepsFor(true);
    const back = {
      set: ({ name }: Fake) => (name === "a" ? Promise.reject(down) : Promise.resolve()),
      logsIn: (_server: Fake, which: string) => Promise.resolve(which === "earlier"),
    };
    const error = await failure(changeAll(servers, { ...steps, back }, never, 0));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error.message).toBe(
      "down. The servers differ: a may have either secret; b has the earlier secret",
    );
  });

  test("that cannot be set back says what each server has", async () => {
    const servers = [fake("a"), fake("b", [{ error: down }]), fake("c")];
    const steps = stepsFor(true);
    const work = changeAll(
      servers,
      {
        ...steps,
        back: {
          ...steps.back,
          set: () => Promise.reject(down),
          logsIn: ({ name, secret }, which) =>
            name === "b" ? Promise.reject(down) : Promise.resolve(secret === which),
        },
      },
      never,
      0,
    );
    const error = await failure(work);
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error.message).toBe(
      "down. The servers differ: a has the new secret; b may have either secret; c has the earlier secret",
    );
  });

  test("that leaves a server without a working secret says so", async () => {
    const servers = [fake("a"), fake("b", [{ error: down }])];
    const work = changeAll(
      servers,
      {
        ...stepsFor(true),
        back: {
          set: () => Promise.resolve(),
          logsIn: ({ name }, which) => Promise.resolve(name === "a" && which === "earlier"),
        },
      },
      never,
      0,
    );
    expect((await failure(work)).message).toContain("b accepts neither secret");
  });

  test("without an earlier secret stays as far as it came", async () => {
    const servers = [fake("a"), fake("b", [{ error: refused }]), fake("c")];
    const error = await failure(change(servers, false));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error.message).toContain("a was changed; b was not changed; c was not changed");
    expect(secrets(servers)).toEqual(["new", "earlier", "earlier"]);
  });

  test("of one server is not checked apart, and gives its error as it is", async () => {
    const log: string[] = [];
    const work = change([fake("a", [{ error: lost }])], true, 0, log);
    expect(await failure(work)).toBe(lost);
    expect(log).toEqual(["new a"]);
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
