import { describe, expect, it } from "vitest";
import { OutcomeUnknownError } from "../../shared/core/errors.ts";
import { type Credential, Secret } from "../../shared/core/secrets/secret.ts";
import type { CutKind } from "../faults/cut-proxy.ts";
import type { Subject } from "../rotator-fixture.ts";
import { required, type RotatorSteps } from "../rotator-steps.ts";

const patience = { timeout: 10_000 };

type Secrets = readonly ("keep" | "other")[];

/** The places of the secrets of an account, the newest one first: `keep` is the published one. */
const states: readonly { readonly name: string; readonly secrets: Secrets }[] = [
  { name: "the published secret alone", secrets: ["keep"] },
  { name: "an older secret beside it", secrets: ["keep", "other"] },
  { name: "a newer secret beside it", secrets: ["other", "keep"] },
  { name: "the same secret twice", secrets: ["keep", "keep"] },
];

/** The rules for a rotator whose accounts can have two valid secrets. `keep` stays valid, whatever happens. */
export function testOverlap<Options>(
  steps: RotatorSteps<Options>,
  { authorities, keepsAll = false }: Subject<Options>,
): void {
  const { newAccount, withSecret, apply, applyWith, discard, works, using } = steps;
  const tools = () => required(steps.fixture.overlap, "overlap");

  /** An account that may keep its own secret, with two more secrets for it. */
  async function begin(secrets: Secrets = ["keep"]) {
    const keep = await newAccount();
    const [other, next] = [withSecret(keep), withSecret(keep)];
    await tools().permit(keep.account);
    const reveal = { keep: keep.secret.reveal(), other: other.secret.reveal() };
    await tools().hold(
      keep.account,
      secrets.map((name) => reveal[name]),
    );
    return { keep, other, next };
  }

  /** Logs in with `keep` again and again while the work runs. */
  async function keeping(keep: Credential, work: () => Promise<unknown>): Promise<void> {
    const over = new AbortController();
    const seen: boolean[] = [];
    const watch = (async () => {
      do seen.push(await works(keep));
      while (!over.signal.aborted);
    })();
    try {
      await work();
    } finally {
      over.abort();
      await watch;
    }
    expect(seen).not.toContain(false);
    expect(await works(keep)).toBe(true);
  }

  describe.each(authorities.filter((as) => as !== "identity"))("an overlap by %s", (as) => {
    const change = (next: Credential, keep: Credential) => applyWith(keep, next, using(as, keep));

    it.each(states)(
      "keeps the published secret beside the new one, from $name",
      async ({ secrets }) => {
        const { keep, next } = await begin(secrets);
        await keeping(keep, async () => {
          expect(await change(next, keep)).toMatchObject({ kept: true });
        });
        expect(await works(next)).toBe(true);
      },
    );

    it("keeps the published secret when the same change is repeated", async () => {
      const { keep, next } = await begin();
      await keeping(keep, async () => {
        for (let time = 1; time <= 3; time++) await change(next, keep);
      });
      expect(await works(next)).toBe(true);
    });

    it("keeps the published secret when the new one is lost and another one is set", async () => {
      const { keep, other, next } = await begin();
      await keeping(keep, async () => {
        await change(other, keep);
        await change(next, keep);
      });
      expect([await works(other), await works(next)]).toEqual([keepsAll, true]);
    });

    it("makes no claim to have kept a secret that it was not given", async () => {
      const { keep, next } = await begin();
      const { kept = false } = await apply(next, using(as, keep));
      expect(kept).toBe(false);
      expect([await works(keep), await works(next)]).toEqual([false, true]);
    });

    it.each(states)(
      "discards everything but the published secret, from $name",
      async ({ secrets }) => {
        const { keep, other } = await begin(secrets);
        await keeping(keep, async () => {
          for (let time = 1; time <= 2; time++) await discard(keep, using(as, keep));
        });
        expect(await works(other)).toBe(false);
      },
    );

    it("discards the superseded secret after a change", async () => {
      const { keep, next } = await begin();
      await change(next, keep);
      await keeping(next, () => discard(next, using(as, next)));
      expect(await works(keep)).toBe(false);
    });

    it.each(["the same", "another"])(
      "ends a change that waits on the server when %s secret is set next",
      async (which) => {
        const { keep, other, next } = await begin();
        const late = which === "the same" ? next : other;
        await keeping(keep, async () => {
          await delayed(keep, late, async (release) => {
            const again = change(next, keep);
            await expect.poll(() => tools().waiting(), patience).not.toEqual(release.earlier);
            await release.now();
            expect(await again).toMatchObject({ kept: true });
          });
        });
        expect(await works(next)).toBe(true);
        if (which === "another") expect(await works(other)).toBe(keepsAll);
      },
    );

    /** Begins a change that the server does not carry out, and loses it at its deadline. */
    async function delayed(
      keep: Credential,
      next: Credential,
      work: (release: { earlier: readonly number[]; now(): Promise<void> }) => Promise<void>,
    ): Promise<void> {
      const resume = await tools().pause();
      try {
        const deadline = new AbortController();
        const { aimed } = steps.fixture;
        const late = applyWith(keep, next, using(as, keep), { aimed, signal: deadline.signal });
        const failed = steps.failsAs(OutcomeUnknownError, late);
        await expect.poll(async () => (await tools().waiting()).length, patience).toBe(1);
        const earlier = await tools().waiting();
        deadline.abort();
        await failed;
        await work({ earlier, now: resume });
      } finally {
        await resume();
      }
    }

    const kinds: readonly CutKind[] = ["lost", "carried-out"];
    it.each(kinds)(
      "keeps the published secret when the line is %s at any statement",
      async (kind) => {
        const { proxy, aimed } = await tools().plain();
        for (const { name, secrets } of states) {
          for (const text of tools().statements) {
            const { keep, next } = await begin(secrets);
            await keeping(keep, async () => {
              proxy.cutAt(text, kind);
              const first = applyWith(keep, next, using(as, keep), { aimed });
              await first.catch(() => undefined);
              expect(await works(keep), `${text} from ${name}`).toBe(true);
              await change(next, keep);
            });
            expect(await works(next)).toBe(true);
            await keeping(next, async () => {
              proxy.cutAt(text, kind);
              await discard(next, using(as, next), aimed).catch(() => undefined);
              expect(await works(next), `${text} from ${name}`).toBe(true);
              await discard(next, using(as, next));
            });
            expect(await works(keep)).toBe(false);
          }
        }
      },
    );
  });

  it("needs no secret to be kept when it gives an account a secret again", async () => {
    const { keep, next } = await begin(["other", "keep"]);
    const admin = using("admin", keep);
    await steps.retire(keep, admin);
    expect(await works(keep)).toBe(false);
    await apply({ account: keep.account, secret: new Secret(next.secret.reveal()) }, admin);
    expect(await works(next)).toBe(true);
  });
}
