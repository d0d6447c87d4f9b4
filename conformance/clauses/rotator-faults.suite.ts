import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import {
  ChangeRefusedError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../shared/core/errors.ts";
import type { Credential } from "../../shared/core/secrets/secret.ts";
import type { Using } from "../../shared/rotators/rotator.ts";
import { cutProxy, type Side } from "../faults/cut-proxy.ts";
import { isOfKind } from "../kind.ts";
import type { Line, Subject } from "../rotator-fixture.ts";
import { required, type RotatorSteps } from "../rotator-steps.ts";

/** More parts than any conversation of one change has. */
const maxParts = 100;

/** Longer than any test: only the signal can end a call. */
const forEver = 3_600_000;

const sides: readonly Side[] = ["client", "server"];

/** The rules for a line that is slow, or lost at any place of a change. The proxy needs to understand nothing, so TLS may pass through. */
export function testFaults<Options>(
  steps: RotatorSteps<Options>,
  { authorities }: Subject<Options>,
): void {
  const { newAccount, withSecret, using, anyAuthority, apply, verify, works, failsAs } = steps;
  let opened: Line<Options> | undefined;
  const line = () => required(opened, "a line");

  beforeAll(async () => {
    const { fixture } = steps;
    const passing = async () => {
      const proxy = await cutProxy(fixture.endpoint.port);
      return { proxy, aimed: fixture.elsewhere(proxy.port) };
    };
    opened = await (fixture.line ?? passing)();
  });
  afterAll(async () => {
    await opened?.proxy.close();
  });
  afterEach(() => {
    opened?.proxy.steady();
    opened?.proxy.hangUp();
  });

  /** Which of the two secrets are valid, once the server has ended what it may still do. */
  const expectOneOf = (current: Credential, next: Credential) =>
    expect
      .poll(async () => [await works(current), await works(next)].filter(Boolean), {
        timeout: 10_000,
      })
      .toEqual([true]);

  /** Checks that the error claims no more than what is true. */
  async function expectTrue(error: unknown, current: Credential, next: Credential) {
    if (error instanceof OutcomeUnknownError) {
      await expectOneOf(current, next);
      return;
    }
    const kinds = [TargetUnavailableError, ChangeRefusedError];
    expect(error).toSatisfy((one) => kinds.some((kind) => isOfKind(one, kind)));
    expect(await works(current), "after an error that says that nothing changed").toBe(true);
    expect(await works(next)).toBe(false);
  }

  it("changes the secret over a slow line", async () => {
    line().proxy.delay(20);
    const current = await newAccount();
    const next = withSecret(current);
    await apply(next, anyAuthority(current), line().aimed);
    expect(await verify(next, line().aimed)).toBe("accepted");
    expect(await verify(current, line().aimed)).toBe("rejected");
  });

  it("ends when the signal fires on a line that has become silent", async () => {
    line().proxy.delay(forEver);
    const current = await newAccount();
    const next = withSecret(current);
    const soon = () => AbortSignal.timeout(200);
    await failsAs(TargetUnavailableError, verify(current, line().aimed, soon()));
    const error: unknown = await apply(next, anyAuthority(current), line().aimed, soon()).catch(
      (reason: unknown) => reason,
    );
    await expectTrue(error, current, next);
  });

  for (const as of authorities.filter((one) => one !== "identity")) {
    it.each(sides)(
      `says no more than it knows when the line of ${as} is lost at any place, by what the %s sends`,
      async (side) => {
        for (let after = 0, isLost = true; isLost; after++) {
          expect(after).toBeLessThan(maxParts);
          const current = await newAccount();
          const next = withSecret(current);
          line().proxy.loseAt(side, after);
          const error: unknown = await apply(next, using(as, current), line().aimed).then(
            () => undefined,
            (reason: unknown) => reason,
          );
          isLost = line().proxy.steady();
          if (error === undefined) expect(await works(next)).toBe(true);
          else await expectTrue(error, current, next);
        }
      },
    );

    it(`changes the secret by ${as} in the end on a line that comes and goes`, async () => {
      const current = await newAccount();
      const next = withSecret(current);
      let valid = current;
      const tryOnce = async () => {
        const by: Using = using(as, valid);
        const error: unknown = await apply(next, by, line().aimed).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        await expectOneOf(current, next);
        valid = (await works(next)) ? next : current;
        return error;
      };
      for (let after = 0; after < 10; after++) {
        line().proxy.loseAt(sides[after % 2] ?? "client", after);
        await tryOnce();
        line().proxy.steady();
      }
      expect(await tryOnce()).toBeUndefined();
      expect(await works(next)).toBe(true);
      expect(await works(current)).toBe(false);
    });
  }
}
