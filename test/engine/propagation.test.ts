import { describe, expect, it } from "vitest";
import { getPropagation } from "../../shared/engine/phases/propagation.ts";
import type { TargetSession } from "../../shared/engine/session.ts";

describe("how long a target may refuse a new secret", () => {
  const target = { type: "memory", options: { routers: 2 } };
  const askedOf = (rotator: object) =>
    getPropagation({ ports: { rotator: () => rotator }, target } as unknown as TargetSession);
  const plain = { capabilities: { propagation: 5000 } };

  it("is that of its type, unless it depends on the options", () => {
    const findPropagation = ({ routers }: { routers: number }) => routers * 1000;
    expect(askedOf(plain)).toBe(5000);
    expect(askedOf({ ...plain, findPropagation })).toBe(2000);
  });
});
