import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type SlotRecord } from "../../../shared/core/record/record.ts";
import { newRecord } from "../../../shared/core/record/rotation.ts";
import {
  abandon,
  chooseAccount,
  findSlot,
  isFullOfDoubt,
  isOwnWork,
  keepSlots,
  listAbandoned,
  listSlotCandidates,
  promote,
  withSlot,
} from "../../../shared/core/record/slots.ts";
import { isSameVersion, toPendingName } from "../../../shared/core/target.ts";
import { arbitraryVersion } from "../arbitrary-request.ts";
import { target as orders } from "../orders.ts";

const now = "2026-03-01T10:00:00.000Z";
const ref = (version: string) => ({ vault: "main", name: "orders-db", version });
const target = { ...orders, slots: [{ account: "a" }, { account: "b" }] };
const record = newRecord("orders");
const arbitrarySlot: fc.Arbitrary<SlotRecord> = fc.record(
  {
    account: fc.constant("a"),
    current: arbitraryVersion,
    previous: arbitraryVersion,
    abandoned: arbitraryVersion,
    abandonedBefore: fc.array(arbitraryVersion, { maxLength: 4 }),
  },
  { requiredKeys: ["account"] },
);

describe("the account that is changed", () => {
  it.each([
    ["of a pair the one that is not published", target, "a", "b"],
    ["of a pair the one that is not published", target, "b", "a"],
    ["of a pair the first when nothing is published", target, undefined, "a"],
    ["the first when the published one is no longer configured", target, "gone", "a"],
    ["the only one", { ...target, slots: [{ account: "a" }] }, "a", "a"],
  ])("is %s", (_which, of, active, account) => {
    expect(chooseAccount(of, { ...record, ...(active && { active }) })).toBe(account);
  });

  it("must exist", () => {
    expect(() => chooseAccount({ ...target, slots: [] }, record)).toThrow(RangeError);
  });
});

describe("the published version", () => {
  const published = { ...record, active: "a", lastSuccessAt: now };
  const slots = [{ account: "a", current: ref("1"), changedAt: now }];
  const own = { ...published, slots, health: "healthy" as const };

  it("counts as Keyturn's own work after a successful rotation", () => {
    expect(isOwnWork(own)).toBe(true);
  });

  it.each([
    ["nothing was rotated yet", record],
    [
      "somebody else's version was adopted since",
      { ...own, slots: [{ account: "a", changedAt: "2026-03-02T10:00:00.000Z" }] },
    ],
    ["something has failed since", { ...own, health: "failing" as const }],
  ])("may be anything when %s", (_when, other) => {
    expect(isOwnWork(other)).toBe(false);
  });
});

describe("the stored versions of an account", () => {
  it("are tried once each, the most likely first, and none is left out", () => {
    fc.assert(
      fc.property(
        arbitrarySlot,
        fc.option(arbitraryVersion, { nil: undefined }),
        (slot, newest) => {
          const { current, previous, abandoned, abandonedBefore = [] } = slot;
          const all = [newest, current, previous, abandoned, ...abandonedBefore].filter(
            (one) => one !== undefined,
          );
          const tried = listSlotCandidates(slot, newest);
          expect(tried.at(0)).toEqual(all.at(0));
          for (const one of all) {
            expect(tried.filter((other) => isSameVersion(one, other))).toHaveLength(1);
          }
          expect(tried.length).toBeLessThanOrEqual(all.length);
        },
      ),
    );
  });

  it("become current when they work, and the current one becomes previous", () => {
    const slot = { account: "a", current: ref("1"), previous: ref("0"), abandoned: ref("x") };
    expect(promote(slot, ref("2"), now)).toEqual({
      account: "a",
      current: ref("2"),
      previous: ref("1"),
      changedAt: now,
    });
    expect(promote({ account: "a" }, ref("2"), now)).toEqual({
      account: "a",
      current: ref("2"),
      changedAt: now,
    });
  });

  it("do not change when the current one works again", () => {
    fc.assert(
      fc.property(arbitrarySlot, arbitraryVersion, (slot, live) => {
        const once = promote(slot, live, now);
        expect(once.current).toEqual(live);
        expect(promote(once, live, "2026-03-02T10:00:00.000Z")).toEqual(once);
      }),
    );
  });

  it("keep the five latest versions in doubt, each once, and the previous one", () => {
    const slot = { account: "a", current: ref("1"), previous: ref("0") };
    const once = abandon(slot, ref("2"));
    expect(once).toEqual({ ...slot, abandoned: ref("2") });
    expect(abandon(once, ref("2"))).toEqual(once);
    const twice = abandon(once, ref("3"));
    expect(twice).toEqual({ ...slot, abandoned: ref("3"), abandonedBefore: [ref("2")] });
    expect(abandon(twice, ref("2"))).toEqual({
      ...slot,
      abandoned: ref("2"),
      abandonedBefore: [ref("3")],
    });
    const many = ["4", "5", "6", "7"].reduce((one, id) => abandon(one, ref(id)), twice);
    expect(many.previous).toEqual(ref("0"));
    expect(listAbandoned(many)).toEqual(["7", "6", "5", "4", "3"].map(ref));
    expect([twice, many].map(isFullOfDoubt)).toEqual([false, true]);
  });

  it("stay beside those of the other account", () => {
    const slots = [{ account: "a", current: ref("1") }, { account: "b" }];
    const changed = withSlot(slots, { account: "b", current: ref("2") });
    expect(findSlot({ ...record, slots: changed }, "a")).toEqual(slots[0]);
    expect(findSlot({ ...record, slots: changed }, "b").current).toEqual(ref("2"));
    expect(findSlot({ ...record, slots: changed }, "c")).toEqual({ account: "c" });
    expect(withSlot(slots, { account: "c" })).toHaveLength(3);
  });
});

describe("the slots that are kept when accounts come and go", () => {
  const slots = Array.from({ length: 30 }, (_, index) => ({ account: `old-${index}` }));
  const of = (...accounts: string[]) => ({
    ...orders,
    slots: accounts.map((account) => ({ account })),
  });
  const kept = (...[all, configured, active]: Parameters<typeof keepSlots>) =>
    keepSlots(all, configured, active).map(({ account }) => account);

  it("are those of the configuration, the active one, and the latest of the others", () => {
    const all = [...slots.slice(0, 2), { account: "a" }, ...slots.slice(2)];
    expect(kept(all, of("a", "old-1"), "old-0")).toEqual([
      ...["old-0", "old-1", "a"],
      ...["old-23", "old-24", "old-25", "old-26", "old-27", "old-28", "old-29"],
    ]);
  });

  it("are all of them while there are few, in the same order", () => {
    expect(keepSlots(slots.slice(0, 10), of("a"), undefined)).toEqual(slots.slice(0, 10));
  });
});

describe("a version", () => {
  it("is the same only by vault, name and version together", () => {
    expect(isSameVersion(ref("1"), ref("1"))).toBe(true);
    expect(isSameVersion(ref("1"), ref("2"))).toBe(false);
    expect(isSameVersion(ref("1"), { ...ref("1"), name: "x" })).toBe(false);
    expect(isSameVersion(ref("1"), { ...ref("1"), vault: "x" })).toBe(false);
    expect(isSameVersion(ref("1"), undefined)).toBe(false);
  });

  it("that is pending has its own name, in the vault where it will be published", () => {
    expect(toPendingName(target)).toEqual({ vault: "main", name: "keyturn-pending-orders" });
    expect(toPendingName(target).name).not.toBe(target.publish.name);
  });
});
