import { createServer, type Socket } from "node:net";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { TargetUnavailableError } from "../../shared/core/errors.ts";
import { listen, type Listening } from "../faults/listening.ts";
import { has, type Subject } from "../rotator-fixture.ts";
import { type Called, type RotatorSteps } from "../rotator-steps.ts";

const patience = () => AbortSignal.timeout(20_000);

/** The rules for a target that cannot be reached, and for limits of time. */
export function testUnreachable<Options>(
  steps: RotatorSteps<Options>,
  subject: Subject<Options>,
): void {
  const { newAccount, using, anyAuthority, withSecret, works, failsAs } = steps;
  const { apply, verify, retire, examine, isInUse } = steps;
  let silent: Listening;
  let arrived = Promise.withResolvers<Socket>();

  beforeAll(async () => {
    silent = await listen(
      createServer((socket) => {
        socket.resume();
        arrived.resolve(socket);
      }),
    );
  });
  afterAll(async () => {
    await silent.close();
  });

  /** Every call of the contract, aimed at the same place. */
  async function each(
    at: () => Called<Options>,
    signal: () => AbortSignal,
    check: (call: Promise<unknown>) => Promise<void>,
  ): Promise<void> {
    const current = await newAccount();
    const authority = anyAuthority(current);
    await check(apply(withSecret(current), authority, at(), signal()));
    await check(verify(current, at(), signal()));
    if (has(subject, "examine")) {
      await check(examine(current, authority, { aimed: at(), signal: signal() }));
    }
    if (has(subject, "retire")) {
      await check(retire(current, using("admin", current), at(), signal()));
    }
    if (subject.seesSessions === true) {
      await check(isInUse(current, using("admin", current), at(), signal()));
    }
    expect(await works(current)).toBe(true);
  }

  const isUnavailable = async (call: Promise<unknown>) => {
    await failsAs(TargetUnavailableError, call);
  };

  it("says so when the host refused the connection", async () => {
    const closed = await listen(createServer());
    await closed.close();
    await each(() => steps.fixture.elsewhere(closed.port), patience, isUnavailable);
  });

  it("stops waiting for a silent host when the signal fires, and closes the connection", async () => {
    function whenConnected(): AbortSignal {
      const controller = new AbortController();
      arrived = Promise.withResolvers();
      void arrived.promise.then(() => {
        controller.abort();
      });
      return controller.signal;
    }
    await each(() => steps.fixture.elsewhere(silent.port), whenConnected, isUnavailable);
    await expect.poll(() => silent.connections.open, { timeout: 10_000 }).toBe(0);
  });

  if (subject.isManaged !== true) {
    it("stops waiting for a silent host after the connection limit, and closes the connection", async () => {
      const never = new AbortController().signal;
      const hasty = { ...steps.fixture.elsewhere(silent.port), connectWithin: 50 };
      const isTooSlow = async (call: Promise<unknown>) => {
        await failsAs(TargetUnavailableError, call);
        await expect(call).rejects.toThrow("connecting timed out after 50ms");
      };
      const current = await newAccount();
      await isTooSlow(verify(current, hasty, never));
      // A change with the app's Azure identity may go to Azure, and make no connection to the target.
      const isAtAzure = steps.fixture.identity === undefined;
      if (!subject.authorities.includes("identity") || !isAtAzure) {
        const authority = anyAuthority(current);
        await isTooSlow(apply(withSecret(current), authority, hasty, never));
        if (has(subject, "examine")) {
          await isTooSlow(examine(current, authority, { aimed: hasty, signal: never }));
        }
      }
      if (has(subject, "retire")) {
        await isTooSlow(retire(current, using("admin", current), hasty, never));
      }
      if (subject.seesSessions === true) {
        await isTooSlow(isInUse(current, using("admin", current), hasty, never));
      }
      await expect.poll(() => silent.connections.open, { timeout: 10_000 }).toBe(0);
    });

    it("drops the connection limit once the connection is open", async () => {
      const current = await newAccount();
      const [set, clear] = [
        vi.spyOn(globalThis, "setTimeout"),
        vi.spyOn(globalThis, "clearTimeout"),
      ];
      const connectWithin = 3_600_000;
      expect(await verify(current, { ...steps.fixture.aimed, connectWithin })).toBe("accepted");
      const timer = set.mock.calls.findIndex(([, after]) => after === connectWithin);
      expect(timer).toBeGreaterThanOrEqual(0);
      expect(clear).toHaveBeenCalledWith(set.mock.results[timer]?.value);
    });
  }

  it("sends nothing when the signal has already fired", async () => {
    const before = silent.connections.total;
    await each(
      () => steps.fixture.elsewhere(silent.port),
      () => AbortSignal.abort(),
      isUnavailable,
    );
    expect(silent.connections.total).toBe(before);
  });
}
