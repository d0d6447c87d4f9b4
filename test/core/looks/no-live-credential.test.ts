import { describe, expect, it } from "vitest";
import {
  describeNoLiveCredential,
  type NoLiveCredential,
} from "../../../shared/core/looks/no-live-credential.ts";

const ref = (version: string, name = "orders-db") => ({ vault: "main", name, version });

function message(found: Partial<NoLiveCredential>): string {
  return describeNoLiveCredential({
    targetId: "orders",
    account: "orders_app",
    refused: [],
    unreadable: [],
    ...found,
  });
}

describe("The message about an account that cannot be changed", () => {
  it("says that the target refuses only what it refused", () => {
    expect(message({ refused: [ref("v1"), ref("v2")] })).toBe(
      "No stored secret of orders_app logs in to orders. The target refuses versions v1 of orders-db in the " +
        "vault main and v2 of orders-db in the vault main. Store the current password of orders_app in the " +
        "published secret, and request a rotation.",
    );
    expect(message({ unreadable: [{ ref: ref("v1"), why: "disabled" }] })).not.toContain("refuses");
  });

  it("names the version to enable", () => {
    expect(message({ unreadable: [{ ref: ref("v1"), why: "disabled" }] })).toBe(
      "No stored secret of orders_app logs in to orders. Version v1 of orders-db in the vault main is disabled. " +
        "Enable version v1 of orders-db in the vault main, and request a rotation. If that does not help, " +
        "store the current password of orders_app in the published secret.",
    );
  });

  it("names the secret to recover", () => {
    const pending = ref("v1", "keyturn-pending-orders");
    const told = message({
      unreadable: [
        { ref: pending, why: "deleted" },
        { ref: ref("v2", "keyturn-pending-orders"), why: "deleted" },
      ],
    });
    expect(told).toContain(
      "Recover the deleted secret keyturn-pending-orders in the vault main, and request a rotation.",
    );
    expect(told).toContain("are deleted.");
  });

  it("distinguishes all causes", () => {
    const told = message({
      refused: [ref("v1")],
      unreadable: [
        { ref: ref("v2"), why: "disabled" },
        { ref: ref("v3"), why: "absent" },
        { ref: ref("v4"), why: "holds no credential" },
        { ref: ref("v5"), why: "deleted" },
      ],
    });
    expect(told).toContain("The target refuses version v1 of");
    expect(told).toContain("Version v2 of orders-db in the vault main is disabled.");
    expect(told).toContain("Version v3 of orders-db in the vault main is missing.");
    expect(told).toContain("Version v4 of orders-db in the vault main is without a credential.");
    expect(told).toContain("Version v5 of orders-db in the vault main is deleted.");
    expect(told).toMatch(/Enable version v2 .* and recover the deleted secret orders-db /);
  });

  it("does not claim that something was tried when no version is known", () => {
    expect(message({})).toBe(
      "No stored secret of orders_app logs in to orders. No version is known. Store the current password of " +
        "orders_app in the published secret, and request a rotation.",
    );
  });

  it("has room for what to do, however many versions there are", () => {
    const many = Array.from({ length: 50 }, (_, index) => ref(`${index}`.repeat(16)));
    const unreadable = many.map((one) => ({ ref: one, why: "disabled" }) as const);
    const told = message({ refused: many, unreadable });
    expect(told).toContain("and 47 more");
    expect(told.length).toBeLessThan(1_000);
    expect(told).toContain("request a rotation");
  });
});
