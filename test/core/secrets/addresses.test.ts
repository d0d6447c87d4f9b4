import { expect, test } from "vitest";
import { isLoopback } from "../../../shared/core/secrets/addresses.ts";
import { openSafely } from "../../../shared/stores/storage-access.ts";

test.each([
  ["http://127.0.0.1:1", true],
  ["http://127.255.0.9", true],
  ["http://127.1", true],
  ["http://[::1]:1", true],
  ["http://localhost", true],
  ["http://a.localhost", false],
  ["http://localhost.evil.example", false],
  ["http://127.0.0.1.evil.example", false],
  ["http://0.0.0.0", false],
  ["http://128.0.0.1", false],
  ["http://[::ffff:10.0.0.1]", false],
])(
  "whether %s stays on the machine: %s; storage is asked in the clear only there",
  (url, stays) => {
    expect(isLoopback(new URL(url))).toBe(stays);
    const open = () => openSafely(() => ({ url }));
    if (stays) expect(open()).toEqual({ url });
    else expect(open).toThrow("only loopback addresses may use http");
  },
);
