import { createServer, type Socket } from "node:net";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { TargetUnavailableError } from "../../shared/core/errors.ts";
import { listen, type Listening } from "../faults/listening.ts";
import { endsSoonAfter } from "../limit.ts";
import { has, type Subject } from "../rotator-fixture.ts";
import { required, type RotatorSteps } from "../rotator-steps.ts";
import { everyCall } from "./every-call.ts";

/** The rules for a target that cannot be reached, and for limits of time. */
export function testUnreachable<Options>(
  steps: RotatorSteps<Options>,
  subject: Subject<Options>,
): void {
  const { newAccount, using, anyAuthority, withSecret, failsAs } = steps;
  const { apply, verify, retire, examine, isInUse } = steps;
  let silent: Listening | undefined;
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
    await silent?.close();
  });
  const host = () => required(silent, "a silent host");

  const isUnavailable = async (call: Promise<unknown>) => {
    await failsAs(TargetUnavailableError, call);
  };

  it("says so when the host refused the connection", async () => {
    const closed = await listen(createServer());
    await closed.close();
    await everyCall(
      steps,
      subject,
      { at: () => steps.fixture.elsewhere(closed.port) },
      isUnavailable,
    );
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
    const at = () => steps.fixture.elsewhere(host().port);
    await everyCall(steps, subject, { at, signal: whenConnected }, isUnavailable);
    await expect.poll(() => host().connections.open, { timeout: 10_000 }).toBe(0);
  });

  if (subject.isManaged !== true) {
    it("stops waiting for a silent host after the connection limit, and closes the connection", async () => {
      const never = new AbortController().signal;
      const hasty = { ...steps.fixture.elsewhere(host().port), connectWithin: 50 };
      const isTooSlow = async (call: Promise<unknown>) => {
        const ended = endsSoonAfter(AbortSignal.abort(), call, "the connection limit");
        await failsAs(TargetUnavailableError, ended);
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
      await expect.poll(() => host().connections.open, { timeout: 10_000 }).toBe(0);
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
    const before = host().connections.total;
    const at = () => steps.fixture.elsewhere(host().port);
    await everyCall(steps, subject, { at, signal: () => AbortSignal.abort() }, isUnavailable);
    expect(host().connections.total).toBe(before);
  });
}
