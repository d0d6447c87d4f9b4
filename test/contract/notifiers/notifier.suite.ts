import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectNoTrace, failure } from "../../../conformance/errors.ts";
import type { Notification } from "../../../shared/core/record/record.ts";
import type { Notifier } from "../../../shared/notifiers/notifier.ts";
import type { Trouble } from "../../notifiers/receiver.ts";

/** What the receiver got, in its own form. */
export interface Told {
  readonly id: string;
  readonly targetId: string;
  readonly at: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface NotifierUnderTest {
  readonly notifier: Notifier;
  /** Everything that arrived so far, in order. */
  told(): readonly Told[];
  close(): Promise<void>;
}

export interface TroubledNotifiers {
  /** A notifier whose receiver behaves like that. */
  notifier(trouble: Trouble): Notifier;
  /** The requests that this receiver got. */
  received(trouble: Trouble): readonly unknown[];
  /** Keys and tokens that the notifiers were given. */
  readonly secrets: readonly string[];
  close(): Promise<void>;
}

const notifications: readonly Notification[] = [
  {
    id: "01JQ0000000000000000000001",
    type: "rotation.succeeded",
    targetId: "orders-db",
    at: "2026-03-01T02:03:04.567Z",
    data: { rotationId: "01JQ0000000000000000000000", durationMs: 1234, overdue: false },
  },
  {
    id: "awkward:id/ü?#%20",
    type: "alarm",
    targetId: "orders-db",
    at: "2026-03-01T02:03:05.000Z",
    data: { message: 'a "quoted" \\ <b>message</b>\nwith ünïcode 🔑', targetId: "not this one" },
  },
];

/** The rules for every notifier. */
export function notifierSuite(title: string, start: () => Promise<NotifierUnderTest>): void {
  describe(title, () => {
    let under: NotifierUnderTest;
    const signal = new AbortController().signal;

    beforeAll(async () => {
      under = await start();
    });
    afterAll(() => under.close());

    const newlyTold = async (send: () => Promise<void>) => {
      const before = under.told().length;
      await send();
      return under.told().slice(before);
    };

    it("has a name for logs", () => {
      expect(under.notifier.name).not.toBe("");
    });

    it("delivers every notification with its id, target, time and data", async () => {
      const told = await newlyTold(() => under.notifier.send(notifications, signal));
      const expected = notifications.map(({ id, targetId, at, data }) => ({
        id,
        targetId,
        at,
        data: expect.objectContaining({ ...data, targetId }) as unknown,
      }));
      expect(told).toEqual(expected);
    });

    it("delivers a repeated notification with the same id", async () => {
      const twice = async () => {
        await under.notifier.send(notifications.slice(0, 1), signal);
        await under.notifier.send(notifications.slice(0, 1), signal);
      };
      const [first, second, ...more] = await newlyTold(twice);
      expect(more).toEqual([]);
      expect(second).toEqual(first);
      expect(first?.id).toBe(notifications[0]?.id);
    });

    it("sends nothing when there is no notification", async () => {
      expect(await newlyTold(() => under.notifier.send([], signal))).toEqual([]);
    });

    it("sends nothing for a caller that has cancelled", async () => {
      const told = await newlyTold(async () => {
        await failure(under.notifier.send(notifications, AbortSignal.abort()));
      });
      expect(told).toEqual([]);
    });
  });
}

/** The rules for every notifier whose receiver is a remote server. */
export function troubleSuite(title: string, start: () => Promise<TroubledNotifiers>): void {
  describe(`${title}, in trouble`, () => {
    let under: TroubledNotifiers;
    const signal = new AbortController().signal;

    beforeAll(async () => {
      under = await start();
    });
    afterAll(() => under.close());

    it.each(["401", "500", "hang-up", "redirect", "gone"] as const)(
      "throws an error without a secret: %s",
      async (trouble) => {
        const notifier = under.notifier(trouble);
        const error = await failure(notifier.send(notifications, signal));
        expect(error.cause).toBeUndefined();
        expect(error.message).toContain(notifier.name.split(" ").at(-1));
        expectNoTrace(error, under.secrets);
      },
    );

    it("reports the status of the answer", async () => {
      for (const status of ["401", "500"] as const) {
        const error = await failure(under.notifier(status).send(notifications, signal));
        expect(error.message).toContain(`HTTP ${status}`);
      }
    });

    it("follows no redirect", async () => {
      const before = under.received("redirect").length;
      const error = await failure(under.notifier("redirect").send(notifications, signal));
      expect(error.message).toContain("HTTP 307");
      expect(under.received("redirect")).toHaveLength(before + 1);
    });

    it("stops waiting for a silent receiver when the caller does", async () => {
      const caller = new AbortController();
      const sending = failure(under.notifier("silence").send(notifications, caller.signal));
      await expect.poll(() => under.received("silence").length, { timeout: 4_000 }).toBe(1);
      caller.abort(new Error("reason of the caller"));
      const error = await sending;
      expect(error.message).toMatch(/timed out/);
      expectNoTrace(error, [...under.secrets, "reason of the caller"]);
    });

    it("has no secret in its name", () => {
      for (const secret of under.secrets) expect(under.notifier("gone").name).not.toContain(secret);
    });
  });
}
