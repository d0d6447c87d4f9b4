import { expect, test } from "vitest";
import { estimateBreach } from "../../../shared/core/breach/estimate.ts";
import { candidate } from "./candidates.ts";

const many = (count: number, host: string, pendingVault?: string) =>
  Array.from({ length: count }, (_, index) =>
    candidate(`t-${index}`, { host, ...(pendingVault && { target: { pendingVault } }) }),
  );

test("Two versions for each rotation are created within the limit of the vault", () => {
  const candidates = Array.from({ length: 300 }, (_, index) => many(1, `db-${index}`)).flat();
  const estimate = estimateBreach(candidates, () => 300);
  expect(estimate).toMatchObject({
    seconds: 22,
    limitedBy: "vault main",
    vaults: [{ name: "main", count: 600, seconds: 20, perTenSeconds: 300 }],
  });
  expect(estimate.servers).toHaveLength(20);
});

test("A vault for pending versions takes one of the two", () => {
  const { vaults } = estimateBreach(many(10, "db", "pending"), (vault) =>
    vault === "main" ? 10 : 1,
  );
  expect(vaults).toEqual([
    { name: "pending", count: 10, seconds: 100, perTenSeconds: 1 },
    { name: "main", count: 10, seconds: 10, perTenSeconds: 10 },
  ]);
});

test("One server rotates two targets at a time, and decides if it is slower than the vault", () => {
  const estimate = estimateBreach([...many(101, "db-1"), ...many(3, "db-2")], () => 280);
  expect(estimate).toMatchObject({
    seconds: 104,
    limitedBy: "server db-1:5432",
    servers: [
      { name: "db-1:5432", count: 101, seconds: 102 },
      { name: "db-2:5432", count: 3, seconds: 4 },
    ],
  });
});
